/** Corrects histories that an older parser stored. */
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { decimal } from "../../../src/core/columns.ts";
import type { Dataset } from "../../../src/datasets/dataset.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { Fault } from "../../../src/simulator/simulator.ts";
import { openStore } from "../../../src/store/open.ts";
import { rawFile } from "../../../src/store/responses/archive-file.ts";
import { prune } from "../../../src/store/retention/prune.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { everyDataset } from "../../support/settings.ts";
import { openWorld } from "../../support/world.ts";
import { corrected, other, otherCoins, outcomes, replayed } from "../corrections.ts";
import { change, collect, good, query, quiet } from "../kit.ts";
import { addColumns, reading, withColumn } from "../later.ts";
import { child, temporaryPath } from "../temporary.ts";

type Row = Record<string, unknown>;
const spot = "/api/v2/spot/account/assets";
const positions = { path: "/api/v2/mix/position", params: { productType: "USDT-FUTURES" } };

const editRows = (change: (rows: Row[]) => Row[]) => (envelope: unknown) => {
  const { data, ...rest } = envelope as { data: Row[] };
  return { ...rest, data: change(data) };
};
const ghosts: Fault[] = [
  { path: spot, edit: editRows((rows) => [...rows, { ...rows[0], coin: "GHOST", available: "7" }]) },
  { ...positions, edit: editRows((rows) => [...rows, { ...rows[0], symbol: "GHOSTUSDT" }]) },
];
const unreadable: Fault = { ...positions, edit: editRows((rows) => rows.map((row) => ({ ...row, total: "much" }))) };

/** A few minutes of two days. */
const slots = [1, 2, 3, 4, 5, 6, 7].map((n) => Date.UTC(2026, 9, n <= 3 ? 19 : 20, 10, n));
const [, , , fourth = 0] = slots;

/** Collects every slot. The exchange responds with the faults of `faultsBySlot`, by the index of the slot. */
async function collectSlots(faultsBySlot: Record<number, Fault[]>, path = temporaryPath()): Promise<string> {
  const settings = { ...everyDataset("1-8 10 * * *"), SCHEDULE_PRICES: "", BITGET_PRODUCT_TYPES: "umcbl,dmcbl" };
  const world = await openWorld(path, "2026-10-19T10:00:30Z", settings);
  for (const [n, slot] of slots.entries()) {
    for (const fault of faultsBySlot[n] ?? []) world.exchange.injectFault(fault);
    await world.at(slot);
  }
  await world.close();
  return path;
}

let haunted = "";
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "corrections-"));
  haunted = await collectSlots({ 4: ghosts }, join(folder, "collector.db"));
  return () => rmSync(folder, { recursive: true });
});

/** Copies a database of all slots, with GHOST and GHOSTUSDT in the fifth. Returns its path. */
function seeded(): string {
  const path = temporaryPath();
  for (const file of [haunted, rawFile(haunted)]) copyFileSync(file, join(dirname(path), basename(file)));
  return path;
}

const problems = async (path: string, known = datasets) => (await verify(path, known)).problems;

/** Returns every row of every table, in stored order. */
function contents(path: string): Record<string, unknown[]> {
  const tables = query(path, "select name from sqlite_master where type = 'table' order by name");
  return Object.fromEntries(tables.map(({ name }) => [String(name), query(path, `select * from ${name}`)]));
}

