/** Formats rows as JSON objects, one per line. */
import { type Cell, cellText } from "../core/domain.ts";

/** Returns a function that formats a row as a JSON object, with its members in the order of the columns. */
export function objectText(columns: readonly string[]): (row: readonly Cell[]) => string {
  const names = columns.map((name) => JSON.stringify(name));
  return (row) => `{${row.map((cell, at) => `${names[at]}:${jsonCell(cell)}`).join(",")}}`;
}

/** Formats a cell as a member of such an object. */
export const jsonMember = (cell: Cell, column: string): string => `${JSON.stringify(column)}:${jsonCell(cell)}`;

/** Formats a cell as JSON. Integers keep all their digits; infinity, which JSON lacks, becomes 9e999, which parsers read as infinity. */
export function jsonCell(cell: Cell): string {
  if (cell === null) return "null";
  if (typeof cell === "bigint") return String(cell);
  if (typeof cell === "number") return Number.isFinite(cell) ? JSON.stringify(cell) : `${cell < 0 ? "-" : ""}9e999`;
  return JSON.stringify(typeof cell === "string" ? cell : cellText(cell));
}
