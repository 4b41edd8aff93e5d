import { expect, it } from "vitest";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import { positions } from "../../../src/datasets/snapshots/positions.ts";
import { spotAssets } from "../../../src/datasets/snapshots/spot-assets.ts";
import { btc, equityRow, scheduleAll } from "../../reports/kit.ts";
import { minute, start } from "../../store/kit.ts";
import { startAccounts } from "../account.ts";

interface Curve {
  at: number[];
  lines: { name: string; values: (string | null)[] }[];
}

/** Returns the minutes since the start with the value of the first line, "-" where the line breaks. */
const pointsOf = ({ at, lines }: Curve): string[] =>
  at.map((instant, index) => `${(instant - start) / minute} ${lines[0]?.values[index] ?? "-"}`);

it("returns exact values, and breaks the line where a slot has no data", async () => {
  const { record, json } = await startAccounts({ minutes: 6 });
  for (const at of [0, 1, 2, 4, 5, 6]) await record(equity, at, [equityRow(`${1000 + at}.000000000000000001`)]);
  const curve = await json(`/api/curve?from=${start}`);
  expect(pointsOf(curve)).toEqual([
    "0 1000.000000000000000001",
    ...["1 1001.000000000000000001", "2 1002.000000000000000001", "3 -"],
    ...["4 1004.000000000000000001", "5 1005.000000000000000001", "6 1006.000000000000000001"],
  ]);
});

// The first span is read point by point, the second from the cached hours.
it.each([`from=${start}`, "from=0"])(
  "draws the partial equity as a separate line, never as the total (%s)",
  async (from) => {
    const { record, json } = await startAccounts({ minutes: 2 });
    await record(equity, 0, [equityRow("5")]);
    await record(equity, 1, [equityRow("3", 0)]);
    await record(equity, 2, [equityRow("5")]);
    const { lines } = await json(`/api/curve?${from}&lines=total,known_part`);
    expect(lines.map(({ values }: { values: unknown[] }) => values.slice(-3))).toEqual([
      ["5", null, "5"],
      [null, "3", null],
    ]);
  },
);

// The first span is read point by point, the second from the cached hours.
it.each([`from=${start}`, "from=0"])("adds up accounts with different seconds once per minute (%s)", async (from) => {
  const { record, store, json, page, goTo } = await startAccounts({ minutes: 4, accounts: [] });
  await scheduleAll(store, "15 * * * * *", start - minute, "main");
  await scheduleAll(store, "45 * * * * *", start - minute, "hedge");
  // Seconds 15 and 45; the hedge account has no data in the second minute, and is not due yet in the last one.
  for (const at of [0.25, 1.25, 2.25, 3.25]) await record(equity, at, [equityRow(`${100 + Math.floor(at)}`)]);
  for (const at of [0.75, 2.75]) await record(equity, at, [equityRow(`${10 + Math.floor(at)}`)], "hedge");
  goTo(3.3);
  expect(pointsOf(await json(`/api/curve?${from}`)).slice(-3)).toEqual(["0.25 110", "1.25 -", "2.25 114"]);
  expect(await page("/")).toContain("114");
  goTo(4.4);
  expect(pointsOf(await json(`/api/curve?${from}`)).slice(-2)).toEqual(["2.25 114", "3.25 -"]);
});

it("keeps the highest and the lowest value of a long span in few points, and continues with new data", async () => {
  const { record, json, goTo } = await startAccounts({ minutes: 179 });
  for (let at = 0; at < 180; at += 1)
    await record(equity, at, [equityRow(at === 70 ? "9999.9" : at === 100 ? "0.1" : "50")]);
  const before = pointsOf(await json("/api/curve?from=0&width=50"));
  expect(before.length).toBeLessThan(12);
  expect(before).toContain("70 9999.9");
  expect(before).toContain("100 0.1");
  goTo(185);
  await record(equity, 183, [equityRow("60")]);
  const after = pointsOf(await json("/api/curve?from=0&width=4000"));
  expect(after.slice(-3)).toEqual(["180 -", "183 60", "184 -"]);
});

it("loses nothing if a long history is read in several steps", async () => {
  const { record, json } = await startAccounts({ minutes: 2999 });
  const isSilent = (at: number) => at >= 1980 && at < 2041;
  const minutes = Array.from({ length: 3000 }, (_, at) => at).filter((at) => !isSilent(at));
  await Promise.all(
    minutes.map((at) => record(equity, at, [equityRow(at === 1979 ? "70.5" : at === 2500 ? "0.5" : "50")])),
  );
  const found = pointsOf(await json("/api/curve?from=0&width=50"));
  expect(found.filter((point) => !point.endsWith(" 50"))).toEqual(["1979 70.5", "1980 -", "2500 0.5"]);
  expect(found.at(-1)).toBe("2999 50");
});

