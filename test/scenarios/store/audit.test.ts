/** `db verify` accepts every change made by the program and detects every other change. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { Fault } from "../../../src/simulator/simulator.ts";
import { compact, prune } from "../../../src/store/retention/prune.ts";
import { viewsOf } from "../../../src/store/schema/views.ts";
import { restore } from "../../../src/store/transfer/restore.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { corrected, other, otherCoins } from "../../store/corrections.ts";
import { minute, query } from "../../store/kit.ts";
import { reading } from "../../store/later.ts";
import { older, temporaryPath } from "../../store/temporary.ts";
import { everyDataset } from "../../support/settings.ts";
import { type OpenWorld, openWorld } from "../../support/world.ts";

const day = 86_400_000;
const hour = 3_600_000;
const begin = "2026-11-01T01:30:00Z";

type Row = Record<string, unknown>;
const answered = (change: (rows: Row[]) => Row[]) => (envelope: unknown) => {
  const { data, ...rest } = envelope as { data: Row[] };
  return { ...rest, data: change(data) };
};
const lines = { path: "/api/v2/mix/position", params: { productType: "USDT-FUTURES" } };
const coins = { path: "/api/v2/spot/account/assets" };
const faults: Fault[] = [
  { ...lines, edit: answered((rows) => rows.map((row) => ({ ...row, total: "much" }))) },
  { ...lines, edit: answered((rows) => [...rows, { ...rows[0], symbol: "GHOSTUSDT" }]) },
  { ...lines, edit: answered(() => []) },
  { ...lines, status: 503, times: 9 },
  { ...coins, edit: answered((rows) => [...rows, { ...rows[0], coin: "GHOST", available: "7" }]) },
  { ...coins, edit: answered((rows) => rows.slice(1).map((row) => ({ ...row, airDrop: "0.10" }))) },
  { ...coins, body: "<html>", times: 9 },
];
const parsers = [
  other,
  otherCoins,
  snapshotDatasetNamed("positions"),
  snapshotDatasetNamed("spot-assets"),
  reading(snapshotDatasetNamed("spot-assets"), (items) => items.slice(1)),
  reading(snapshotDatasetNamed("positions"), () => []),
];
const schedules = ["0 * * * *", "0 */2 * * *", "*/30 * * * *", ""].map((pattern) => ({
  ...everyDataset(pattern),
  SCHEDULE_PRICES: "",
  BITGET_PRODUCT_TYPES: "umcbl,dmcbl",
}));
const settings = [...schedules, { ...everyDataset("0 * * * *"), BITGET_PRODUCT_TYPES: "umcbl" }];

/** One operation on a database, with its size or choice. */
const deeds = [
  ...["hours", "hours", "hours", "hours", "fault", "fault", "fault", "asleep", "setBack", "reschedule", "upgrade"],
  ...["crash", "prune", "compact", "correct", "correct", "keep", "restore"],
] as const;
type Deed = readonly [what: (typeof deeds)[number], which: number];

async function befall(world: OpenWorld, [what, which]: Deed, kept: string): Promise<void> {
  const { path, clock } = world;
  const offline = async (work: () => Promise<unknown> | unknown) => {
    world.app.close();
    await work();
    await world.restart();
  };
  const of = <T>(all: readonly T[]): T => all[which % all.length] as T;
  switch (what) {
    case "hours":
      for (let n = which % 8; n >= 0; n -= 1) await world.at(Math.floor(clock.now() / hour + 1) * hour + 400);
      return;
    case "fault":
      return world.exchange.injectFault(of(faults));
    case "asleep":
      return world.at(clock.now() + of([hour, 5 * hour, day]));
    case "setBack":
      clock.setWallClock(clock.now() - of([minute, hour, 5 * hour]));
      return world.tick();
    case "reschedule":
      return world.restart(of(settings));
    case "upgrade":
      return world.exchange.upgrade("main");
    case "crash":
      await world.app.store.begin(
        "main",
        "positions",
        clock.now() - (clock.now() % 1000) + 500 + which,
        clock.now(),
        "demand",
      );
      await world.restart();
      await world.app.store.recover();
      return;
    case "prune":
      await prune(path, datasets, clock.now());
      return;
    case "compact":
      return offline(() => compact(path));
    case "correct":
      return offline(() => corrected(path, of(parsers), clock.now()));
    case "keep":
      return offline(() => copyFileSync(path, kept));
    case "restore":
      return offline(async () => {
        if (!existsSync(kept)) return;
        rmSync(path);
        await restore(kept, path, { views: viewsOf(datasets), now: clock.now() });
      });
  }
}

const deed = fc.tuple(fc.constantFrom(...deeds), fc.nat({ max: 179 }));
const seeds = [null, "0000", "0001", "0002", "0003"];

