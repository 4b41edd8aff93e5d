/**
 * Defines the tables of a history in PostgreSQL: those of SQLite with the same names, columns and keys, and those that only
 * PostgreSQL has. They are derived, so that a new dataset or column is declared once.
 */
import { SQL } from "drizzle-orm";
import {
  bigint,
  customType,
  index,
  type PgColumn,
  pgTable,
  primaryKey,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { getTableConfig, type Index, type SQLiteColumn, type SQLiteTable } from "drizzle-orm/sqlite-core";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { alert, alertFigure, alertMessage } from "../schema/alert-tables.ts";
import { episode } from "../schema/derived/episode-table.ts";
import { ledgerTables } from "../schema/derived/ledger-tables.ts";
import { reading, recordTableOf } from "../schema/record-layout.ts";
import * as shared from "../schema/tables.ts";

/** How a cell is stored: in SQLite as an integer, text, packed digits, a blob or an id (an integer or text); in PostgreSQL as bigint, text, numeric, bytea or text. */
export type CellKind = "integer" | "text" | "digits" | "bytes" | "id";

export interface CopiedColumn {
  name: string;
  kind: CellKind;
}

/** A table that both databases have. */
export interface CopiedTable {
  name: string;
  columns: readonly CopiedColumn[];
  /** The columns of the primary key. */
  key: readonly string[];
}

/** Returns the SQLite tables of a history, each after those that it refers to. */
export function sqliteTables(datasets: readonly AnyDataset[]): SQLiteTable[] {
  const { account, accountMode, series, schedule, scope, run, gap, snapshot, link, pruned, dailyRange, worker } =
    shared;
  const snapshots = datasets.filter((one) => one.mode === "snapshot").map(shared.tablesOf);
  const records = datasets.filter((one) => one.mode === "incremental").map(recordTableOf);
  return [
    ...[account, accountMode, series, schedule, scope, worker, run, gap, snapshot, link, pruned, dailyRange],
    ...snapshots.flatMap(({ item, steady, moving, extra }) => [item, steady, ...(moving ? [moving] : []), extra]),
    ...(records.length > 0 ? [reading, ...records] : []),
    ...ledgerTables,
    ...[episode, alert, alertMessage, alertFigure],
  ];
}

/** Returns the tables that both databases have. */
export const copiedTables = (datasets: readonly AnyDataset[]): CopiedTable[] => sqliteTables(datasets).map(copiedTable);

/** Returns the description of a table that both databases have. */
export function copiedTable(table: SQLiteTable): CopiedTable {
  const { name, columns, primaryKeys } = getTableConfig(table);
  return {
    name,
    columns: columns.map((column) => ({ name: column.name, kind: kindOf(column) })),
    key: [...columns.filter(({ primary }) => primary), ...primaryKeys.flatMap((key) => key.columns)].map(
      (column) => column.name,
    ),
  };
}

function kindOf(column: SQLiteColumn): CellKind {
  const type = column.getSQLType();
  if (type === "integer" || type === "text") return type;
  if (type === "any") return "id";
  return column.columnType === "SQLiteCustomColumn" ? "digits" : "bytes";
}

const type = (name: string) => customType<{ data: string }>({ dataType: () => name });
// Sorted by bytes, as in SQLite.
const text = type('text collate "C"');
const cells = {
  integer: (name: string) => bigint(name, { mode: "number" }),
  text,
  digits: type("numeric"),
  bytes: type("bytea"),
  id: text,
};

/** Returns the tables for drizzle-kit, by name. */
export function postgresTables(datasets: readonly AnyDataset[]) {
  const derived = sqliteTables(datasets).map((table) => [getTableConfig(table).name, derivedTable(table)] as const);
  return Object.fromEntries([...derived, ["odd_digits", oddDigits], ["shipped", shipped]]);
}

type Columns = [PgColumn, ...PgColumn[]];

function derivedTable(table: SQLiteTable) {
  const { name, columns, indexes, uniqueConstraints, primaryKeys } = getTableConfig(table);
  const own = columns.map((column) => [column.name, derivedColumn(column)] as const);
  // How long a run may take: what is running longer has no process any more.
  const added = name === "run" ? [["deadline", cells.integer("deadline")] as const] : [];
  return pgTable(name, Object.fromEntries([...own, ...added]), (all) => {
    const those = (found: readonly { name: string }[]) =>
      found.flatMap((column) => all[column.name] ?? []) as unknown as Columns;
    return [
      ...primaryKeys.map((key) => primaryKey({ columns: those(key.columns) })),
      ...uniqueConstraints.map((one) => unique(one.name).on(...those(one.columns))),
      ...columns.filter(({ isUnique }) => isUnique).map((one) => unique(one.uniqueName).on(...those([one]))),
      ...indexes.map((one) => derivedIndex(one, those)),
      // SQLite has one chain per file, and needs no index.
      ...(name === "link" ? [index("link_chain").on(...those([{ name: "chain" }, { name: "id" }]))] : []),
    ];
  });
}

function derivedColumn(column: SQLiteColumn) {
  const cell = cells[kindOf(column)](column.name);
  if (!column.primary) {
    const stored = column.notNull ? cell.notNull() : cell;
    return column.default === undefined ? stored : stored.default(column.default as never);
  }
  // A copy has the ids of the original; a recorder gets new ones.
  return column.name === "id" ? cells.integer("id").primaryKey().generatedByDefaultAsIdentity() : cell.primaryKey();
}

function derivedIndex({ config }: Index, those: (found: readonly { name: string }[]) => Columns) {
  const columns = those(config.columns.flatMap((column) => (column instanceof SQL ? [] : [column])));
  const made = (config.unique ? uniqueIndex : index)(config.name).on(...columns);
  return config.where ? made.where(config.where) : made;
}

/**
 * The digits that `numeric` changes, such as -0 and 00.5, and texts that PostgreSQL cannot store; described in cells.ts. `row_key` is the
 * cells of the primary key with blanks in between.
 */
const oddDigits = pgTable(
  "odd_digits",
  {
    table_name: text().notNull(),
    row_key: text().notNull(),
    column_name: text().notNull(),
    digits: text().notNull(),
  },
  (all) => [primaryKey({ columns: [all.table_name, all.row_key, all.column_name] })],
);

/** How far an SQLite history was copied: the last link and its digest, and the last snapshot. One row; none in what a recorder wrote. */
const shipped = pgTable("shipped", {
  id: cells.integer("id").primaryKey(),
  link: cells.integer("link").notNull(),
  snapshot: cells.integer("snapshot").notNull(),
  head: cells.bytes("head").notNull(),
  /** When the state that was copied was read, epoch ms. */
  at: cells.integer("at").notNull(),
});
