/** Rows as JSON objects, a line each. */
import { type Cell, cellText } from "../core/domain.ts";

/** What makes a JSON object of a row, its names in the order of the columns. */
export function objectText(columns: readonly string[]): (row: readonly Cell[]) => string {
  const names = columns.map((name) => JSON.stringify(name));
  return (row) => `{${row.map((cell, at) => `${names[at]}:${jsonCell(cell)}`).join(",")}}`;
}

/** A cell as a member of such an object. */
export const jsonMember = (cell: Cell, column: string): string => `${JSON.stringify(column)}:${jsonCell(cell)}`;

/** Integers keep all their digits; JSON has no word for infinity, and readers take this one for it. */
export function jsonCell(cell: Cell): string {
  if (cell === null) return "null";
  if (typeof cell === "bigint") return String(cell);
  if (typeof cell === "number") return Number.isFinite(cell) ? JSON.stringify(cell) : `${cell < 0 ? "-" : ""}9e999`;
  return JSON.stringify(typeof cell === "string" ? cell : cellText(cell));
}
