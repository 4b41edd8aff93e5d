/** Parses responses from the archive again. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../../../src/collecting/collect.ts";
import type { Item, Row } from "../../../src/core/domain.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import type { Dataset } from "../../../src/datasets/dataset.ts";
import type { IncrementalDataset } from "../../../src/datasets/incremental.ts";
import { snapshotDatasetNamed, snapshotDatasets } from "../../../src/datasets/index.ts";
import { bills } from "../../../src/datasets/ledger/bills.ts";
import type { Fault } from "../../../src/simulator/simulator.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { openRawReader, rawFile } from "../../../src/store/responses/archive-file.ts";
import type { Replayed } from "../../../src/store/responses/comparison.ts";
import { correct } from "../../../src/store/responses/correct.ts";
import { replay } from "../../../src/store/responses/replay.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { scopesOf } from "../../support/declared.ts";
import { classic, credentials, everyDataset, unified } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";
import { reading } from "../later.ts";

const start = "2026-10-20T10:00:30Z";
const slots = ["2026-10-20T10:01:00Z", "2026-10-20T10:02:00Z", "2026-10-20T10:03:00Z"];
const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");
const badShape: Fault = {
  path: "/api/v2/spot/account/assets",
  edit: (envelope) => ({ ...(envelope as object), data: [{ coin: "BTC", available: "much" }] }),
};

/** Collects three minutes, and writes the queued responses. */
async function collectMinutes(account = classic, faults: Fault[] = []): Promise<World> {
  const world = await createWorld(
    start,
    { ...credentials(account), ...everyDataset("* * * * *") },
    { accounts: [account] },
  );
  for (const [n, slot] of slots.entries()) {
    if (n === 1) for (const fault of faults) world.exchange.injectFault(fault);
    await world.at(slot);
  }
  await world.restart();
  return world;
}

const replayed = ({ path }: World, dataset: Dataset): Replayed[] => [...replay(path, dataset, 0)];

const outcomes = (world: World, dataset: Dataset) => [
  ...new Set(replayed(world, dataset).map(({ outcome }) => outcome)),
];

/** Changes the file of raw responses. */
function alter({ path }: World, sql: string): void {
  const raw = new Database(rawFile(path));
  raw.exec(sql);
  raw.close();
}

it("the collector keeps the response to each of its requests, including retries", async () => {
  const world = await collectMinutes(classic, [{ path: "/api/v2/spot/account/assets", status: 503, body: "<html>" }]);
  const requests = world.rows("select sum(requests) as n from runs where scheduled_for > '2026-10-20T10:01:30'");
  const raw = openRawReader(rawFile(world.path));
  onTestFinished(() => void raw?.close());
  const [, second = ""] = slots;
  const kept = raw?.prepare("select count(*) as n from answer where slot >= ?").all(Date.parse(second));
  expect(kept).toEqual(requests);
  expect(
    raw?.prepare("select status, number from answer where slot = ? and status <> 200").all(Date.parse(second)),
  ).toEqual([{ status: 503, number: 1 }]);
});

it("the parser that stored the rows parses the same ones again", async () => {
  const world = await collectMinutes();
  const found = snapshotDatasets.map((dataset) => [
    dataset.name,
    replayed(world, dataset).length,
    ...outcomes(world, dataset),
  ]);
  expect(found).toEqual(snapshotDatasets.map(({ name }) => [name, slots.length * scopesOf(name, "v2").length, "same"]));
});

it("rows of a unified account that are computed from several datasets are left out", async () => {
  const world = await collectMinutes(unified);
  for (const dataset of snapshotDatasets.filter(({ sources }) => sources.v3))
    expect(outcomes(world, dataset), dataset.name).toEqual([dataset.name === "equity" ? "computed" : "same"]);
});

