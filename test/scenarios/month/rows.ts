/** Converts rows to text, so that thousands from two sources can be compared. */
import type { Cell } from "../../../src/core/domain.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Returns one line of text per row. */
export const lines = (rows: readonly object[], columns: readonly string[]): string[] =>
  rows.map((row) => JSON.stringify(columns.map((name) => (row as Row)[name] ?? null)));

export const sorted = (rows: readonly object[], columns: readonly string[]): string[] => lines(rows, columns).sort();

export const plain = (cell: Cell): unknown => (typeof cell === "bigint" ? Number(cell) : cell);

export const asRow = (columns: readonly string[], cells: readonly Cell[]): Row =>
  Object.fromEntries(columns.map((name, at) => [name, plain(cells[at] ?? null)]));
