/** Writes rows of an SQLite file to PostgreSQL, in batches. */
import { setImmediate } from "node:timers/promises";
import type { Statement } from "better-sqlite3";
import type { Sqlite } from "../../files/connections.ts";
import { arrayTypes, columnArrays, type OddDigits, rowKey, sqliteExpression } from "../cells.ts";
import type { Connection } from "../connection.ts";
import type { CopiedTable } from "../tables.ts";

/** Rows of a batch: reading and encoding them takes a few milliseconds, in which nothing else runs. */
const batchSize = 500;

type Row = readonly unknown[];

/** The statements of each connection by their texts: every pass runs the same ones. */
const statements = new WeakMap<Sqlite, Map<string, Statement>>();

function prepared(sqlite: Sqlite, text: string): Statement {
  const known = statements.get(sqlite) ?? new Map<string, Statement>();
  statements.set(sqlite, known);
  const found = known.get(text) ?? sqlite.prepare(text).raw();
  known.set(text, found);
  return found;
}

/** Returns the columns of a table for SQL. */
const namesOf = ({ columns }: CopiedTable): string => columns.map(({ name }) => `"${name}"`).join(", ");

/** Writes within one transaction of PostgreSQL; the rows are read on a connection that is in a read transaction. */
export class RowWriter {
  /** The number of rows written so far. */
  rows = 0;
  readonly #sqlite: Sqlite;
  readonly #target: Connection;
  readonly #signal: AbortSignal | undefined;
  /** The tables that have rows in `odd_digits`. */
  readonly #odd: Set<string>;

  private constructor(sqlite: Sqlite, target: Connection, odd: Set<string>, signal: AbortSignal | undefined) {
    this.#sqlite = sqlite;
    this.#target = target;
    this.#odd = odd;
    this.#signal = signal;
  }

  static async open(sqlite: Sqlite, target: Connection, signal?: AbortSignal): Promise<RowWriter> {
    const odd = await target.cells("select distinct table_name from odd_digits");
    return new RowWriter(sqlite, target, new Set(odd.map(([name]) => String(name))), signal);
  }

  /** Copies the rows that `from` selects, SQL in which `r` is the table; a row with the same key is replaced. Calls `onRow` for each. */
  async copy(table: CopiedTable, from: string, values: readonly unknown[] = [], onRow?: (row: Row) => void) {
    const selected = table.columns.map((column) => sqliteExpression(column, "r")).join(", ");
    const rows = prepared(this.#sqlite, `select ${selected} from ${from}`).iterate(...values) as Iterable<Row>;
    let batch: Row[] = [];
    for (const row of rows) {
      onRow?.(row);
      batch.push(row);
      if (batch.length < batchSize) continue;
      await this.write(table, batch);
      batch = [];
      // Collecting has priority over copying.
      await setImmediate();
    }
    await this.write(table, batch);
  }

  /** Inserts or replaces rows, whose cells are those that `sqliteExpression` reads. */
  async write(table: CopiedTable, rows: readonly Row[]): Promise<void> {
    this.#signal?.throwIfAborted();
    if (rows.length === 0) return;
    const { name, columns, key } = table;
    const odd: OddDigits[] = [];
    const arrays = columnArrays(table, rows, odd);
    const parameters = columns.map(({ kind }, at) => `$${at + 1}::${arrayTypes[kind]}`).join(", ");
    const rest = columns.filter((column) => !key.includes(column.name)).map((column) => `"${column.name}"`);
    const set = rest.map((column) => `${column} = excluded.${column}`).join(", ");
    await this.#target.run(
      `insert into ${name} (${namesOf(table)}) select * from unnest(${parameters})
       on conflict (${key.join(", ")}) do ${rest.length > 0 ? `update set ${set}` : "nothing"}`,
      arrays,
    );
    await this.#writeOdd(table, rows, odd);
    this.rows += rows.length;
  }

  /** Keeps what PostgreSQL changes of these rows, in place of what was kept of them before. */
  async #writeOdd({ name, columns, key }: CopiedTable, rows: readonly Row[], odd: readonly OddDigits[]): Promise<void> {
    if (this.#odd.has(name)) {
      const keyAt = key.map((of) => columns.findIndex((column) => column.name === of));
      await this.#target.run("delete from odd_digits where table_name = $1 and row_key = any($2::text[])", [
        name,
        rows.map((row) => rowKey(keyAt.map((at) => row[at]))),
      ]);
    }
    if (odd.length === 0) return;
    this.#odd.add(name);
    await this.#target.run(
      "insert into odd_digits select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])",
      [0, 1, 2, 3].map((at) => odd.map((cells) => cells[at] ?? "")),
    );
  }
}

/** What a table contained after the last pass, as text by the text of its key. */
export type Contents = Map<string, string>;

/** Makes a small table equal to that of SQLite. Without `known`, its contents after the last pass, all of it is written. Returns its contents. */
export async function writeWhole(
  { sqlite, target, writer }: { sqlite: Sqlite; target: Connection; writer: RowWriter },
  table: CopiedTable,
  known: Contents | undefined,
): Promise<Contents> {
  const { name, columns, key } = table;
  const selected = columns.map((column) => sqliteExpression(column, "r")).join(", ");
  const rows = prepared(sqlite, `select ${selected} from ${name} r`).all() as Row[];
  const keyAt = key.map((of) => columns.findIndex((column) => column.name === of));
  const found: Contents = new Map();
  const changed: Row[] = [];
  for (const row of rows) {
    const [at, text] = [JSON.stringify(keyAt.map((of) => row[of])), JSON.stringify(row)];
    found.set(at, text);
    if (known?.get(at) !== text) changed.push(row);
  }
  if (known === undefined) await target.run(`delete from ${name}`);
  // First, so that a name that moved to another row is free.
  for (const gone of known?.keys() ?? [])
    if (!found.has(gone))
      await target.run(
        `delete from ${name} where ${key.map((of, at) => `"${of}" = $${at + 1}`).join(" and ")}`,
        JSON.parse(gone),
      );
  for (let from = 0; from < changed.length; from += batchSize)
    await writer.write(table, changed.slice(from, from + batchSize));
  return found;
}