const backups = (path: string): string[] =>
  readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.before`));

describe("a correction", () => {
  it("records what another parser reads differently: rows, zeros, counts, episodes, digests", async () => {
    const path = seeded();
    const count = "select coin, count(*) as n from spot_assets_history where coin = 'GHOST' group by coin";
    expect(query(path, count)).toEqual([{ coin: "GHOST", n: 2 }]);
    const runs = query(path, "select dataset, scheduled_for_ms as slot, rows from runs order by run_id");
    const coins = await corrected(path, otherCoins, Date.UTC(2026, 9, 20, 12));
    expect(coins).toMatchObject({
      scopes: [{ first: { account: "main", productType: "", slot: slots[4] }, snapshots: 2, refusal: null }],
      backup: `${path}.before-correction-20261020T120000Z`,
    });
    expect((await corrected(path, other)).scopes).toMatchObject([{ snapshots: 7 }, { snapshots: 7 }]);
    expect(await problems(path)).toEqual([]);
    expect([...outcomes(path, otherCoins), ...outcomes(path, other)]).toEqual(["same", "same"]);
    expect(query(path, count)).toEqual([]);
    expect(query(path, "select count(*) as n from position_episodes where symbol = 'GHOSTUSDT'")).toEqual([{ n: 0 }]);
    expect(query(path, "select count(*) as n from positions_item where symbol = 'GHOSTUSDT'")).toEqual([{ n: 0 }]);
    const fewer = runs.map((run) => {
      const wasShown =
        (run.dataset === "spot-assets" && [slots[4], slots[5]].includes(Number(run.slot))) ||
        (run.dataset === "positions" && run.slot === slots[4]);
      return { ...run, rows: Number(run.rows) - (wasShown ? 1 : 0) };
    });
    expect(query(path, "select dataset, scheduled_for_ms as slot, rows from runs order by run_id")).toEqual(fewer);
  });

  it("makes a backup first, and does not change the first snapshots, which are the same", async () => {
    const path = seeded();
    const before = contents(path);
    const { backup } = await corrected(path, otherCoins);
    expect(contents(backup ?? "")).toEqual(before);
    expect(await problems(backup ?? "")).toEqual([]);
    const after = contents(path);
    const unlike = Object.keys(after).filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]));
    expect(unlike).toEqual(["link", "run", "snapshot", "spot_assets_item", "spot_assets_moving", "spot_assets_steady"]);
    expect(after.link?.slice(0, before.link?.length)).toEqual(before.link);
    expect(after.link?.slice(before.link?.length)).toHaveLength(4);
  });

  it("moves a formerly unknown field into its new column, and updates the digest", async () => {
    const unknownField = {
      path: spot,
      times: Number.POSITIVE_INFINITY,
      edit: editRows((rows) => rows.map((row) => ({ ...row, airDrop: "0.10" }))),
    };
    const path = await collectSlots({ 2: [unknownField] });
    const wider = reading(withColumn(snapshotDatasetNamed("spot-assets"), "airDrop", decimal().addedLater()), (items) =>
      items.map(({ row, extra }) => {
        const { airDrop = null, ...rest } = extra ?? {};
        return {
          row: { ...row, airDrop: airDrop as string | null },
          extra: Object.keys(rest).length > 0 ? rest : null,
        };
      }),
    );
    const known = datasets.map((one) => (one.name === wider.name ? wider : one));
    addColumns(path, wider);
    (await openStore({ path, datasets: known, log: quiet, clock: systemClock })).close();
    expect(await problems(path, known)).toEqual([]);
    expect((await corrected(path, wider)).scopes).toMatchObject([{ snapshots: 5, refusal: null }]);
    expect(await problems(path, known)).toEqual([]);
    expect(outcomes(path, wider)).toEqual(["same"]);
    expect(
      query(
        path,
        "select air_drop, extra, count(distinct snapshot_id) as n from spot_assets_history group by 1, 2 order by n",
      ),
    ).toEqual([
      { air_drop: null, extra: null, n: 2 },
      { air_drop: "0.10", extra: null, n: 5 },
    ]);
  });

  it("changes nothing, and makes no backup, if the parser is the same", async () => {
    const path = seeded();
    const before = contents(path);
    expect(await corrected(path, snapshotDatasetNamed("positions"))).toEqual({ scopes: [], backup: null });
    expect([contents(path), backups(path)]).toEqual([before, []]);
  });

  it("can be repeated with a third parser", async () => {
    const path = seeded();
    await corrected(path, other);
    const third = reading(other, (items) => items.map(({ row, extra }) => ({ row: { ...row, leverage: "3" }, extra })));
    expect((await corrected(path, third)).scopes).toMatchObject([{ snapshots: 7 }, { snapshots: 7 }]);
    expect((await corrected(path, snapshotDatasetNamed("positions"))).scopes).toMatchObject([
      { snapshots: 7 },
      { snapshots: 7 },
    ]);
    expect(await problems(path)).toEqual([]);
    expect(query(path, "select count(*) as n from positions_history where symbol = 'GHOSTUSDT'")).toEqual([{ n: 1 }]);
  });

  it("does not change a failed snapshot, and corrects those around it", async () => {
    const path = await collectSlots({ 3: [unreadable], 4: ghosts });
    const lenient = { ...other, sources: { v2: { ...other.sources.v2, items: () => [] } } } as Dataset;
    expect(outcomes(path, lenient).sort()).toEqual(["different", "readable"]);
    expect((await corrected(path, lenient)).scopes).toMatchObject([{ snapshots: 6 }, { snapshots: 7 }]);
    expect(await problems(path)).toEqual([]);
    expect(
      query(
        path,
        "select state, rows from runs where dataset = 'positions' and state <> 'missed' order by scheduled_for",
      ),
    ).toEqual(["ok", "ok", "ok", "partial", "ok", "ok", "ok"].map((state) => ({ state, rows: 0 })));
  });

  it("includes a run whose slot had been missed before", async () => {
    const path = seeded();
    const spotAssets = snapshotDatasetNamed("spot-assets");
    const [slot, last] = [Date.UTC(2026, 9, 20, 10, 8), slots.at(-1)];
    const store = await openStore({ path, datasets, log: quiet, clock: systemClock });
    await store.closeSlots("main", "spot-assets", [{ slot, state: "missed", cause: "asleep" }]);
    await collect(store, spotAssets, slot, { snapshots: [good([], slot + 400)] });
    store.close();
    change(
      rawFile(path),
      `insert into answer select ${slot}, source_id, number, received_at, status, body_id from answer
      where slot = ${last} and source_id in (select id from source where dataset = 'spot-assets')`,
    );
    expect((await corrected(path, spotAssets)).scopes).toMatchObject([{ snapshots: 1, refusal: null }]);
    expect([await problems(path), outcomes(path, spotAssets)]).toEqual([[], ["same"]]);
  });
});

describe("a scope is not corrected", () => {
  const alterResponses = (path: string, sql: string) => change(rawFile(path), sql);

  it("if a response is missing, because its rows would appear to be removed", async () => {
    const path = seeded();
    alterResponses(
      path,
      `delete from answer where slot = ${slots[5]} and source_id in (select id from source where product_type = 'umcbl' and dataset = 'positions')`,
    );
    const ofLine =
      "select * from positions_history where product_type = 'umcbl' order by snapshot_id, symbol, hold_side";
    const before = query(path, ofLine);
    const { scopes } = await corrected(path, other);
    expect(scopes).toMatchObject([
      {
        first: { productType: "umcbl" },
        snapshots: 0,
        refusal: "the response of 2026-10-20T10:06:00.000Z is not kept, so that rows could appear to be removed there",
      },
      { first: { productType: "dmcbl" }, snapshots: 7, refusal: null },
    ]);
    expect(await problems(path)).toEqual([]);
    expect(query(path, ofLine)).toEqual(before);
  });

  it("if the current parser rejects one of its responses", async () => {
    const path = seeded();
    const picky = reading(snapshotDatasetNamed("spot-assets"), (items) => {
      if (items.some(({ row }) => row.coin === "GHOST")) throw new RangeError("a ghost");
      return items.map(({ row, extra }) => ({ row: { ...row, locked: "0.5" }, extra }));
    });
    const before = contents(path);
    expect((await corrected(path, picky)).scopes).toMatchObject([
      { snapshots: 0, refusal: "the response of 2026-10-20T10:05:00.000Z would be rejected now: a ghost" },
    ]);
    expect([contents(path), backups(path)]).toEqual([before, []]);
  });

  it("if one of its days was pruned", async () => {
    const path = seeded();
    await prune(path, datasets, fourth);
    expect((await corrected(path, other)).scopes.map(({ refusal }) => refusal)).toEqual(
      Array(2).fill("2026-10-19 was pruned, and deleted snapshots cannot be parsed again"),
    );
    expect((await corrected(path, otherCoins)).scopes).toMatchObject([{ snapshots: 2, refusal: null }]);
    expect(await problems(path)).toEqual([]);
  });

  it("if a position would change that was opened on a pruned day", async () => {
    const huge: Fault = { ...positions, edit: editRows((rows) => rows.map((row) => ({ ...row, total: "99999" }))) };
    const path = await collectSlots({ 4: [huge, ...ghosts.slice(0, 1)], 5: ghosts.slice(1) });
    await prune(path, datasets, fourth);
    const withoutGhosts = reading(snapshotDatasetNamed("positions"), (items) =>
      items.filter(({ row }) => row.symbol !== "GHOSTUSDT"),
    );
    expect((await corrected(path, withoutGhosts)).scopes).toMatchObject([{ snapshots: 2, refusal: null }]);
    const less = reading(withoutGhosts, (items) =>
      items.map(({ row, extra }) => ({
        row: { ...row, total: row.total === "99999" ? "9" : (row.total ?? null) },
        extra,
      })),
    );
    expect((await corrected(path, less)).scopes).toMatchObject([
      { snapshots: 0, refusal: "a position that would change was opened on a day that has been pruned" },
    ]);
    expect(await problems(path)).toEqual([]);
  });
});

it.each([1, 7, 8, 14])(
  "a process killed after %s snapshots leaves each scope unchanged or corrected, and the next continues",
  async (left) => {
    const path = seeded();
    const lines = child("corrector", path, String(left));
    await once(lines, "exit");
    expect(lines.signalCode).toBe("SIGKILL");
    expect(await problems(path)).toEqual([]);
    const perScope = new Map(replayed(path, other).map(({ productType, outcome }) => [productType, outcome]));
    expect([...perScope.values()]).toEqual([left <= 7 ? "different" : "same", "different"]);
    await corrected(path, other);
    expect([await problems(path), outcomes(path, other)]).toEqual([[], ["same"]]);
  },
);

it("a day that is about to be pruned is left alone if a correction comes first", async () => {
  const path = seeded();
  const other = new Database(path);
  other.exec("begin immediate");
  const pruned = prune(path, datasets, Date.UTC(2026, 9, 21));
  await setTimeout(300);
  other.exec(`insert into link (note, digest) values ('["corrected",1,"00",1]', zeroblob(32)); commit`);
  other.close();
  await expect(pruned).rejects.toThrow("Another process is correcting this database");
  expect(query(path, "select count(*) as n from pruned")).toEqual([{ n: 0 }]);
});

it("corrected snapshots can be pruned, and the chain is still valid", async () => {
  const path = seeded();
  await corrected(path, other);
  await corrected(path, otherCoins);
  expect(await prune(path, datasets, Date.UTC(2026, 9, 21))).toMatchObject({ days: 2 });
  expect(await problems(path)).toEqual([]);
});

it.each([
  [
    "(link)",
    "update link set note = replace(note, '\"corrected\",', '\"corrected\",1') where note like '[\"corrected\",%'",
  ],
  ["(link)", "update link set note = '[\"corrected\",7,7,7]' where note like '[\"corrected\",%'"],
  ["(link)", "update link set note = substr(note, 1, 20) where note like '[\"corrected\",%'"],
  ["(link)", "delete from link where id = (select max(id) from link where note like '[\"corrected\",%')"],
  ["(run): has ended, but has no link", "delete from link where id = (select max(id) from link)"],
  [
    "(run.rows)",
    "update run set rows = rows + 1 where id = (select max(run_id) from link where note like '[\"corrected\",%')",
  ],
  [
    "is not what was received",
    "update snapshot set digest = zeroblob(16) where id = (select max(id) from snapshot where scope_id = 1)",
  ],
])("verification reports %s if the record of a correction was altered", async (problem, alteration) => {
  const path = seeded();
  await corrected(path, otherCoins);
  expect(await problems(path)).toEqual([]);
  const sqlite = new Database(path);
  expect(sqlite.prepare(alteration).run().changes).toBeGreaterThan(0);
  sqlite.close();
  expect((await problems(path)).join("\n")).toContain(problem);
});
