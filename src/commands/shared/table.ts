/** Aligns columns and records for a terminal. */
import { escapeControlChars } from "../../core/text.ts";
import { displayWidth, padToWidth } from "./width.ts";

/** The spaces between two columns. */
const gap = 2;

/** Returns the header line and one line per row; control characters are escaped, so that a name cannot drive the terminal. */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [headers, ...rows].map((row) => row.map(escapeControlChars));
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => displayWidth(row[column] ?? ""))));
  return cells.map((row) =>
    row
      .map((cell, column) => padToWidth(cell, widths[column] ?? 0))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}

/** A table without some of its columns. */
export interface NarrowTable {
  headers: string[];
  rows: string[][];
  /** The number of columns that are left out. */
  hidden: number;
}

/**
 * Returns a table of at most `width` cells: leaves out as many of the columns named `optional`, in this order, as that takes; null if it
 * is too wide without them.
 */
export function narrowed(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  { width, optional }: { width: number; optional: readonly string[] },
): NarrowTable | null {
  const all = [headers, ...rows];
  const widths = headers.map((_, at) => Math.max(...all.map((row) => displayWidth(escapeControlChars(row[at] ?? "")))));
  for (let hidden = 0; hidden <= optional.length; hidden += 1) {
    const left = new Set(optional.slice(0, hidden));
    const kept = headers.flatMap((header, at) => (left.has(header) ? [] : [at]));
    const used = kept.reduce((sum, at) => sum + gap + (widths[at] ?? 0), -gap);
    if (used > width) continue;
    const cellsOf = (row: readonly string[]) => kept.map((at) => row[at] ?? "");
    return { headers: cellsOf(headers), rows: rows.map(cellsOf), hidden };
  }
  return null;
}

/** Returns the lines of each row: a separator with its number, and a line per column. Control characters are escaped. */
export function formatRecords(headers: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const names = headers.map(escapeControlChars);
  const width = Math.max(0, ...names.map(displayWidth));
  return rows.flatMap((row, at) => [
    `-[ ${at + 1} ]`.padEnd(width + 2, "-"),
    ...names.map((name, column) => `${padToWidth(name, width)}  ${escapeControlChars(row[column] ?? "")}`.trimEnd()),
  ]);
}