it("draws a gap for slots that were due before the first and after the last point", async () => {
  const { record, json } = await startAccounts({ minutes: 10 });
  await record(equity, 3, [equityRow("5")]);
  expect(pointsOf(await json("/api/curve?span=1d"))).toEqual(["0 -", "3 5", "4 -"]);
});

it("adds up accounts slot by slot, and draws slots of only one of them as partial", async () => {
  const { record, json } = await startAccounts({ minutes: 2, accounts: ["main", "hedge"] });
  for (const at of [0, 1, 2]) await record(equity, at, [equityRow("0.1")]);
  for (const at of [0, 2]) await record(equity, at, [equityRow("0.2")], "hedge");
  const { at, lines } = await json(`/api/curve?from=${start}&lines=total,known_part`);
  expect(at.slice(-3)).toEqual([start, start + minute, start + 2 * minute]);
  expect(lines.map(({ values }: { values: unknown[] }) => values.slice(-3))).toEqual([
    ["0.3", null, "0.3"],
    [null, "0.1", null],
  ]);
});

it("reads an incomplete hour again, even if later hours have been read", async () => {
  const { record, json } = await startAccounts({ minutes: 150, accounts: ["main", "hedge"] });
  const slots = Array.from({ length: 151 }, (_, at) => at);
  for (const at of slots) await record(equity, at, [equityRow("1")]);
  const [early, late] = [slots.slice(0, 40), slots.slice(40)];
  for (const at of early) await record(equity, at, [equityRow("2")], "hedge");
  const last = async () =>
    pointsOf(await json("/api/curve?from=0&width=4000&lines=total"))
      .filter((point) => / 3$/.test(point))
      .at(-1);
  expect(await last()).toBe("39 3");
  for (const at of late) await record(equity, at, [equityRow("2")], "hedge");
  expect(await last()).toBe("150 3");
  const { lines } = await json("/api/curve?from=0&width=4000&lines=total");
  expect(lines[0].values).not.toContain(null);
});

it.each([null, "0 0 * * *"])("draws manual runs of an hour that was read before (schedule: %s)", async (pattern) => {
  const { store, record, json, goTo } = await startAccounts({ minutes: 10 });
  await store.setSchedule("main", "equity", pattern, start);
  await record(equity, 5, [equityRow("1")]);
  const drawn = async () =>
    pointsOf(await json("/api/curve?from=0&width=4000&lines=total")).filter((point) => !point.endsWith(" -"));
  expect(await drawn()).toEqual(["5 1"]);
  goTo(20);
  await record(equity, 20, [equityRow("2")]);
  expect(await drawn()).toEqual(["5 1", "20 2"]);
});

it("draws a coin as zero where a complete snapshot does not list it", async () => {
  const { record, json } = await startAccounts({ minutes: 2 });
  await record(spotAssets, 0, [btc("1.5", "0.25")]);
  await record(spotAssets, 1, []);
  await record(spotAssets, 2, [btc("2")]);
  const curve = await json(`/api/curve?of=coin&account=main&wallet=spot&coin=BTC&from=${start}`);
  expect(pointsOf(curve)).toEqual(["0 1.75", "1 0", "2 2"]);
});

it.each([`from=${start}`, "from=0"])("draws no value of a closed position (%s)", async (from) => {
  const { record, json } = await startAccounts({ minutes: 4 });
  const held = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "1" };
  const values = (profit: string, mark: string) => ({ unrealizedPl: profit, markPrice: mark, averageOpenPrice: "100" });
  await record(positions, 0, [{ ...held, ...values("1.5", "101.5") }], "main", "umcbl");
  await record(positions, 1, [{ ...held, ...values("1.5", "101.5") }], "main", "umcbl");
  await record(positions, 2, [], "main", "umcbl");
  await record(positions, 3, [{ ...held, ...values("-0.5", "99.5") }], "main", "umcbl");
  await record(positions, 4, [], "main", "umcbl");
  const key = "account=main&product_type=umcbl&symbol=BTCUSDT&margin_coin=USDT&hold_side=long&margin_mode=crossed";
  const curve = await json(`/api/curve?of=position&${key}&${from}&lines=unrealized_pl,mark_price,average_open_price`);
  const of = (line: number) => pointsOf({ ...curve, lines: [curve.lines[line]] }).slice(-5);
  expect(of(0)).toEqual(["0 1.5", "1 1.5", "2 -", "3 -0.5", "4 -"]);
  expect(of(1)).toEqual(["0 101.5", "1 101.5", "2 -", "3 99.5", "4 -"]);
  expect(of(2)).toEqual(["0 100", "1 100", "2 -", "3 100", "4 -"]);
});
