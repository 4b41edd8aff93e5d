/** Copies rows of PostgreSQL into an SQLite file. */
import type { Sqlite } from "../../files/connections.ts";
import { rowKey, sqliteCell } from "../cells.ts";
import type { Connection, Parameter } from "../connection.ts";
import type { CopiedTable } from "../tables.ts";

/** Rows fetched at once. */
const pageSize = 5000;

/** A row as SQLite stores it, in the order of the columns of its table. */
export type StoredRow = readonly (bigint | number | string | Buffer | null)[];

/** Which rows to copy: SQL after `from`, in which `r` is the table, and its parameters. */
export interface Selection {
  from: string;
  values: readonly Parameter[];
}

/** Copies rows within one read transaction of PostgreSQL and one transaction of SQLite. */
export class RowCopier {
  /** The number of rows written so far. */
  rows = 0;
  readonly #source: Connection;
  readonly #sqlite: Sqlite;
  readonly #signal: AbortSignal | undefined;

  constructor(source: Connection, sqlite: Sqlite, signal?: AbortSignal) {
    this.#source = source;
    this.#sqlite = sqlite;
    this.#signal = signal;
  }

  /** Copies rows of a table; a row with the same key is replaced. Calls `onRow` for each. */
  async copy(table: CopiedTable, selection?: Selection, onRow?: (row: StoredRow) => void): Promise<void> {
    const marks = table.columns.map(() => "?").join(", ");
    const names = table.columns.map(({ name }) => `"${name}"`).join(", ");
    const insert = this.#sqlite.prepare(`insert or replace into ${table.name} (${names}) values (${marks})`);
    for await (const rows of this.read(table, selection))
      for (const row of rows) {
        this.rows += insert.run(row).changes;
        onRow?.(row);
      }
  }

  /** Makes a table equal to that of PostgreSQL. Writes only what differs. */
  async copyWhole(table: CopiedTable): Promise<void> {
    const { name, columns, key } = table;
    const keyColumns = key.map((column) => `"${column}"`);
    const left = new Set(
      this.#sqlite
        .prepare(`select ${keyColumns.join(", ")} from ${name}`)
        .raw()
        .all()
        .map(keyText),
    );
    const [all, given] = [columns.map((column) => `"${column.name}"`), columns.map(() => "?").join(", ")];
    const set = all.map((column) => `${column} = excluded.${column}`).join(", ");
    const differs = all.map((column) => `${name}.${column} is not excluded.${column}`).join(" or ");
    const upsert = this.#sqlite.prepare(
      `insert into ${name} (${all.join(", ")}) values (${given})
       on conflict (${keyColumns.join(", ")}) do update set ${set} where ${differs}`,
    );
    const remove = this.#sqlite.prepare(
      `delete from ${name} where ${keyColumns.map((one) => `${one} = ?`).join(" and ")}`,
    );
    const keyAt = keyPlaces(table);
    const rows: StoredRow[] = [];
    for await (const page of this.read(table)) rows.push(...page);
    for (const row of rows) left.delete(keyText(keyAt.map((at) => row[at])));
    // First, so that a name that moved to another row is free.
    for (const gone of left) remove.run(JSON.parse(gone));
    for (const row of rows) this.rows += upsert.run(row).changes;
  }

  /** Yields rows of a table, some thousand at a time. */
  async *read(table: CopiedTable, selection?: Selection): AsyncGenerator<StoredRow[], void> {
    const { from, values } = selection ?? { from: `${table.name} r`, values: [] };
    const selected = table.columns.map(({ name }) => `r."${name}"`).join(", ");
    await this.#source.run(`declare copied no scroll cursor for select ${selected} from ${from}`, values);
    const hasOdd = (await this.#source.cells("select 1 from odd_digits where table_name = $1 limit 1", [table.name]))
      .length;
    let fetched: Promise<unknown[][]> | null = this.#fetch();
    while (fetched) {
      const rows: unknown[][] = await fetched;
      const odd = hasOdd ? await this.#oddDigits(table, rows) : null;
      // The next page is on its way while this one is stored.
      fetched = rows.length < pageSize ? null : this.#fetch();
      fetched?.catch(() => {});
      yield rows.map((row) => storedRow(table, row, odd));
      this.#signal?.throwIfAborted();
    }
    await this.#source.run("close copied");
  }

  #fetch(): Promise<unknown[][]> {
    return this.#source.cells(`fetch ${pageSize} from copied`);
  }

  /** Returns the texts of these rows that PostgreSQL keeps apart, by row and column. */
  async #oddDigits(table: CopiedTable, rows: readonly unknown[][]): Promise<Map<string, string>> {
    const keyAt = keyPlaces(table);
    const found = await this.#source.cells(
      "select row_key, column_name, digits from odd_digits where table_name = $1 and row_key = any($2::text[])",
      [table.name, rows.map((row) => rowKey(keyAt.map((at) => row[at])))],
    );
    return new Map(found.map(([row, column, digits]) => [oddKey(row, column), String(digits)]));
  }
}

function storedRow(table: CopiedTable, row: readonly unknown[], odd: Map<string, string> | null): StoredRow {
  if (!odd || odd.size === 0) return row.map((cell, at) => sqliteCell(table.columns[at]?.kind ?? "text", cell));
  const key = rowKey(keyPlaces(table).map((at) => row[at]));
  return table.columns.map(({ name, kind }, at) => sqliteCell(kind, row[at], odd.get(oddKey(key, name))));
}

const oddKey = (row: unknown, column: unknown): string => `${column} ${row}`;

const keyPlaces = ({ columns, key }: CopiedTable): number[] =>
  key.map((name) => columns.findIndex((column) => column.name === name));

const keyText = (cells: unknown): string => JSON.stringify(cells);
