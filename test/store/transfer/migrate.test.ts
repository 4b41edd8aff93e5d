import { existsSync, statSync } from "node:fs";
import { is } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import { snakeCase } from "../../../src/core/columns.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { sqliteTables } from "../../../src/store/postgres/tables.ts";
import * as alertTables from "../../../src/store/schema/alert-tables.ts";
import { episode } from "../../../src/store/schema/derived/episode-table.ts";
import * as tables from "../../../src/store/schema/tables.ts";
import { viewsOf } from "../../../src/store/schema/views.ts";
import { openWriter } from "../../../src/store/sqlite/database.ts";
import { type Migration, ownMigrations } from "../../../src/store/sqlite/migrations.ts";
import { migrate } from "../../../src/store/transfer/migrate.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { change, coins, collect, good, minute, query, quiet, start } from "../kit.ts";
import { older, create as open, temporaryPath } from "../temporary.ts";

const views = viewsOf(datasets);

async function seeded(): Promise<string> {
  const path = temporaryPath();
  const store = await open(path);
  await collect(store, snapshotDatasetNamed("spot-assets"), start, { snapshots: [good(coins(1), start)] });
  store.close();
  return path;
}

async function apply(path: string, sql: string[]): Promise<void> {
  const sqlite = openWriter(path);
  const later: Migration = { sql, hash: "later" };
  try {
    await migrate(path, sqlite, { migrations: [...ownMigrations(), later], views, log: quiet, now: start });
  } finally {
    sqlite.close();
  }
}

/** Returns the statements with which drizzle-kit rebuilds a table. */
const rebuild = (keep: string) => [
  "PRAGMA foreign_keys=OFF;",
  "create table __new_run as select * from run where 0;",
  `insert into __new_run select * from run where ${keep};`,
  "drop table run;",
  "alter table __new_run rename to run;",
];

