/** Inserts rows into the tables of a history, many with one statement. */
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { isPlain } from "../../../core/decimal.ts";
import type { Value } from "../../../core/domain.ts";
import { arrayTypes, isOdd, type OddDigits, rowKey } from "../cells.ts";
import type { Connection, Parameter } from "../connection.ts";
import { type CopiedColumn, type CopiedTable, copiedTable } from "../tables.ts";

/** A cell: amounts are their digits, times and flags integers. */
export type RowCell = string | number | Buffer | null;

const tables = new WeakMap<SQLiteTable, CopiedTable>();

/** Returns the description of a table, which is computed once. */
export function tableOf(table: SQLiteTable): CopiedTable {
  const known = tables.get(table) ?? copiedTable(table);
  tables.set(table, known);
  return known;
}

/** Returns rows as the parameters of `unnest`, one array per column, and the list of their types. */
export const unnested = (columns: readonly CopiedColumn[], rows: readonly (readonly RowCell[])[]) => ({
  values: columns.map((_, at): Parameter => rows.map((row) => row[at] ?? null)),
  list: columns.map(({ kind }, at) => `$${at + 1}::${arrayTypes[kind]}`).join(", "),
});

/** Throws a RangeError with the name of the cell where PostgreSQL cannot store a value unchanged. */
export function requireStorable(value: Value, isAmount: boolean, name: string): void {
  if (typeof value !== "string") return;
  if (isAmount && !isPlain(value))
    throw new RangeError(`${name}: not a decimal number: ${JSON.stringify(value.slice(0, 40))}`);
  if (value.includes("\0")) throw new RangeError(`${name}: has the character U+0000, which PostgreSQL cannot store`);
}

/** Returns a message as PostgreSQL can store it: without the character U+0000. */
export const withoutNul = (message: string): string => message.replaceAll("\0", "\ufffd");

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

/** Inserts rows; `names` are the columns of their cells. Amounts that `numeric` would change are kept in `odd_digits` as well. */
export async function insertRows(
  to: Connection,
  sqliteTable: SQLiteTable,
  names: readonly string[],
  rows: readonly (readonly RowCell[])[],
): Promise<void> {
  if (rows.length === 0) return;
  const table = tableOf(sqliteTable);
  const { values, list } = unnested(columnsOf(table, names), rows);
  await to.run(`insert into ${table.name} (${quoted(names)}) select * from unnest(${list})`, values);
  await keepOddDigits(to, oddDigitsOf(table, names, rows));
}

/** Inserts rows and returns their new ids in the order of the rows. */
export async function insertWithIds(
  to: Connection,
  sqliteTable: SQLiteTable,
  names: readonly string[],
  rows: readonly (readonly RowCell[])[],
): Promise<number[]> {
  if (rows.length === 0) return [];
  const table = tableOf(sqliteTable);
  const { values, list } = unnested(columnsOf(table, names), rows);
  const inserted = await to.query<{ id: number }>(
    `insert into ${table.name} (${quoted(names)})
     select ${quoted(names)} from unnest(${list}) with ordinality as given(${quoted(names)}, ordinality) order by ordinality
     returning id`,
    values,
  );
  // An identity grows in the order of the rows.
  return inserted.map(({ id }) => id).sort((one, other) => one - other);
}

function columnsOf(table: CopiedTable, names: readonly string[]): CopiedColumn[] {
  return names.map((name) => {
    const column = table.columns.find((one) => one.name === name);
    if (!column) throw new Error(`${table.name} has no column ${name}`);
    return column;
  });
}

/** Returns the amounts of rows that `numeric` would change. */
export function oddDigitsOf(
  table: CopiedTable,
  names: readonly string[],
  rows: readonly (readonly RowCell[])[],
): OddDigits[] {
  const amounts = columnsOf(table, names).flatMap(({ name, kind }, at) => (kind === "digits" ? [{ name, at }] : []));
  const keyAt = table.key.map((name) => names.indexOf(name));
  return rows.flatMap((row) =>
    amounts.flatMap(({ name, at }) => {
      const digits = row[at];
      if (typeof digits !== "string" || !isOdd(digits)) return [];
      return [[table.name, rowKey(keyAt.map((of) => row[of])), name, digits] as const];
    }),
  );
}

/** Keeps amounts that `numeric` changes. */
export async function keepOddDigits(to: Connection, odd: readonly OddDigits[]): Promise<void> {
  if (odd.length === 0) return;
  const columns = [0, 1, 2, 3].map((at) => odd.map((one) => one[at] ?? null));
  await to.run(
    `insert into odd_digits (table_name, row_key, column_name, digits)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])`,
    columns,
  );
}

/** Returns a function that gives the original digits of an amount of one of these rows, `stored` where `numeric` did not change it. */
export async function oddDigitsIn(
  from: Connection,
  rows: readonly (readonly [table: string, rowKey: string])[],
): Promise<(table: string, key: string, column: string, stored: string | null) => string | null> {
  const found = await from.cells(
    `select o.table_name, o.row_key, o.column_name, o.digits
     from (select distinct * from unnest($1::text[], $2::text[])) as given(table_name, row_key)
       join odd_digits o using (table_name, row_key)`,
    [rows.map(([table]) => table), rows.map(([, key]) => key)],
  );
  const digits = new Map(found.map((cells) => [cells.slice(0, 3).join("\n"), String(cells[3])]));
  return (table, key, column, stored) => digits.get([table, key, column].join("\n")) ?? stored;
}
