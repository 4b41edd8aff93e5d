/** Aligns columns and records for a terminal. */
import { escapeControlChars } from "../../core/text.ts";
import { displayWidth, padToWidth } from "./width.ts";

/** Returns the header line and one line per row; control characters are escaped, so that a name cannot drive the terminal. */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [headers, ...rows].map((row) => row.map(escapeControlChars));
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => displayWidth(row[column] ?? ""))));
  return cells.map((row) =>
    row
      .map((cell, column) => padToWidth(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
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