it("names every cell that another parser reads differently, and every row that it adds or omits", async () => {
  const world = await collectMinutes();
  const [first] = world.rows("select coin, available from spot_assets_history where coin = 'BTC' limit 1") as {
    available: string;
  }[];
  const changed = reading(spotAssets, (items) => [
    ...items
      .filter(({ row }) => row.coin !== "USDT")
      .map((one) =>
        one.row.coin === "BTC" ? { row: { ...one.row, available: "1.50", debt: "0.1" }, extra: { loan: 7 } } : one,
      ),
    ...items
      .filter(({ row }) => row.coin === "USDT")
      .map(({ row }) => ({ row: { ...row, coin: "USDX" }, extra: null })),
  ]);
  const all = replayed(world, changed);
  expect(all.map(({ outcome }) => outcome)).toEqual(["different", "different", "different"]);
  expect(all[0]).toMatchObject({ account: "main", productType: "", slot: Date.parse(slots[0] ?? "") });
  const byItem = (all[0]?.differences ?? []).toSorted((one, other) => one.item.localeCompare(other.item));
  expect(byItem).toEqual([
    { item: "BTC", field: "available", stored: first?.available, reparsed: "1.50" },
    { item: "BTC", field: "debt", stored: null, reparsed: "0.1" },
    { item: "BTC", field: "extra", stored: null, reparsed: '{"loan":7}' },
    { item: "USDT", field: "row", stored: "there", reparsed: null },
    { item: "USDX", field: "row", stored: null, reparsed: "there" },
  ]);
});

it("finds failures that another parser would read, and good snapshots that it would reject", async () => {
  const world = await collectMinutes(classic, [badShape]);
  expect(replayed(world, spotAssets).map(({ outcome }) => outcome)).toEqual(["same", "same", "same"]);
  const lenient = { ...spotAssets, sources: { v2: { ...spotAssets.sources.v2, items: () => [] } } } as Dataset;
  expect(replayed(world, lenient).map(({ outcome }) => outcome)).toEqual(["different", "readable", "different"]);
  const strict = reading(spotAssets, () => {
    throw new ShapeError("/api/v2/spot/account/assets", "data[0].coin", "is odd");
  });
  expect(replayed(world, strict).map(({ outcome, problem }) => [outcome, problem])).toEqual([
    ["rejected", "/api/v2/spot/account/assets: data[0].coin: is odd"],
    ["same", null],
    ["rejected", "/api/v2/spot/account/assets: data[0].coin: is odd"],
  ]);
});

it("a failure without a response stays a failure", async () => {
  const world = await collectMinutes(classic, [{ path: "/api/v2/spot/account/assets", reset: true, times: 3 }]);
  expect(replayed(world, spotAssets).map(({ outcome }) => outcome)).toEqual(["same", "no response", "same"]);
});

it("ignores a response that was altered or is missing", async () => {
  const world = await collectMinutes();
  const slot = slots.map((one) => Date.parse(one));
  alter(
    world,
    `update body set digest = zeroblob(32) where id = (select body_id from answer join source s on s.id = source_id
       where s.dataset = 'spot-assets' and slot = ${slot[0]});
     delete from answer where slot = ${slot[1]}`,
  );
  expect(replayed(world, spotAssets).map(({ outcome }) => outcome)).toEqual(["no response", "no response", "same"]);
});

it("a run is stored and completes while responses cannot be kept", async () => {
  const world = await createWorld(start, everyDataset("* * * * *"));
  const other = new Database(rawFile(world.path));
  other.exec("begin immediate");
  for (const slot of slots) await world.at(slot);
  await world.restart();
  other.close();
  expect(world.rows("select state, count(*) as runs from runs group by state")).toEqual([{ state: "ok", runs: 18 }]);
  expect(outcomes(world, positions)).toEqual(["no response"]);
});

