/** Tests the interface through which everything but the collector reads, on a file that is being written. */
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { runToEnd } from "../../src/core/async/cooperate.ts";
import type { Row } from "../../src/core/domain.ts";
import { datasets } from "../../src/datasets/index.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { positions } from "../../src/datasets/snapshots/positions.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import type { HistoryReader } from "../../src/store/history.ts";
import { openHistory } from "../../src/store/read/open-history.ts";
import { prune } from "../../src/store/retention/prune.ts";
import type { Store } from "../../src/store/store.ts";
import { btc, equityRow, scheduleAll, storeRun } from "../reports/kit.ts";
import { collect, failed, minute, start } from "./kit.ts";
import { open, temporaryPath } from "./temporary.ts";

const at = (n: number): number => start + n * minute;
const iso = (n: number): string => new Date(at(n)).toISOString();
const always = { from: 0, to: Number.MAX_SAFE_INTEGER };

let path: string;
let store: Store;
let history: HistoryReader;

beforeEach(async () => {
  path = temporaryPath();
  store = await open(path);
  await scheduleAll(store, "* * * * *", at(-1));
  history = openHistory(path);
  onTestFinished(() => history.close());
});

const amounts = (row: { rows: unknown[][]; columns: string[] }): unknown[] =>
  row.rows.map((cells) => cells[row.columns.indexOf("available")]);

const position = (total: string, cells: Row = {}): Row => ({
  symbol: "BTCUSDT",
  marginCoin: "USDT",
  holdSide: "long",
  marginMode: "crossed",
  openedAt: at(-5),
  total,
  ...cells,
});

const key = {
  account: "main",
  product_type: "umcbl",
  symbol: "BTCUSDT",
  margin_coin: "USDT",
  hold_side: "long",
  margin_mode: "crossed",
};

it("shows one state while it is held, and a new version after each commit", async () => {
  await storeRun(store, spotAssets, at(0), [btc("1")]);
  const before = history.version();
  expect(history.version()).toBe(before);
  const release = history.hold();
  const read = () => amounts(history.asOf(spotAssets, {}, at(1)));
  expect(read()).toEqual(["1"]);
  await storeRun(store, spotAssets, at(1), [btc("2")]);
  expect(read()).toEqual(["1"]);
  release();
  expect(read()).toEqual(["2"]);
  expect(history.version()).not.toBe(before);
});

it("is unchanged since a mark until older data is pruned or the file is replaced", async () => {
  for (const hour of [0, 1, 2]) await storeRun(store, spotAssets, at(hour * 60), [btc(String(hour))]);
  const mark = history.mark();
  await storeRun(store, spotAssets, at(3 * 60), [btc("3")]);
  expect(history.isUnchangedSince(mark)).toBe(true);
  expect(history.isUnchangedSince({ ...mark, file: "another" })).toBe(false);
  store.close();
  await prune(path, datasets, at(2 * 24 * 60));
  expect(history.isUnchangedSince(mark)).toBe(false);
  expect(history.isUnchangedSince(history.mark())).toBe(true);
  expect(history.prunedDays(spotAssets, "main")).toEqual([start]);
  expect(history.prunedDays(spotAssets, "hedge")).toEqual([]);
});

it("returns all accounts, the removed ones, and the API version of each at an instant", async () => {
  await scheduleAll(store, "* * * * *", at(0), "hedge");
  await store.setSchedule("hedge", "equity", null, at(5));
  await store.setApiVersion("main", "v2", at(1), "configured");
  await store.setApiVersion("main", "v3", at(3), "upgraded");
  expect(history.accounts()).toEqual(["main", "hedge"]);
  expect([at(4), at(5)].map((instant) => history.accountsRemovedAt(instant))).toEqual([[], ["hedge"]]);
  const versions = [0, 1, 2, 3].map((n) => history.apiVersionAt("main", at(n)));
  expect(versions).toEqual([null, "v2", "v2", "v3"]);
  expect(history.apiVersionAt("hedge", at(9))).toBeNull();
});

it("returns the last complete equities over at most three slots", async () => {
  const rows: [string, 0 | 1][] = [
    ["1", 1],
    ["2", 1],
    ["3", 0],
    ["4", 1],
  ];
  for (const [n, [value, complete]] of rows.entries())
    await storeRun(store, equity, at(n), [equityRow(value, complete)]);
  expect(history.lastCompleteEquities("main", at(9))).toEqual([
    { slot: at(3), value: "4" },
    { slot: at(1), value: "2" },
  ]);
  expect(history.lastCompleteEquities("main", at(-1))).toEqual([]);
});

