/** Brings a history in PostgreSQL to the state of an SQLite file, without any of the program's own copying, and compares files. */
import Database from "better-sqlite3";
import { expect } from "vitest";
import type { AnyDataset } from "../../../src/datasets/incremental.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { arrayTypes, columnArrays, type OddDigits, sqliteExpression } from "../../../src/store/postgres/cells.ts";
import type { Connection, Postgres } from "../../../src/store/postgres/connection.ts";
import { type CopiedTable, copiedTables } from "../../../src/store/postgres/tables.ts";
import { sharedViews } from "../../../src/store/postgres/views.ts";
import { query } from "../kit.ts";

export const tables = copiedTables(datasets);

/** Replaces the whole content of a history in PostgreSQL by that of a file. */
export async function fill(postgres: Postgres, path: string, all: readonly AnyDataset[] = datasets): Promise<void> {
  const tables = copiedTables(all);
  const sqlite = new Database(path, { readonly: true });
  try {
    await postgres.transaction(async (connection) => {
      await connection.run("set constraints all deferred");
      await connection.run("set session_replication_role = replica");
      await connection.run(`truncate ${[...tables.map(({ name }) => name), "odd_digits"].join(", ")}`);
      const odd: OddDigits[] = [];
      for (const table of tables) await fillTable(connection, sqlite, table, odd);
      for (const row of odd) await connection.run("insert into odd_digits values ($1, $2, $3, $4)", [...row]);
      await connection.run("set session_replication_role = origin");
    });
  } finally {
    sqlite.close();
  }
}

async function fillTable(connection: Connection, sqlite: Database.Database, table: CopiedTable, odd: OddDigits[]) {
  const { name, columns } = table;
  const rows = sqlite
    .prepare(`select ${columns.map((column) => sqliteExpression(column, "r")).join(", ")} from ${name} r`)
    .raw()
    .all();
  if (rows.length === 0) return;
  const parameters = columns.map(({ kind }, at) => `$${at + 1}::${arrayTypes[kind]}`);
  await connection.run(
    `insert into ${name} (${columns.map((one) => `"${one.name}"`).join(", ")}) select * from unnest(${parameters.join(", ")})`,
    columnArrays(table, rows as unknown[][], odd),
  );
}

/** Returns every row of every table of a history, as text. */
export function contentsOf(path: string, all: readonly AnyDataset[] = datasets): Record<string, string[]> {
  const sqlite = new Database(path, { readonly: true });
  try {
    return Object.fromEntries(
      copiedTables(all).map(({ name, key, columns }) => [
        name,
        sqlite
          .prepare(
            `select ${columns.map((one) => `quote("${one.name}")`).join(" || '|' || ")} from ${name}
             order by ${key.map((one) => `"${one}"`).join(", ")}`,
          )
          .pluck()
          .all() as string[],
      ]),
    );
  } finally {
    sqlite.close();
  }
}

/** Expects that views, by default all, show the same rows in PostgreSQL as in the file. */
export async function expectSameViews(
  postgres: Postgres,
  path: string,
  views: readonly string[] = sharedViews(datasets),
): Promise<void> {
  for (const view of views) {
    const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(lines(await postgres.query<object>(`select * from ${view}`)), view).toEqual(
      lines(query(path, `select * from ${view}`)),
    );
  }
}
