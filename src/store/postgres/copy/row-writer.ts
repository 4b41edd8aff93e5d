/** Writes rows of an SQLite file to PostgreSQL, in batches. */
import { setImmediate } from "node:timers/promises";
import type { Statement } from "better-sqlite3";
import type { Sqlite } from "../../files/connections.ts";
import { arrayTypes, columnArrays, type OddDigits, rowKey, sqliteExpression } from "../cells.ts";
import type { Connection, Parameter } from "../connection.ts";
import type { CopiedTable } from "../tables.ts";

/** Rows of a batch: reading and encoding them takes a few milliseconds, in which nothing else runs. */
const batchSize = 500;

type Row = readonly unknown[];

/** Runs statements in the transaction of a pass. */
export type Target = Pick<Connection, "run" | "cells">;

/** The statements of each connection by their texts: every pass runs the same ones. */
const statements = new WeakMap<Sqlite, Map<string, Statement<unknown[], Row>>>();

/** Returns a statement that returns each row as an array of its cells. It is prepared once for each connection. */
export function prepared(sqlite: Sqlite, text: string): Statement<unknown[], Row> {
  const known = statements.get(sqlite) ?? new Map<string, Statement<unknown[], Row>>();
  statements.set(sqlite, known);
  const found = known.get(text) ?? sqlite.prepare<unknown[], Row>(text).raw();
  known.set(text, found);
  return found;
}

/** The texts that PostgreSQL would change. */
const oddTable: CopiedTable = {
  name: "odd_digits",
  columns: ["table_name", "row_key", "column_name", "digits"].map((name) => ({ name, kind: "text" })),
  key: ["table_name", "row_key", "column_name"],
};

/** A statement that writes, with parameters from $1 on. Statements with different texts have different names. */
export interface Part {
  name: string;
  text: string;
  values: readonly Parameter[];
}

/** Collects what a pass writes, so that a small pass is one statement. The rows are read on a connection that is in a read transaction. */
export class RowWriter {
  /** The number of rows written so far. */
  rows = 0;
  readonly #sqlite: Sqlite;
  readonly #target: Target;
  readonly #signal: AbortSignal | undefined;
  /** The names of the tables that have rows in `odd_digits`. */
  readonly #odd: Set<string>;
  /** Rows that are not written yet, by their keys: one statement cannot write a row twice. */
  readonly #batch = new Map<CopiedTable, Map<unknown, Row>>();
  #size = 0;
  #parts: Part[] = [];

  constructor(sqlite: Sqlite, target: Target, odd: Set<string>, signal?: AbortSignal) {
    this.#sqlite = sqlite;
    this.#target = target;
    this.#odd = odd;
    this.#signal = signal;
  }

