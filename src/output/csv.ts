/** Formats CSV by RFC 4180, safe to open in a spreadsheet. */

import { type Cell, cellText } from "../core/domain.ts";
import { escapeControlChars } from "../core/text.ts";

/** Returns one line with its line end. NULL is an empty cell, an empty text is `""`. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(",")}\r\n`;

/** Returns a line like `csvLine` for a terminal, with control characters escaped. It cannot be imported. */
export const csvLineForTerminal = (cells: readonly Cell[]): string =>
  csvLine(cells.map((cell) => (typeof cell === "string" ? escapeControlChars(cell) : cell)));

/** Begins a file that Excel reads as UTF-8. */
export const spreadsheetMark = "\ufeff";

/** Matches numbers with more than fifteen digits, which spreadsheets round, and would change without notice. */
const longNumber = /^-?(?=(?:\D*\d){16})\d+(?:\.\d+)?$/;

/** Returns a line in which numbers that a spreadsheet would round are texts (`="1500002561338376194"`), so that every digit is kept. */
export const spreadsheetLine = (cells: readonly Cell[]): string =>
  `${cells.map((cell) => (typeof cell === "string" && longNumber.test(cell) ? `"=""${cell}"""` : csvCell(cell))).join(",")}\r\n`;

/** Returns one cell, quoted and escaped if necessary. */
export function csvCell(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "string" && plainText.test(cell)) return cell;
  return quoted(typeof cell === "string" ? escapeFormula(cell) : cellText(cell));
}

/** Matches cells that need neither quotes nor escaping, which are most: one test is faster than the three below. */
const plainText = /^(?:\w[\w.:+ -]*|-\d+(?:\.\d+)?)$/;

const quoted = (text: string): string =>
  text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/**
 * Matches texts that a spreadsheet takes for a formula, also with fullwidth characters or after tab, CR or NUL. Leading apostrophes
 * are skipped, so that a text that begins with one is escaped too, and can be restored.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches control characters
const formula = /^'*[=+\-@\t\r\u0000\uff1d\uff0b\uff0d\uff20]/;

const plainNumber = /^-?\d+(\.\d+)?$/;

/** Puts an apostrophe before a text such as `=cmd()`, but not before a negative number. Different texts stay different. */
export const escapeFormula = (text: string): string =>
  formula.test(text) && !plainNumber.test(text) ? `'${text}` : text;

/** Returns the original of a text that `escapeFormula` has returned. */
export function unescapeFormula(text: string): string {
  if (!text.startsWith("'")) return text;
  const before = text.slice(1);
  return escapeFormula(before) === text ? before : text;
}
