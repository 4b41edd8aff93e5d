import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Item, Scope } from "../../../src/core/domain.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { prepareAsOf } from "../../../src/store/read/as-of.ts";
import { prune } from "../../../src/store/retention/prune.ts";
import { openReadOnly } from "../../../src/store/sqlite/database.ts";
import type { Store } from "../../../src/store/store.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { change, collect, failed, good, item, query, start, storeAt } from "../kit.ts";
import { child, open, temporaryPath } from "../temporary.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");
const hour = 3_600_000;
const day = 24 * hour;
const at = (n: number): number => start + n * hour;

const coin = (name: string, available: string): Item => item(spotAssets, { coin: name, available, frozen: "0" });
const position = (symbol: string, markPrice: string, cells = {}): Item =>
  item(positions, {
    ...{ symbol, marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "1", openedAt: start },
    ...cells,
    markPrice,
  });

/** The items of two datasets at an hour; a code stands for a failure. */
interface Hour {
  spot: Item[] | string | null;
  lines: Partial<Record<NonNullable<Scope>, Item[] | string>>;
}

async function storeHour(store: Store, n: number, { spot, lines }: Hour): Promise<void> {
  await Promise.all([
    spot === null
      ? store.closeSlots("main", "spot-assets", [{ slot: at(n), state: "missed", cause: "asleep" }])
      : collect(store, spotAssets, at(n), snapshotsAt(n, [[null, spot]])),
    collect(store, positions, at(n), snapshotsAt(n, Object.entries(lines) as [Scope, Item[] | string][])),
  ]);
}

function snapshotsAt(n: number, all: readonly [Scope, Item[] | string][]) {
  const takenAt = at(n) + 400;
  return {
    snapshots: all.flatMap(([scope, rows]) => (typeof rows === "string" ? [] : [good(rows, takenAt, scope)])),
    failures: all.flatMap(([scope, rows]) => (typeof rows === "string" ? [failed(rows, takenAt, scope)] : [])),
  };
}

/**
 * Returns an hour of three days: a coin whose amount changes each hour, one that rarely does, one that is removed at hour 5; a
 * position whose price moves, one that is opened and closed within a day; a failed snapshot, a missed slot, a failed run.
 */
function hourOf(n: number): Hour {
  const coins = [
    coin("BTC", `${n % 7}.${n}`),
    coin("USDT", n < 30 ? "1000.00" : "999"),
    ...(n < 5 ? [coin("OLD", "3")] : []),
  ];
  const held = [position("BTCUSDT", `${60_000 + ((n * 7919) % 101)}.5`, { unrealizedPl: `${(n % 5) - 2}.25` })];
  if (n > 8 && n < 15) held.push(position("ETHUSDT", `${3000 + n}`, { openedAt: at(9) - 1000 }));
  return {
    spot: n === 20 ? null : n === 40 ? "timeout" : coins,
    lines: { umcbl: held, dmcbl: n === 33 ? "timeout" : [] },
  };
}

const hours = 72;