it("verify passes for any order of writing, pruning, correcting, backing up and restoring", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...seeds), fc.array(deed, { minLength: 12, maxLength: 20 }), async (seed, all) => {
      const path = seed === null ? temporaryPath() : older(seed);
      const world = await openWorld(path, begin, settings[0] ?? {});
      try {
        for (const one of all) {
          await befall(world, one, `${path}.kept`);
          expect((await verify(path, datasets)).problems, String(one)).toEqual([]);
        }
      } finally {
        await world.close();
      }
    }),
    { numRuns: 2, endOnFailure: true },
  );
});

/** Records a history with failures, claims, corrections, a pruned day, an upgrade, and schedule changes. */
const eventful: Deed[] = [
  ...(["hours", "fault", "hours", "fault", "hours", "fault", "hours"] as const).map((what, at): Deed => [what, at]),
  ...([
    ["correct", 0],
    ["correct", 1],
    ["hours", 7],
    ["fault", 1],
    ["hours", 3],
    ["reschedule", 1],
    ["asleep", 1],
  ] as const),
  ...([
    ["setBack", 2],
    ["hours", 7],
    ["prune", 0],
    ["fault", 3],
    ["fault", 0],
    ["hours", 7],
    ["upgrade", 0],
  ] as const),
  ...([
    ["hours", 7],
    ["crash", 1],
    ["fault", 4],
    ["hours", 2],
    ["correct", 1],
    ["reschedule", 4],
    ["hours", 1],
  ] as const),
];

/** Tables that are not part of the history: applied migrations and the state of alerts. */
const besides = ["migration", "alert", "alert_figure", "alert_message"];

/** Returns another value of the same type, or null. */
function another(value: unknown, type: unknown, toNull: boolean): unknown {
  if (value === null) return { INTEGER: 1, TEXT: "x", BLOB: Buffer.from("1f", "hex") }[String(type)];
  if (toNull) return null;
  if (typeof value === "number") return value <= 1 ? 1 - value : value - 1;
  if (typeof value === "string") return value.replace(/.?$/s, (last) => (last === "1" ? "2" : "1"));
  const bytes = Buffer.from(value as Buffer);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes;
}

const shown = (path: string): string =>
  JSON.stringify(["positions_history", "position_episodes"].map((view) => query(path, `select * from ${view}`)));

describe("for a history with every kind of row", () => {
  const path = join(mkdtempSync(join(tmpdir(), "audit-")), "collector.db");
  beforeAll(async () => {
    const world = await openWorld(path, begin, settings[0] ?? {});
    for (const one of eventful) await befall(world, one, `${path}.kept`);
    await world.close();
    return () => rmSync(dirname(path), { recursive: true });
  });

  it("every changed or deleted cell and row is detected", async () => {
    const sqlite = new Database(path, { readonly: true });
    const tables = (sqlite.prepare("select name from sqlite_master where type = 'table'").pluck().all() as string[])
      .filter((name) => !besides.includes(name))
      .map((name) => ({ name, rows: sqlite.prepare(`select * from ${name}`).all() as Row[] }))
      .filter(({ rows }) => rows.length > 0);
    const columns = tables.flatMap(({ name: table, rows }) => {
      const found = sqlite.pragma(`table_info(${table})`) as { name: string; type: string; pk: number }[];
      const key = found.filter(({ pk }) => pk > 0).map(({ name }) => name);
      return found.map(({ name, type }) => ({ table, rows, key, name, type }));
    });
    sqlite.close();
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(["pruned", "daily_range", "episode"]));
    expect(await verify(path, datasets)).toMatchObject({ problems: [], corrected: expect.not.toBeOneOf([0]) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...columns),
        fc.nat(),
        fc.constantFrom("other", "other", "null", "gone"),
        async ({ table, rows, key, name, type }, pick, way) => {
          const row = rows[pick % rows.length] ?? {};
          const copy = `${path}.copy`;
          copyFileSync(path, copy);
          const altered = new Database(copy);
          altered.pragma("foreign_keys = OFF");
          const where = `where ${key.map((one) => `${one} is ?`).join(" and ")}`;
          const keys = key.map((one) => row[one]);
          try {
            if (way === "gone") altered.prepare(`delete from ${table} ${where}`).run(keys);
            else
              altered
                .prepare(`update ${table} set "${name}" = ? ${where}`)
                .run(another(row[name], type, way === "null"), ...keys);
          } catch (error) {
            if (/constraint|mismatch/.test(String(error))) return;
            throw error;
          } finally {
            altered.close();
          }
          const { problems } = await verify(copy, datasets);
          // The last change of a position may belong to a snapshot that, after pruning, no longer shows the position.
          const isShown = !table.endsWith("_moving") || shown(copy) !== shown(path);
          expect(problems.length > 0 || !isShown, `${way} ${table}.${name} of ${JSON.stringify(keys)}`).toBe(true);
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  });
});