it("counts the outcomes of slots, and returns the first slot whose outcome is not final", async () => {
  expect([history.firstSlot(), history.hasRuns(always)]).toEqual([null, false]);
  await storeRun(store, spotAssets, at(0), [btc("1")]);
  await collect(store, spotAssets, at(1), { failures: [failed("timeout", at(1))] });
  const series = history.series("main").find(({ dataset }) => dataset === "spot-assets");
  const counts = runToEnd(history.countSlots(series?.id ?? 0, { from: at(0), to: at(4) }, at(9)));
  expect(counts).toMatchObject({ due: 4, ok: 1, failed: 1, missed: 2, alwaysScheduled: true, offered: true });
  expect(counts.causes).toEqual([
    ["not written yet", 2],
    ["timeout", 1],
  ]);
  expect([history.firstSlot(), history.hasRuns({ from: at(1), to: at(2) })]).toEqual([at(0), true]);
  expect(history.hasRuns({ from: at(2), to: at(9) })).toBe(false);
  expect(history.lastFailure(series?.id ?? 0, at(9))).toMatchObject({ slot: at(1), messages: ["no answer: timeout"] });
  expect(history.lastFailure(series?.id ?? 0, at(0))).toBeNull();
  const gaps = [...history.gaps("main", always)].map(({ dataset, fromSlot, cause }) => [dataset, fromSlot, cause]);
  expect(gaps).toEqual([["spot-assets", at(1), "timeout"]]);
  // The other datasets of the account have no row for their first slot.
  expect(history.firstOpenSlot()).toBe(at(0));
  expect([history.firstOpenSlot([series?.id ?? 0]), history.firstOpenSlot([])]).toEqual([
    at(2),
    Number.POSITIVE_INFINITY,
  ]);
  for (const { account, dataset } of history.scheduled())
    await store.closeSlots(
      account,
      dataset,
      [0, 1, 2].map((n) => ({ slot: at(n), state: "missed" as const, cause: "asleep" })),
    );
  expect(history.firstOpenSlot()).toBe(at(3));
  const run = await store.begin("main", "spot-assets", at(3), at(3));
  expect([run === null, history.firstOpenSlot()]).toEqual([false, at(3)]);
});

it("returns the freshness of each series, now and at an instant", async () => {
  await storeRun(store, spotAssets, at(0), [btc("1")]);
  const series = history.scheduled().find(({ dataset }) => dataset === "spot-assets");
  if (!series) throw new Error("nothing is scheduled");
  const freshAt = (n: number) => history.freshnessAt(series, at(n)).fresh;
  expect([0, 2, 3].map(freshAt)).toEqual([true, true, false]);
  // A clock that is far behind what is stored makes nothing fresh.
  expect([history.freshnessNow(series, at(1)).fresh, history.freshnessNow(series, at(-60)).fresh]).toEqual([
    true,
    false,
  ]);
  const states = history.status(at(1)).map(({ dataset, fresh, coverage }) => [dataset, fresh, coverage.day]);
  expect(states).toContainEqual(["spot-assets", true, 1]);
  expect(history.freshness(at(1)).map(({ dataset }) => dataset)).toEqual(
    history.scheduled().map(({ dataset }) => dataset),
  );
  await store.setSchedule("main", "spot-assets", null, at(4));
  const names = (instant?: number) => history.scheduled(instant).map(({ dataset }) => dataset);
  expect([names().includes("spot-assets"), names(at(3)).includes("spot-assets")]).toEqual([false, true]);
});

it("returns the state as of an instant, filtered by columns, or that it is unknown", async () => {
  await storeRun(store, spotAssets, at(0), [btc("1"), { ...btc("7"), coin: "ETH" }]);
  expect(history.firstTaken(spotAssets, "main", null)).toBe(at(0));
  expect(history.firstTaken(spotAssets, "hedge", null)).toBeNull();
  expect(amounts(history.asOf(spotAssets, { account: "main", coin: "ETH" }, at(1)))).toEqual(["7"]);
  expect(amounts(history.asOf(spotAssets, { coin: "' or 1=1 --" }, at(1)))).toEqual([]);
  const late = history.asOf(spotAssets, {}, at(3));
  expect([late.rows, late.scopes[0]?.known]).toEqual([[], false]);
  expect(history.asOf(spotAssets, {}, at(-1)).scopes).toMatchObject([{ known: false, takenAt: null, ageMs: null }]);
});

