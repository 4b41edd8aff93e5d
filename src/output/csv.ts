/** Lines of CSV as RFC 4180 has them, safe to open in a spreadsheet. */

import { type Cell, cellText } from "../core/domain.ts";
import { escapeControlChars } from "../core/text.ts";

/** One line with its line end. NULL is an empty cell, an empty text is `""`. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(",")}\r\n`;

/** The same for a terminal: control characters in it are shown as escapes. Not to be read back. */
export const csvLineForTerminal = (cells: readonly Cell[]): string =>
  csvLine(cells.map((cell) => (typeof cell === "string" ? escapeControlChars(cell) : cell)));

export function csvCell(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "string" && plainText.test(cell)) return cell;
  return quoted(typeof cell === "string" ? escapeFormula(cell) : cellText(cell));
}

/** What most cells are: a number, or a text that nothing has to be done with; one look is quicker than the three below. */
const plainText = /^(?:\w[\w.:+ -]*|-\d+(?:\.\d+)?)$/;

const quoted = (text: string): string =>
  text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/**
 * What a spreadsheet takes for the beginning of a formula, in both widths; it skips the three control characters. Marks
 * before it count as nothing, so that a mark can be told from a text that began with one.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const formula = /^'*[=+\-@\t\r\u0000\uff1d\uff0b\uff0d\uff20]/;

const plainNumber = /^-?\d+(\.\d+)?$/;

/** A name such as `=cmd()` must stay a name; a negative amount stays a number. No two texts become the same. */
export const escapeFormula = (text: string): string =>
  formula.test(text) && !plainNumber.test(text) ? `'${text}` : text;

/** The text that `defused` made this of. */
export function unescapeFormula(text: string): string {
  if (!text.startsWith("'")) return text;
  const before = text.slice(1);
  return escapeFormula(before) === text ? before : text;
}
