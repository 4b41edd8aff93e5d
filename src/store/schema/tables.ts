/**
 * The tables. History is kept by validity: a row says what held from the snapshot `since` on, until a later row of the
 * same item. What rarely changes (`steady`), what moves in nearly every snapshot (`moving`) and fields that nobody knows
 * (`extra`) have rows of their own, so that nothing is written again because its neighbour changed.
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

/** Each change of the API generation that an account speaks; the last one holds. */
export const accountMode = sqliteTable("account_mode", {
  id: integer().primaryKey(),
  accountId: integer("account_id")
    .notNull()
    .references(() => account.id),
  since: integer().notNull(),
  api: text().$type<ApiVersion>().notNull(),
  cause: text().notNull(),
});

/** One dataset of one account. Every due slot up to `accounted_to` has its row in `run`. */
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

/** The cron patterns of a series; the one without an end is in force. */
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
 * `product_type` is '' for the whole account, since NULLs are distinct to UNIQUE. `latest` is the last good snapshot;
 * `until` says since when the scope is no longer asked.
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

/** The ledger: one row per due slot, ever. Started at slot + late_ms, finished took_ms later. */
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
  },
  (table) => [
    uniqueIndex("run_slot").on(table.seriesId, table.slot),
    index("run_without_snapshot")
      .on(table.seriesId, table.slot)
      .where(sql.raw("state in ('missed', 'skipped', 'failed')")),
    index("run_running").on(table.id).where(sql.raw("state = 'running'")),
  ],
);

/** What the ledger lacks, kept beside it; described in gaps.ts. `scope_id` is 0 for whole runs, -1 for whatever is not complete. */
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

/** `rows` counts what the history view shows for it; `digest` is described in digest.ts. */
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

/** The chain: one row per run that ended, and per `note` of what no run says. Append-only; described in chain.ts. */
export const link = sqliteTable("link", {
  id: integer().primaryKey(),
  runId: integer("run_id").references(() => run.id),
  note: text(),
  digest: blob({ mode: "buffer" }).notNull(),
});

/** What stays of a good snapshot that was pruned: as much as the link of its run is made of. */
export const pruned = sqliteTable("pruned", {
  id: integer().primaryKey(),
  runId: integer("run_id")
    .notNull()
    .references(() => run.id),
  digest: blob({ mode: "buffer" }).notNull(),
});

/**
 * The least and the greatest value of a field of an item on a UTC day (epoch ms of its midnight) whose snapshots were
 * pruned; described in ranges.ts. `item_id` is a row of the dataset's own table of items.
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

/** `spot-assets` -> `spot_assets`: how the tables and views of a dataset begin. */
export const prefixOf = (dataset: Pick<Dataset, "name">): string => dataset.name.replaceAll("-", "_");

/** The names of a dataset's columns in their order, those that were added later behind the others. */
export function columnNames({ columns }: Pick<Dataset, "columns">): string[] {
  const names = Object.keys(columns);
  return [...names.filter((name) => !columns[name]?.later), ...names.filter((name) => columns[name]?.later)];
}

export const movingColumns = (dataset: Dataset): string[] =>
  columnNames(dataset).filter((name) => dataset.columns[name]?.moving && !dataset.key.includes(name));

export const steadyColumns = (dataset: Dataset): string[] =>
  columnNames(dataset).filter((name) => !dataset.columns[name]?.moving && !dataset.key.includes(name));

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
 * The tables of one dataset. `present` is 0 from the snapshot on that no longer holds the item; `moving` is null where
 * the dataset has no such column.
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

/** The `scopeId` of stretches without a complete run, whatever the causes, runs on demand included: the last complete run ends one. */
export const notComplete = -1;