  /** Copies the rows that `from` selects, SQL in which `r` is the table; a row with the same key is replaced. Calls `onRow` for each. */
  copy(
    table: CopiedTable,
    from: string,
    values: readonly unknown[] = [],
    onRow?: (row: Row) => unknown,
  ): Promise<void> {
    const selected = table.columns.map((column) => sqliteExpression(column, "r")).join(", ");
    return this.write(table, prepared(this.#sqlite, `select ${selected} from ${from}`).iterate(...values), onRow);
  }

  /** Inserts or replaces rows, at `finish` at the latest. Their cells are those that `sqliteExpression` reads. */
  async write(table: CopiedTable, rows: Iterable<Row>, onRow?: (row: Row) => unknown): Promise<void> {
    const keyOf = keyReader(table);
    for (const row of rows) {
      onRow?.(row);
      const waiting = this.#batch.get(table) ?? new Map<unknown, Row>();
      this.#batch.set(table, waiting.set(keyOf(row), row));
      this.#size += 1;
      if (this.#size < batchSize) continue;
      await this.#flush({ name: "always", text: "select 1", values: [] }, this.#target);
      // Collecting has priority over copying.
      await setImmediate();
    }
  }

  /** Runs a statement, at `finish` at the latest. It must not touch the rows that are written. */
  add(part: Part): void {
    this.#parts.push(part);
  }

  /**
   * Writes what is left and `condition`, in one statement of `connection`, which does nothing where `condition` returns no row. Returns
   * whether it did.
   */
  finish(condition: Part, connection: Pick<Connection, "cells">): Promise<boolean> {
    return this.#flush(condition, connection);
  }

  async #flush(condition: Part, connection: Pick<Connection, "cells">): Promise<boolean> {
    this.#signal?.throwIfAborted();
    const batch = [...this.#batch].map(([table, rows]) => [table, [...rows.values()]] as const);
    const odd: OddDigits[] = [];
    const parts = [condition, ...this.#parts, ...batch.map(([table, rows]) => insertInto(table, rows, odd))];
    this.#batch.clear();
    [this.#size, this.#parts] = [0, []];
    await this.#forgetOdd(batch);
    if (odd.length > 0) parts.push(insertInto(oddTable, odd, []));
    for (const [name] of odd) this.#odd.add(name);
    const [[found] = []] = await connection.cells(
      statementOf(parts),
      parts.flatMap(({ values }) => values),
    );
    for (const [, rows] of batch) this.rows += rows.length;
    return found === 1;
  }

  /** Deletes what was kept of rows before they are replaced. */
  async #forgetOdd(batch: readonly (readonly [CopiedTable, readonly Row[]])[]): Promise<void> {
    for (const [table, rows] of batch.filter(([{ name }]) => this.#odd.has(name))) {
      const cellsOf = keyCells(table);
      await this.#target.run("delete from odd_digits where table_name = $1 and row_key = any($2::text[])", [
        table.name,
        rows.map((row) => rowKey(cellsOf(row))),
      ]);
    }
  }
}

/** Returns a function that returns the cells of the primary key of a row. */
function keyCells({ columns, key }: CopiedTable): (row: Row) => (string | number)[] {
  const keyAt = key.map((of) => columns.findIndex((column) => column.name === of));
  return (row) => keyAt.map((at) => row[at] as string | number);
}

/** Returns a function that returns a value that identifies a row of the table. */
function keyReader(table: CopiedTable): (row: Row) => unknown {
  const [cellsOf, only] = [keyCells(table), table.columns.findIndex(({ name }) => name === table.key[0])];
  return table.key.length === 1 ? (row) => row[only] : (row) => cellsOf(row).join("\0");
}

const texts = new Map<string, string>();

/** Returns the statement that runs all parts and returns the number of rows of the first one, which the others call `condition`. */
function statementOf(parts: readonly Part[]): string {
  const names = parts.map(({ name }) => name).join(" ");
  let before = 0;
  const numbered = ({ text, values }: Part) => {
    const from = before;
    before += values.length;
    return text.replace(/\$(\d+)/g, (_, n) => `$${from + Number(n)}`);
  };
  const text =
    texts.get(names) ??
    `with ${parts.map((part, at) => `${at === 0 ? "condition" : `part_${at}`} as (${numbered(part)})`)}
     select count(*) from condition`;
  texts.set(names, text);
  return text;
}

/** Returns the statement that inserts or replaces rows. Adds what PostgreSQL would change to `odd`. */
function insertInto(table: CopiedTable, rows: readonly Row[], odd: OddDigits[]): Part {
  const { name, columns, key } = table;
  const names = columns.map((column) => `"${column.name}"`);
  const arrays = columns.map(({ kind }, at) => `$${at + 1}::${arrayTypes[kind]}`);
  const set = columns
    .filter((column) => !key.includes(column.name))
    .map((column) => `"${column.name}" = excluded."${column.name}"`);
  const text = `insert into ${name} (${names}) select * from unnest(${arrays}) where exists (select from condition)
    on conflict (${key}) do ${set.length > 0 ? `update set ${set}` : "nothing"}`;
  return { name, text, values: columnArrays(table, rows, odd) };
}

/** The rows of a table after the last pass, by their keys. */
export type Contents = Map<unknown, Row>;

/** Makes a small table equal to that of SQLite. `known` has its rows after the last pass, and then those of now; where it is missing, all are written. Returns them. */
export async function writeWhole(
  { sqlite, target, writer }: { sqlite: Sqlite; target: Target; writer: RowWriter },
  table: CopiedTable,
  known: Contents | undefined,
): Promise<Contents> {
  const { name, columns, key } = table;
  const selected = columns.map((column) => sqliteExpression(column, "r")).join(", ");
  const rows = prepared(sqlite, `select ${selected} from ${name} r`).all();
  const keyOf = keyReader(table);
  const contents: Contents = known ?? new Map();
  const changed: Row[] = [];
  for (const row of rows) {
    const of = keyOf(row);
    if (contents.get(of)?.every((cell, at) => cell === row[at])) continue;
    contents.set(of, row);
    changed.push(row);
  }
  if (known === undefined) await target.run(`delete from ${name}`);
  if (contents.size > rows.length) {
    const [present, cellsOf] = [new Set(rows.map(keyOf)), keyCells(table)];
    // First, so that a name that moved to another row is free.
    for (const [of, row] of [...contents].filter(([of]) => !present.has(of))) {
      contents.delete(of);
      await target.run(
        `delete from ${name} where ${key.map((column, at) => `"${column}" = $${at + 1}`).join(" and ")}`,
        cellsOf(row),
      );
    }
  }
  await writer.write(table, changed);
  return contents;
}