it("reads all rows, the newest, those that changed, and snapshot by snapshot", async () => {
  for (const [n, amount] of ["1", "1", "2", "2"].entries()) await storeRun(store, spotAssets, at(n), [btc(amount)]);
  const place = history.columns(spotAssets).indexOf("available");
  const rows = (...only: [{ newest?: number; changes?: boolean }?]) =>
    [...history.rows(spotAssets, {}, { from: at(0), to: at(4) }, ...only)].map((row) => row[place]);
  expect([rows(), rows({ newest: 3 }), rows({ changes: true })]).toEqual([
    ["1", "1", "2", "2"],
    ["1", "2", "2"],
    ["1", "2"],
  ]);
  const scanned = history.scan(spotAssets, { from: at(1), to: at(3) }, { cell: (cell, name) => `${name}=${cell}` });
  expect([...scanned].map((rows) => rows.map((row) => row[place]))).toEqual([["available=1"], ["available=2"]]);
  expect(history.countRows(spotAssets, { from: at(1), to: at(3) })).toBe(2);
  const changes = [...history.latestChanges(spotAssets, "main", { coin: "BTC" }, always)];
  const amountsOf = changes.flatMap((row) => (typeof row === "symbol" ? [] : [row.available]));
  expect(amountsOf).toEqual(["2", "1"]);
  expect(() => [...history.latestChanges(spotAssets, "main", { available: "2" }, always)]).toThrow(RangeError);
  const [item] = history.items(spotAssets, "main", null, { coin: "BTC" });
  if (!item) throw new Error("the coin has no item");
  const points = history.points(spotAssets, item, always, ["available"], (cells) => cells?.[0] ?? null);
  expect([...points].map(({ slot, value }) => [slot, value])).toEqual([
    [at(0), "1"],
    [at(1), "1"],
    [at(2), "2"],
    [at(3), "2"],
  ]);
  expect(history.items(spotAssets, "hedge", null, { coin: "BTC" })).toEqual([]);
});

it("returns the position episodes of a span, the closed ones, and one by its key", async () => {
  const responses = [[position("1")], [position("2")], [], [position("3", { openedAt: at(3) })]];
  for (const [n, rows] of responses.entries()) await storeRun(store, positions, at(n), rows, "umcbl");
  const openings = (rows: Iterable<Readonly<Record<string, unknown>>>) =>
    [...rows].map((row) => [row.state, row.first_seen_at, row.largest_total]);
  const [first, second] = [
    ["closed", iso(0), "2"],
    ["open", iso(3), "3"],
  ];
  expect(openings(history.episodes(null, always))).toEqual([first, second]);
  expect(openings(history.episodes(null, { from: at(0), to: at(2) }))).toEqual([first]);
  expect(openings(history.episodes("hedge", always))).toEqual([]);
  expect([openings(history.closedEpisodes("main", at(9))), openings(history.closedEpisodes(null, at(1)))]).toEqual([
    [first],
    [],
  ]);
  const one = (firstSeenAt: string | null, n: number) => history.episodeOf(key, firstSeenAt, at(n))?.first_seen_at;
  expect([one(null, 9), one(iso(0), 9), one(null, 1), one(null, -1)]).toEqual([iso(3), iso(0), iso(0), undefined]);
  expect(history.episodeOf({ ...key, symbol: "' or 1=1 --" }, null, at(9))).toBeUndefined();
});

it("returns the last snapshot of each scope and its rows, which alerts evaluate", async () => {
  await storeRun(store, spotAssets, at(0), [btc("1")]);
  await storeRun(store, spotAssets, at(1), [btc("2")]);
  const [last] = history.lastSnapshots();
  expect(last).toMatchObject({ account: "main", dataset: "spot-assets", takenAt: at(1), errorCode: null });
  expect(history.snapshotRows(spotAssets, last?.id ?? 0)).toMatchObject([{ coin: "BTC", available: "2" }]);
  expect([history.openAlerts(), history.lastMessages(5)]).toEqual([[], []]);
});

it("cannot be opened without a database of this program", () => {
  expect(() => openHistory(`${path}.absent`)).toThrow("does not exist");
});