describe("migrating", () => {
  it("rebuilds a table that others refer to without loss, after a backup", async () => {
    const path = await seeded();
    const sqlite = openWriter(path);
    const definition = String(sqlite.prepare("select sql from sqlite_master where name = 'run'").pluck().get());
    sqlite.close();
    const own = ownMigrations().length;
    await apply(path, [
      definition.replace("`run`", "__new_run"),
      "insert into __new_run select * from run;",
      "drop table run;",
      "alter table __new_run rename to run;",
    ]);
    expect(query(path, "select count(*) as n from spot_assets_history")).toEqual([{ n: 40 }]);
    expect(query(path, "select count(*) as n from migration")).toEqual([{ n: own + 1 }]);
    const copy = `${path}.before-${own + 1}`;
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect((await verify(copy, datasets)).problems).toEqual([]);
  });

  it.each([
    ["loses rows", rebuild("0")],
    ["fails half-way", ["drop table spot_assets_extra;", "insert into nowhere values (1);"]],
    ["leaves rows without their parent", ["update spot_assets_steady set item_id = item_id + 1000;"]],
  ])("a migration that %s does not change the database", async (_, sql) => {
    const path = await seeded();
    await expect(apply(path, sql)).rejects.toThrow();
    expect((await verify(path, datasets)).problems).toEqual([]);
    expect(query(path, "select count(*) as n from spot_assets_latest")).toEqual([{ n: 40 }]);
  });

  // Nothing refers to these rows, so no foreign key reveals the loss.
  it.each(["spot_assets_steady", "link"])("a migration that loses a row of %s is rolled back", async (table) => {
    const path = await seeded();
    const rows = query(path, `select * from ${table}`);
    expect(rows).not.toEqual([]);
    await expect(apply(path, [`delete from ${table};`])).rejects.toThrow(`loses rows of ${table}`);
    const rebuilt = [`create table copy as select * from ${table} limit ${rows.length - 1};`, `drop table ${table};`];
    await expect(apply(path, [...rebuilt, `alter table copy rename to ${table};`])).rejects.toThrow(
      `loses rows of ${table}`,
    );
    expect(query(path, `select * from ${table}`)).toEqual(rows);
  });

  it("the migrations create the tables that the datasets declare", async () => {
    const path = temporaryPath();
    await open(path);
    for (const table of [...sqliteTables(datasets), ...Object.values({ ...tables, ...alertTables, episode })].filter(
      (one) => is(one, SQLiteTable),
    )) {
      const { name, columns } = getTableConfig(table);
      const made = query(path, `select name from pragma_table_info('${name}') order by cid`).map((one) => one.name);
      expect(made, `${name}: run npm run db:generate`).toEqual(columns.map((one) => one.name));
    }
  });

  it("a column that a migration adds is declared as added later, so that older digests stay valid", () => {
    const added = ownMigrations()
      .flatMap(({ sql }) => sql)
      .flatMap(
        (statement) =>
          /^ALTER TABLE `(\w+)_(?:steady|moving)` ADD `(\w+)`/.exec(statement.trim())?.slice(1).join() ?? [],
      );
    const declared = datasets.flatMap((dataset) =>
      tables
        .columnNames(dataset)
        .filter((name) => dataset.columns[name]?.isAddedLater)
        .map((name) => [tables.prefixOf(dataset), snakeCase(name)].join()),
    );
    expect(added).toContain("equity,priced_usdt");
    expect(added.sort()).toEqual(declared.sort());
  });

  it("ids keep their digits where they become integers", async () => {
    const path = older("0010");
    const records = ["bills", "fills"].map((view) => `select * from ${view} order by at_ms`);
    const before = records.map((sql) => query(path, sql));
    await open(path);
    expect(records.map((sql) => query(path, sql))).toEqual(before);
    expect((await verify(path, datasets)).problems).toEqual([]);
    expect(query(path, "select typeof(bill_id) as type, count(*) as n from bills_record group by 1")).toEqual([
      { type: "integer", n: 4 },
      { type: "text", n: 4 },
    ]);
  });

  it("a database with nothing to migrate is not backed up", async () => {
    const path = await seeded();
    await open(path);
    expect(existsSync(`${path}.before-1`)).toBe(false);
  });

  it.each([
    ["0000", { runs: 8, due: 8 }, 4],
    ["0001", { runs: 10, due: 10 }, 6],
    ["0002", { runs: 10, due: 10 }, 5],
    ["0003", { runs: 10, due: 10 }, 5],
  ])(
    "a database of the version up to migration %s loses nothing, verifies and continues",
    async (migration, counts, next) => {
      const path = older(migration);
      const names = ["runs", "snapshots", "gaps", "schedules", "spot_assets_history", "positions_history"];
      const all = () => names.map((view) => query(path, `select * from ${view}`));
      const before = all();
      const store = await open(path);
      expect(all()).toMatchObject(before);
      expect(await verify(path, datasets)).toMatchObject({ problems: [], ...counts, accounted: counts.due });
      const slot = start + next * minute;
      expect(await store.recover()).toBe(1);
      await collect(store, snapshotDatasetNamed("positions"), slot, { snapshots: [good([], slot, "umcbl")] });
      expect(query(path, "select * from position_episodes where state = 'open'")).toEqual([]);
      expect((await verify(path, datasets)).problems).toEqual([]);
    },
  );

  it("an existing chain is not changed", async () => {
    const path = older("0001");
    const before = query(path, "select * from link");
    await open(path);
    expect(query(path, "select id, run_id, note, digest from link")).toEqual(before);
    expect((await verify(path, datasets)).heads).toEqual([
      { account: null, digest: "ce99555d3be6e6be4cf23c4d079751dbbf3978bd6781e94642844ea06aab69ba" },
    ]);
  });

  it("views whose text has changed are replaced", async () => {
    const path = await seeded();
    change(path, "drop view gaps");
    await open(path);
    expect(query(path, "select * from gaps")).toEqual([]);
  });
});
