/**
 * Defines the tables. History is stored by validity: a row is in force from the snapshot `since` until a later row of the same
 * item. Columns that rarely change (`steady`), columns that change in nearly every snapshot (`moving`) and unknown fields
 * (`extra`) have tables of their own, so that a change of one part does not store the others again.
 */
import { sql } from "drizzle-orm";
import { blob, index, integer, primaryKey, sqliteTable, text, unique, uniqueIndex } from "drizzle-orm/sqlite-core";
import { snakeCase } from "../../core/columns.ts";
import type { ApiVersion, DatasetName, RunState } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { columnTypeOf, packedDigits } from "./encoding.ts";

export const account = sqliteTable("account", {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
});

/** Each change of the API version that an account uses; the last one is in force. */
export const accountMode = sqliteTable("account_mode", {
  id: integer().primaryKey(),
  accountId: integer("account_id")
    .notNull()
    .references(() => account.id),
  since: integer().notNull(),
  api: text().$type<ApiVersion>().notNull(),
  cause: text().notNull(),
});

/** One dataset of one account. `accounted_to` is its watermark: every due slot up to it has a row in `run`. */
export const series = sqliteTable(
  "series",
  {
    id: integer().primaryKey(),
    accountId: integer("account_id")
      .notNull()
      .references(() => account.id),
    dataset: text().$type<DatasetName>().notNull(),
    processedThrough: integer("accounted_to"),
  },
  (table) => [unique("series_name").on(table.accountId, table.dataset)],
);

/** The cron patterns of a series; the one without `until` is in force. */
export const schedule = sqliteTable(
  "schedule",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id),
    since: integer().notNull(),
    pattern: text().notNull(),
    until: integer(),
  },
  (table) => [primaryKey({ columns: [table.seriesId, table.since] })],
);

/**
 * One scope of a series. `product_type` is '' for the whole account, because UNIQUE treats NULLs as distinct. `latest` is the last
 * good snapshot; `until` is when the scope stopped being requested.
 */
export const scope = sqliteTable(
  "scope",
  {
    id: integer().primaryKey(),
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id),
    productType: text("product_type").notNull(),
    latest: integer(),
    until: integer(),
  },
  (table) => [unique("scope_name").on(table.seriesId, table.productType)],
);

/**
 * The run ledger: one row per due slot. A run started at slot + late_ms and finished took_ms later. `worker` is the process that ran it
 * if several share one PostgreSQL, null otherwise.
 */
export const run = sqliteTable(
  "run",
  {
    id: integer().primaryKey(),
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id),
    slot: integer().notNull(),
    state: text().$type<RunState>().notNull(),
    cause: text(),
    lateMs: integer("late_ms"),
    tookMs: integer("took_ms"),
    requests: integer(),
    retries: integer(),
    rows: integer(),
    spreadMs: integer("spread_ms"),
    skewMs: integer("skew_ms"),
    worker: text(),
  },
  (table) => [
    uniqueIndex("run_slot").on(table.seriesId, table.slot),
    index("run_without_snapshot")
      .on(table.seriesId, table.slot)
      .where(sql.raw("state in ('missed', 'skipped', 'failed')")),
    index("run_running").on(table.id).where(sql.raw("state = 'running'")),
  ],
);

/** The gaps of the run ledger, described in gaps.ts. `scope_id` is 0 for whole runs (`wholeRun`), -1 for slots without a complete run (`notComplete`). */
export const gap = sqliteTable(
  "gap",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id),
    scopeId: integer("scope_id").notNull(),
    fromSlot: integer("from_slot").notNull(),
    toSlot: integer("to_slot").notNull(),
    slots: integer().notNull(),
    cause: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.seriesId, table.scopeId, table.fromSlot] })],
);

/** One snapshot of a scope, good or failed. `rows` counts its rows in the history view; `digest` is described in digest.ts. */
export const snapshot = sqliteTable(
  "snapshot",
  {
    id: integer().primaryKey(),
    runId: integer("run_id")
      .notNull()
      .references(() => run.id),
    scopeId: integer("scope_id")
      .notNull()
      .references(() => scope.id),
    takenAt: integer("taken_at").notNull(),
    rows: integer().notNull(),
    digest: blob({ mode: "buffer" }).notNull(),
    errorCode: text("error_code"),
    errorMessage: text("error_message"),
  },
  (table) => [
    index("snapshot_taken").on(table.scopeId, table.takenAt, table.errorCode),
    index("snapshot_failed").on(table.runId).where(sql.raw("error_code is not null")),
  ],
);

/**
 * The chains: one row per run that ended, and one per `note` of a change without a run. Append-only; described in chain.ts. `chain` is 0
 * if one chain covers the whole file, and the id of the account if several processes recorded into one PostgreSQL.
 */
export const link = sqliteTable("link", {
  id: integer().primaryKey(),
  runId: integer("run_id").references(() => run.id),
  note: text(),
  digest: blob({ mode: "buffer" }).notNull(),
  chain: integer().notNull().default(0),
});