it("finds no responses if none are kept, and collecting needs none", async () => {
  const world = await createWorld(start, { ...everyDataset("* * * * *"), KEEP_RAW_DAYS: "0" });
  await world.at(slots[0] ?? "");
  expect(world.rows("select distinct state from runs")).toEqual([{ state: "ok" }]);
  expect(replayed(world, positions)).toEqual([]);
  expect(rawFile(world.path)).toBe(join(world.path, "..", "collector.raw.db"));
});

describe("records", () => {
  const ledger: IncrementalDataset = { ...bills, sources: { v2: bills.sources.v2?.slice(0, 1) ?? [] } };

  /** The dataset as another version of the program reads it. */
  const readAs = (change: (item: Item) => Item): IncrementalDataset => ({
    ...ledger,
    sources: {
      v2: (ledger.sources.v2 ?? []).map((list) => ({
        ...list,
        read: (data, ...more) => {
          const page = list.read(data, ...more);
          return { ...page, items: page.items.map(change) };
        },
      })),
    },
  });

  /** Collects the spot ledger of the simulated account twice, once after a refused request. */
  async function collected(): Promise<World> {
    const world = await createWorld(start, credentials(classic), { accounts: [classic] });
    const { deps, sessions } = world.app;
    const [session] = sessions;
    if (!session) throw new Error("there is no session");
    for (const [n, slot] of slots.entries()) {
      world.clock.advanceTo(Date.parse(slot));
      if (n === 1) world.exchange.injectFault({ path: "/api/v2/spot/account/bills", status: 503, body: "<html>" });
      const request = { dataset: ledger, session, slot: Date.parse(slot), trigger: "schedule" } as const;
      expect(await collect(request, { ...deps, datasets: [ledger] })).toBe("ok");
    }
    await world.restart();
    return world;
  }

  const contents = (world: World) => world.rows("select * from bills order by category, bill_id, version");

  it("are read again from all pages of their run, and corrected if another parser reads them differently", async () => {
    const world = await collected();
    const before = contents(world);
    expect(before.length).toBeGreaterThan(10);
    expect([...replay(world.path, ledger, 0)].map(({ outcome }) => outcome)).toEqual(["same", "same", "same"]);
    const wider = readAs(({ row, extra }) => ({ row: { ...row, symbol: "ANOTHER" }, extra }));
    const [first] = [...replay(world.path, wider, 0)];
    expect(first?.outcome).toBe("different");
    expect(new Set(first?.differences.map(({ field }) => field))).toEqual(new Set(["symbol"]));
    const firsts = first ? [first] : [];
    expect((await correct(world.path, wider, firsts, { now: 0 })).scopes).toMatchObject([
      { snapshots: 1, refusal: null },
    ]);
    await reconcileFile(world.path, { now: 0, isFull: true });
    expect(contents(world)).toEqual(before.map((row) => ({ ...(row as Row), symbol: "ANOTHER" })));
    expect((await verify(world.path, [wider])).problems).toEqual([]);
    expect([...replay(world.path, wider, 0)].map(({ outcome }) => outcome)).toEqual(["same", "same", "same"]);
  });

  it("are never deleted by a correction, and left as they are if a page is missing", async () => {
    const world = await collected();
    const before = contents(world);
    const renamed = readAs(({ row, extra }) => ({ row: { ...row, billId: `${row.billId}0` }, extra }));
    const [first] = [...replay(world.path, renamed, 0)];
    const firsts = first ? [first] : [];
    expect((await correct(world.path, renamed, firsts, { now: 0 })).scopes).toMatchObject([
      { snapshots: 0, refusal: expect.stringMatching(/^no response that is kept contains \d+$/) },
    ]);
    alter(world, "delete from answer where number = 1");
    expect([...replay(world.path, ledger, 0)].map(({ outcome }) => outcome)).toEqual(Array(3).fill("no response"));
    expect((await correct(world.path, renamed, firsts, { now: 0 })).scopes).toMatchObject([
      { snapshots: 0, refusal: expect.stringContaining("are not kept, so that records would be lost") },
    ]);
    expect(contents(world)).toEqual(before);
  });
});