async function storeHours(path: string, past: readonly Hour[]): Promise<void> {
  const store = await storeAt(path);
  await store.setSchedule("main", "spot-assets", "0 * * * *", at(0) - 1);
  await store.setSchedule("main", "positions", "0 * * * *", at(0) - 1);
  for (const [n, hour] of past.entries()) await storeHour(store, n, hour);
  store.close();
}

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "collector-test-"));
  await storeHours(
    join(folder, "seed.db"),
    Array.from({ length: hours }, (_, n) => hourOf(n)),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Copies the database of the three days. Returns the path. */
function seeded(from = join(folder, "seed.db")): string {
  const path = temporaryPath();
  copyFileSync(from, path);
  return path;
}

const pruneAll = (path: string) => prune(path, datasets, at(hours));
const problems = async (path: string) => (await verify(path, datasets)).problems;
const views = ["spot_assets_history", "positions_history"];
const ledger = ["runs", "gaps", "schedules", "spot_assets_latest", "positions_latest", "position_episodes"];
const all = (path: string, names: readonly string[]) => names.map((name) => query(path, `select * from ${name}`));

/** Returns the whole database except the chain. */
const content = (path: string) => {
  const tables = query(
    path,
    "select name from sqlite_master where type = 'table' and name not in ('link', 'migration')",
  );
  return tables.map(({ name }) => query(path, `select * from ${name}`));
};

/** Returns the rows of the views for these snapshots. */
const ofSnapshots = (path: string, ids: readonly unknown[]) =>
  ["snapshots", ...views].map((view) =>
    query(path, `select * from ${view} where snapshot_id in (${ids.join(", ")}) order by snapshot_id`),
  );

const idsOf = (path: string) => query(path, "select snapshot_id as id from snapshots").map(({ id }) => id);

describe("pruning", () => {
  it("keeps the first and last snapshot of each scope and day, failures, and where items begin or end", async () => {
    const path = seeded();
    expect(await prune(path, datasets, at(48))).toMatchObject({ days: 2, snapshots: 126 });
    const kept = query(path, "select dataset, product_type as type, state, taken_at_ms as at from snapshots");
    const hoursOf = (dataset: string, type: string | null) =>
      kept
        .filter((one) => one.dataset === dataset && one.type === type && Number(one.at) < at(48))
        .map((one) => (Number(one.at) - 400 - start) / hour);
    expect(hoursOf("spot-assets", null)).toEqual([0, 5, 23, 24, 40, 47]);
    expect(hoursOf("positions", "umcbl")).toEqual([0, 9, 15, 23, 24, 47]);
    expect(hoursOf("positions", "dmcbl")).toEqual([0, 23, 24, 33, 47]);
    expect(kept.filter((one) => Number(one.at) >= at(48)).length).toBe(72);
    expect(await problems(path)).toEqual([]);
  });

  it("does not change what is kept: rows, digests, runs, gaps, episodes, the latest state", async () => {
    const path = seeded();
    const before = seeded();
    await pruneAll(path);
    const ids = idsOf(path);
    expect(ids.length).toBeLessThan(30);
    expect(ofSnapshots(path, ids)).toEqual(ofSnapshots(before, ids));
    expect(all(path, ledger)).toEqual(all(before, ledger));
    const { due, accounted, pruned, problems } = await verify(path, datasets);
    expect({ due, accounted, pruned, problems }).toEqual({ due: 144, accounted: 144, pruned: 192, problems: [] });
  });

  it("keeps the lowest and the highest value of each amount of a day", async () => {
    const path = seeded();
    const expected = rangesOf(path, at(hours));
    await pruneAll(path);
    const found = query(path, "select * from daily_ranges").map((row) => Object.values(row).join("|"));
    expect(found.toSorted()).toEqual(expected);
    expect(found).toContain("main|spot-assets||2026-11-01|BTC|available|0.0|6.6");
    expect(found).toContain("main|positions|umcbl|2026-11-01|ETHUSDT USDT long crossed|mark_price|3009|3014");
  });

  it("leaves a valid database wherever it is interrupted, and continues from there", async () => {
    const path = seeded();
    const whole = seeded();
    await pruneAll(whole);
    let cuts = 0;
    // Interrupts alternately after the note of a day and after a batch of deleted snapshots.
    for (let isDone = false; !isDone; cuts += 1) {
      let steps = 0;
      const cut = () => {
        steps += 1;
        if (steps === (cuts % 2) + 1) throw new Error("cut off");
      };
      isDone = await prune(path, datasets, at(hours), cut).then(
        () => true,
        () => false,
      );
      expect(await problems(path)).toEqual([]);
    }
    expect(cuts).toBe(8);
    expect(content(path)).toEqual(content(whole));
  });

  it("has nothing to do the second time", async () => {
    const path = seeded();
    await pruneAll(path);
    const before = [content(path), query(path, "select * from link")];
    expect(await pruneAll(path)).toEqual({ days: 0, snapshots: 0, rows: 0, versions: 0 });
    expect([content(path), query(path, "select * from link")]).toEqual(before);
  });

  it("leaves the day in progress and days pruned before unchanged", async () => {
    const path = seeded();
    await prune(path, datasets, at(47));
    expect(query(path, "select count(*) as n from snapshots where taken_at_ms >= 1793577600000")).toEqual([{ n: 144 }]);
    const ranges = query(path, "select * from daily_ranges");
    await prune(path, datasets, at(48));
    expect(query(path, "select * from daily_ranges where day = '2026-11-01'")).toEqual(ranges);
    expect(await problems(path)).toEqual([]);
  });

  it("a slot executed later in a pruned day widens the ranges when it is pruned too", async () => {
    const path = seeded();
    await pruneAll(path);
    const store = await open(path);
    await collect(store, spotAssets, at(20), { snapshots: [good([coin("BTC", "99")], at(20) + 400)] });
    await collect(store, spotAssets, at(72), { snapshots: [good([coin("BTC", "1")], at(72) + 400)] });
    expect(await problems(path)).toEqual([]);
    await prune(path, datasets, at(73));
    expect(await problems(path)).toEqual([]);
    const range = "select greatest from daily_ranges where item = 'BTC' and day = '2026-11-01' and field = 'available'";
    expect(query(path, range)).toEqual([{ greatest: "99" }]);
  });

  it("the state as of a pruned instant is unknown, and known near kept snapshots", async () => {
    const path = seeded();
    await pruneAll(path);
    const sqlite = openReadOnly(path);
    const asOf = prepareAsOf(sqlite);
    expect(asOf(spotAssets, {}, at(18))).toMatchObject({
      scopes: [{ known: false, ageMs: 13 * hour - 400 }],
      rows: [],
    });
    expect(asOf(spotAssets, {}, at(6)).scopes).toMatchObject([{ known: true, ageMs: hour - 400 }]);
    sqlite.close();
  });

  it("keeps snapshots of the next day if the clock was set back to the day before", async () => {
    const path = temporaryPath();
    const store = await storeAt(path);
    const midnight = at(24);
    const minutes = [-20, -10, 3, -4, -2, 5];
    for (const [n, minute] of minutes.entries()) {
      const takenAt = midnight + minute * 60_000;
      await collect(store, spotAssets, midnight + n, { snapshots: [good([coin("BTC", n < 1 ? "1" : "2")], takenAt)] });
    }
    store.close();
    const shown = () =>
      query(path, `select available from spot_assets_history where taken_at_ms > ${midnight} order by snapshot_id`);
    await prune(path, datasets, at(48));
    expect(shown()).toEqual([{ available: "2" }, { available: "2" }]);
    expect(await problems(path)).toEqual([]);
  });

  it("concurrently with a store loses nothing of either, and removed items can return", async () => {
    const path = seeded();
    const store = await open(path);
    let n = hours;
    const continueStore = () =>
      storeHour(store, n, { ...hourOf(3), lines: { umcbl: [position("ETHUSDT", `${n}`)], dmcbl: [] } });
    const going: Promise<void>[] = [];
    await prune(path, datasets, at(hours), () => {
      going.push(continueStore());
      n += 1;
    });
    await Promise.all(going);
    store.close();
    const again = await open(path);
    await storeHour(again, n, hourOf(10));
    expect(await verify(path, datasets)).toMatchObject({ problems: [], due: 2 * (n + 1), accounted: 2 * (n + 1) });
  });

  it("concurrently with another process that writes without a pause loses nothing of either", async () => {
    const path = seeded();
    const writer = child("hours", path);
    let output = "";
    writer.stdout.on("data", (text) => {
      output += text;
    });
    await once(writer.stdout, "data");
    for (const before of [at(24), at(48), at(hours)]) await prune(path, datasets, before);
    writer.kill("SIGKILL");
    await once(writer, "close");
    const stored = query(path, "select scheduled_for_ms as slot from runs where state = 'ok'").map(({ slot }) => slot);
    const slots = output.split("\n").slice(0, -1).map(Number);
    expect(slots.length).toBeGreaterThan(3);
    expect(slots.filter((slot) => !stored.includes(slot))).toEqual([]);
    const store = await open(path);
    await store.recover();
    expect(await verify(path, datasets)).toMatchObject({ problems: [], pruned: 192 });
  });

  it("keeps every remaining snapshot unchanged and verifiable, for any history", async () => {
    const amount = fc.constantFrom("0", "1", "1.0", "-2.50", "30");
    const coinsHeld = fc.uniqueArray(fc.tuple(fc.constantFrom("A", "B", "C"), amount), { selector: ([name]) => name });
    const held = fc.uniqueArray(
      fc.tuple(fc.constantFrom("AUSDT", "BUSDT"), amount, fc.constantFrom(start, start + 1, null)),
      { selector: ([symbol]) => symbol },
    );
    const spot = coinsHeld.map((all) => all.map(([name, available]) => coin(name, available)));
    const line = held.map((all) => all.map(([symbol, mark, openedAt]) => position(symbol, mark, { openedAt })));
    const failure = fc.constant("timeout");
    const oneHour: fc.Arbitrary<Hour> = fc.record({
      spot: fc.oneof({ weight: 6, arbitrary: spot }, failure, fc.constant(null)),
      lines: fc.record(
        { umcbl: fc.oneof({ weight: 6, arbitrary: line }, failure), dmcbl: line },
        { requiredKeys: ["umcbl"] },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(oneHour, { minLength: 30, maxLength: 50 }), async (past) => {
        const path = temporaryPath();
        await storeHours(path, past);
        const before = seeded(path);
        const expected = rangesOf(path, at(past.length));
        await prune(path, datasets, at(past.length));
        expect(await problems(path)).toEqual([]);
        const ids = idsOf(path);
        expect(ofSnapshots(path, ids)).toEqual(ofSnapshots(before, ids));
        expect(all(path, ledger)).toEqual(all(before, ledger));
        const found = query(path, "select * from daily_ranges").map((row) => Object.values(row).join("|"));
        expect(expected).toEqual(expect.arrayContaining(found));
      }),
      { numRuns: 6 },
    );
  });
});

describe("verifying a pruned history", () => {
  it.each([
    ["2026-11-01T03:00:00.000Z link 9 (link): does not follow from run 7", "update run set late_ms = 21 where id = 7"],
    ["does not follow from run 7", "update run set rows = 4 where id = 7"],
    ["link 9 (link)", "update link set digest = randomblob(32) where run_id = 7"],
    [
      "does not follow from run 7, its snapshots (snapshot, pruned) and the link before it",
      "update pruned set digest = unhex(substr(hex(digest), 1, 31) || iif(substr(hex(digest), 32) = '0', '1', '0')) where id = 10",
    ],
    ["run 7, its snapshots", "delete from pruned where id = 10"],
    [
      "snapshot 1 (spot_assets): is not what was received: check BTC, OLD, USDT, its header",
      "update spot_assets_steady set available = x'1b0f' where item_id = 1 and since = 1",
    ],
    ["run 1 (run.rows)", "delete from snapshot where id = 1"],
    ["was due, but has no run", "delete from run where id = 7"],
    [
      "2026-11-01T00:00:00.000Z main spot-assets: the retained rows of the day (daily_range, episode) are not what was written",
      "update daily_range set greatest = x'6b3f' where dataset = 'spot-assets' and item_id = 1 and day = 1793491200000 and field = 'available'",
    ],
    [
      "the retained rows of the day (daily_range, episode) are not what was written",
      "delete from daily_range where item_id = 2 and day = 1793491200000",
    ],
    [
      "(daily_range): belong to no day",
      "insert into daily_range select dataset, item_id, 0, field, least, greatest from daily_range limit 1",
    ],
    [
      "main positions: the retained rows of the day (daily_range, episode) are not what was written",
      "update episode set largest_total = x'2f' where closed_before is not null",
    ],
    [
      "(episode.closed_before): was 1793545200400",
      "update episode set closed_before = closed_before + 1e8 where closed_before is not null",
    ],
    ['(episode.worst_unrealized_pl): was "-2.25"', "update episode set worst_unrealized_pl = x'a3b25f'"],
    ['(episode.best_unrealized_pl): was "2.25"', "update episode set best_unrealized_pl = x'9b25'"],
    ['(episode.largest_total): was "1"', "update episode set largest_total = x'2f' where closed_before is null"],
    ["", "update link set note = replace(note, '[1,', '[2,') where note like '[\"pruned\"%'"],
  ])("reports %s", async (named, sql) => {
    const path = seeded();
    await pruneAll(path);
    expect(change(path, sql)).toBeGreaterThan(0);
    const found = await problems(path);
    expect(found.join("\n")).toContain(named);
    expect(found).not.toEqual([]);
  });

  it("reports an altered name once, and not as a different digest of each day", async () => {
    const path = seeded();
    await pruneAll(path);
    change(path, "update spot_assets_item set coin = 'BTD' where id = 1");
    const [first, ...others] = await problems(path);
    expect(first).toContain("snapshot 1 (spot_assets): is not what was received: check BTD, ");
    expect(others.filter((one) => !one.includes("(spot_assets): is not what was received"))).toEqual([]);
  });

  it("reports a snapshot that was deleted without a note, and one that should have been kept", async () => {
    const path = seeded();
    await prune(path, datasets, at(48));
    // Of a product type without positions, so that no row refers to them.
    const ofScope = "select min(id) as id from snapshot where scope_id = 3 and taken_at >";
    // The second one is of the day after the pruned ones, as close to midnight as the clocks may differ.
    const instants = [at(0), at(48), at(60)];
    const [toStay, next, later] = instants.map((instant) => query(path, `${ofScope} ${instant}`)[0]?.id);
    for (const id of [toStay, next, later]) {
      change(path, `insert into pruned select id, run_id, digest from snapshot where id = ${id}`);
      change(path, `delete from snapshot where id = ${id}`);
    }
    expect(await problems(path)).toEqual([
      `2026-11-01T00:00:00.000Z main positions: snapshot ${toStay} (pruned): should have been kept`,
      `2026-11-03T00:00:00.000Z main positions: snapshot ${next} (pruned): its day was never pruned`,
      `2026-11-03T12:00:00.000Z main positions: snapshot ${later} (pruned): its day was never pruned`,
    ]);
  });
});

/** Computes the lines of `daily_ranges` from the rows, with numbers as big integers in units of their last place. */
function rangesOf(path: string, before: number): string[] {
  const ranges = new Map<string, [least: string, greatest: string]>();
  const units = (digits: string) => {
    const [whole = "", fraction = ""] = digits.split(".");
    return BigInt(whole + fraction.padEnd(20, "0"));
  };
  for (const [dataset, view] of [
    [spotAssets, "spot_assets_history"],
    [positions, "positions_history"],
  ] as const) {
    const fields = Object.keys(dataset.columns).filter((name) => dataset.columns[name]?.kind === "decimal");
    const keys = dataset.key.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
    const rows = query(
      path,
      `select * from ${view} where taken_at_ms < ${Math.floor(before / day) * day} order by snapshot_id`,
    );
    for (const row of rows)
      for (const name of fields) {
        const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
        const value = row[field] as string | null;
        if (value === null) continue;
        const item = keys.map((key) => row[key]).join(" ");
        const id = [row.account, dataset.name, row.product_type, String(row.taken_at).slice(0, 10), item, field].join(
          "|",
        );
        const [least, greatest] = ranges.get(id) ?? [value, value];
        ranges.set(id, [
          units(value) < units(least) ? value : least,
          units(value) > units(greatest) ? value : greatest,
        ]);
      }
  }
  return [...ranges].map(([id, extremes]) => [id, ...extremes].join("|")).toSorted();
}
