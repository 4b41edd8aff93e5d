/** Reads the rows of the reconciliation as they are stored, and compares them with expected ones. */
import { packDigits, unpackHex } from "../../schema/encoding.ts";
import type { Sqlite } from "../../sqlite/database.ts";

/** A row by its columns; packed digits are in hex, so that every alteration of them differs. */
export type Row = Record<string, string | number | null>;

/** Returns digits as rows have them. */
export const hexOf = (digits: string): string => packDigits(digits).toString("hex").toUpperCase();

const packed = new Set(["opening", "change", "closing", "residual", "balance", "settled_balance"]);

/** Reads rows. `columns` are those to compare, with the key first. */
export const readRows = (sqlite: Sqlite, table: string, columns: readonly string[], where: string, values: unknown[]) =>
  sqlite
    .prepare<unknown[], Row>(
      `select ${columns.map((name) => (packed.has(name) ? `nullif(hex(${name}), '') as ${name}` : name)).join(", ")}
       from ${table} where ${where} order by 1, 2`,
    )
    .all(...values);

/** Returns the digits of a cell; an altered one may not be a number. */
export const digitsOf = (cell: string): string => unpackHex(cell);

/** Returns one text for each row that differs, is missing, or is one too many. Rows are matched by their first column, or by `key`. */
export function differences(
  table: string,
  stored: readonly Row[],
  expected: readonly Row[],
  key = Object.keys(stored[0] ?? expected[0] ?? {})[0] ?? "",
): string[] {
  const left = new Map(stored.map((row) => [row[key] ?? null, row]));
  const problems: string[] = [];
  for (const row of expected) {
    const found = left.get(row[key] ?? null);
    left.delete(row[key] ?? null);
    const column = found && Object.keys(row).find((name) => row[name] !== found[name]);
    if (!found) problems.push(`at ${placeText(row[key])} (${table}): has no row`);
    else if (column !== undefined)
      problems.push(
        `at ${placeText(row[key])} (${table}.${column}): is ${cellText(column, found)}, expected ${cellText(column, row)}`,
      );
  }
  return [...problems, ...[...left.keys()].map((at) => `at ${placeText(at)} (${table}): has a row, expected none`)];
}

/** Returns epoch ms as ISO 8601, and other keys as they are. */
export const placeText = (key: Row[string] | undefined): string =>
  typeof key === "number" && Math.abs(key) <= 8.64e15 ? new Date(key).toISOString() : String(key);

function cellText(column: string, row: Row): string {
  const value = row[column] ?? null;
  return packed.has(column) && typeof value === "string" ? unpackHex(value) : String(value);
}