/**
 * The processes that record into one PostgreSQL; empty if a single process records. Times are epoch ms; `accounts` is the number of
 * accounts whose keys the process has, `settings` JSON of their names and of the settings that must be the same in all processes. It is not
 * history, so no chain covers it.
 */
export const worker = sqliteTable("worker", {
  name: text().primaryKey().notNull(),
  seenAt: integer("seen_at").notNull(),
  version: text().notNull(),
  settings: text().notNull(),
  accounts: integer().notNull(),
  pausedUntil: integer("paused_until"),
});

/** The retained digest of a good snapshot that was pruned: what the link of its run is computed from. */
export const pruned = sqliteTable("pruned", {
  id: integer().primaryKey(),
  runId: integer("run_id")
    .notNull()
    .references(() => run.id),
  digest: blob({ mode: "buffer" }).notNull(),
});

/**
 * The lowest and highest value of a field of an item on a UTC day (epoch ms of its midnight) whose snapshots were pruned;
 * described in daily-extremes.ts. `item_id` refers to the dataset's own table of items.
 */
export const dailyRange = sqliteTable(
  "daily_range",
  {
    dataset: text().$type<DatasetName>().notNull(),
    itemId: integer("item_id").notNull(),
    day: integer().notNull(),
    field: text().notNull(),
    least: packedDigits().notNull(),
    greatest: packedDigits().notNull(),
  },
  (table) => [primaryKey({ columns: [table.dataset, table.itemId, table.day, table.field] })],
);

/** Returns the prefix of the tables and views of a dataset: `spot-assets` -> `spot_assets`. */
export const prefixOf = (dataset: Pick<Dataset, "name">): string => dataset.name.replaceAll("-", "_");

/** Returns the names of a dataset's columns in their order; those that were added later come last. */
export function columnNames({ columns }: Pick<Dataset, "columns">): string[] {
  const names = Object.keys(columns);
  return [
    ...names.filter((name) => !columns[name]?.isAddedLater),
    ...names.filter((name) => columns[name]?.isAddedLater),
  ];
}

/** Returns the columns that change in nearly every snapshot, without the key. */
export const movingColumns = (dataset: Dataset): string[] =>
  columnNames(dataset).filter((name) => dataset.columns[name]?.isVolatile && !dataset.key.includes(name));

/** Returns the columns that rarely change, without the key. */
export const steadyColumns = (dataset: Dataset): string[] =>
  columnNames(dataset).filter((name) => !dataset.columns[name]?.isVolatile && !dataset.key.includes(name));

function cellsOf(dataset: Dataset, names: readonly string[]) {
  return Object.fromEntries(
    Object.entries(dataset.columns)
      .filter(([name]) => names.includes(name))
      .map(([name, column]) => [snakeCase(name), columnTypeOf(column)]),
  );
}

const keyOf = (dataset: Dataset) =>
  Object.fromEntries(dataset.key.map((name) => [snakeCase(name), text().notNull()] as const));

/**
 * Returns the tables of one dataset. `present` is 0 from the first snapshot on that no longer lists the item; `moving` is null
 * where the dataset has no such column.
 */
export function tablesOf(dataset: Dataset) {
  const prefix = prefixOf(dataset);
  const item = sqliteTable(
    `${prefix}_item`,
    {
      id: integer().primaryKey(),
      scope_id: integer()
        .notNull()
        .references(() => scope.id),
      ...keyOf(dataset),
    },
    (table) => {
      const columns: Record<string, typeof table.scope_id> = table as never;
      const keys = dataset.key.flatMap((name) => columns[snakeCase(name)] ?? []);
      return [unique(`${prefix}_item_key`).on(table.scope_id, ...keys)];
    },
  );
  const version = () => ({
    item_id: integer()
      .notNull()
      .references(() => item.id),
    since: integer()
      .notNull()
      .references(() => snapshot.id),
  });
  const steady = sqliteTable(
    `${prefix}_steady`,
    { ...version(), present: integer().notNull(), ...cellsOf(dataset, steadyColumns(dataset)) },
    (table) => [primaryKey({ columns: [table.item_id, table.since] })],
  );
  const movers = movingColumns(dataset);
  const moving =
    movers.length === 0
      ? null
      : sqliteTable(`${prefix}_moving`, { ...version(), ...cellsOf(dataset, movers) }, (table) => [
          primaryKey({ columns: [table.item_id, table.since] }),
        ]);
  const extra = sqliteTable(`${prefix}_extra`, { ...version(), fields: text() }, (table) => [
    primaryKey({ columns: [table.item_id, table.since] }),
  ]);
  return { item, steady, moving, extra };
}

/** The `scopeId` of gaps of whole runs. */
export const wholeRun = 0;

/** The `scopeId` of gaps between complete runs, independent of their causes. A complete manual run ends such a gap too. */
export const notComplete = -1;
