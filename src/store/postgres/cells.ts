/** Converts cells of SQLite to parameters of PostgreSQL, and back, so that every digit returns as it was. */
import { idSql, packDigits, packId, unpackHex } from "../schema/encoding.ts";
import type { CellKind, CopiedColumn, CopiedTable } from "./tables.ts";

/** Digits that `numeric` keeps as they are: no sign of zero, no zeros in front. */
const plain = /^(?!-0(\.0*)?$)-?(0|[1-9]\d*)(\.\d+)?$/;

/** Returns whether `numeric` would change the digits, as it changes -0.00 and 00.5. They are kept in `odd_digits` as well. */
export const isOdd = (digits: string): boolean => !plain.test(digits);

/** A row of `odd_digits`. */
export type OddDigits = readonly [table: string, rowKey: string, column: string, digits: string];

/** Returns what identifies a row of a table in `odd_digits`; `cells` are those of its primary key. */
export const rowKey = (cells: readonly unknown[]): string => cells.join(" ");

/** Returns the SQL expression that reads a column of SQLite: bytes and packed digits as hex, which is faster to read than a blob. */
export function sqliteExpression({ name, kind }: CopiedColumn, alias: string): string {
  const column = `${alias}."${name}"`;
  if (kind === "id") return idSql(column);
  return kind === "digits" || kind === "bytes" ? `nullif(hex(${column}), '')` : column;
}

/** The type of an array of such cells. */
export const arrayTypes: Readonly<Record<CellKind, string>> = {
  integer: "bigint[]",
  text: "text[]",
  digits: "numeric[]",
  bytes: "bytea[]",
  id: "text[]",
};

/**
 * Returns the columns of rows as arrays of PostgreSQL, one per column of the table, and adds what PostgreSQL would change to `odd`. The
 * cells are those that `sqliteExpression` reads. Throws a RangeError naming the row where a text cannot be stored.
 */
export function columnArrays(table: CopiedTable, rows: readonly (readonly unknown[])[], odd: OddDigits[]): string[] {
  const keyAt = table.key.map((name) => table.columns.findIndex((column) => column.name === name));
  return table.columns.map(({ name, kind }, at) => {
    const keep = (row: readonly unknown[], digits: string) =>
      odd.push([table.name, rowKey(keyAt.map((of) => row[of])), name, digits]);
    const cells = rows.map((row) => {
      const cell = row[at] as string | number | null;
      if (cell === null) return "NULL";
      if (kind === "integer") return cell;
      if (kind === "bytes") return `"\\\\x${cell}"`;
      if (kind === "digits") {
        const digits = unpackHex(String(cell));
        if (isOdd(digits)) keep(row, digits);
        return digits;
      }
      return quoted(storable(table.name, name, String(cell), (original) => keep(row, original)));
    });
    return `{${cells.join(",")}}`;
  });
}

const quoted = (text: string): string => `"${/["\\]/.test(text) ? text.replace(/["\\]/g, "\\$&") : text}"`;

/**
 * Returns a text as PostgreSQL can store it. It cannot store U+0000: in a message of an error U+FFFD takes its place, and `keep` receives the
 * original as JSON. Throws a RangeError where it is in any other text.
 */
export function storable(table: string, column: string, text: string, keep: (original: string) => void): string {
  if (!text.includes("\0")) return text;
  if (column !== "error_message")
    throw new RangeError(`PostgreSQL cannot store the character U+0000, which is in ${table}.${column}`);
  keep(JSON.stringify(text));
  return text.replaceAll("\0", "\ufffd");
}

/** Returns a cell of PostgreSQL as SQLite stores it. `original` is its text in `odd_digits`, where it has one. */
export function sqliteCell(kind: CellKind, cell: unknown, original?: string): bigint | number | string | Buffer | null {
  if (kind === "digits") return cell === null ? null : packDigits(original ?? String(cell));
  if (kind === "text" && original !== undefined) return JSON.parse(original) as string;
  if (kind === "id") return cell === null ? null : packId(String(cell));
  return cell as number | string | Buffer | null;
}
