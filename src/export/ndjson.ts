/** Rows as JSON objects, a line each. */
import { type Cell, cellText } from "../store/query.ts";

/** What makes a JSON object of a row, its names in the order of the columns. */
export function objectText(columns: readonly string[]): (row: readonly Cell[]) => string {
  const object = objectOf(columns);
  return (row) => object(row.map(jsonCell));
}

/** The same of cells that are JSON already. */
export function objectOf(columns: readonly string[]): (cells: readonly string[]) => string {
  const names = columns.map((name) => JSON.stringify(name));
  return (cells) => `{${cells.map((cell, at) => `${names[at]}:${cell}`).join(",")}}`;
}

/** Integers keep all their digits; JSON has no word for infinity, and readers take this one for it. */
export function jsonCell(cell: Cell): string {
  if (cell === null) return "null";
  if (typeof cell === "bigint") return String(cell);
  if (typeof cell === "number") return Number.isFinite(cell) ? JSON.stringify(cell) : `${cell < 0 ? "-" : ""}9e999`;
  return JSON.stringify(typeof cell === "string" ? cell : cellText(cell));
}
