import { beforeEach, describe, expect, it } from "vitest";
import { pause } from "../../src/core/async/cooperate.ts";
import type { Row } from "../../src/core/domain.ts";
import { datasets } from "../../src/datasets/index.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { fundingAssets } from "../../src/datasets/snapshots/funding-assets.ts";
import { mixAccounts } from "../../src/datasets/snapshots/mix-accounts.ts";
import { positions } from "../../src/datasets/snapshots/positions.ts";
import { prices } from "../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { reportNamed } from "../../src/reports/index.ts";
import { chartOf } from "../../src/reports/render.ts";
import { openHistory } from "../../src/store/read/open-history.ts";
import { prune } from "../../src/store/retention/prune.ts";
import type { Store } from "../../src/store/store.ts";
import { collect, failed, start } from "../store/kit.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { btc, days, equityRow, hour, lines, reportRows, scheduleAll, storeRun } from "./kit.ts";

let path: string;
let store: Store;

beforeEach(async () => {
  path = temporaryPath();
  store = await open(path);
});

/** Returns hourly slots from `from` on. */
const slots = (count: number, from = start): number[] => Array.from({ length: count }, (_, n) => from + n * hour);

const day = 24 * hour;

describe("balances", () => {
  const columns = ["day", "wallet", "coin", "available", "total", "usdt_price", "usdt_value"];

  it("are those at the last instant of the day, valued at the price of that time", async () => {
    await scheduleAll(store, "0 * * * *", start - 1);
    for (const [n, slot] of slots(49).entries()) {
      await storeRun(store, spotAssets, slot, [btc(n < 24 ? "0.10" : "0.30", "0.05", "0.000")]);
      await storeRun(store, prices, slot, [{ coin: "BTC", quote: "USDT", price: n < 24 ? "60000.5" : "61000" }]);
      await storeRun(store, fundingAssets, slot, [{ coin: "USDT", available: "7.00", frozen: "0.10" }]);
      await storeRun(store, mixAccounts, slot, [{ marginCoin: "USDT", available: "90", equity: "100.5" }], "umcbl");
      await storeRun(store, positions, slot, [], "umcbl");
    }
    const rows = reportRows(path, "balances", days("2026-11-01", "2026-11-03"));
    expect(lines(rows, ...columns)).toEqual([
      "2026-11-01 spot BTC 0.10 0.15 60000.5 9000.075",
      "2026-11-01 funding USDT 7.00 7.1 1 7.1",
      "2026-11-01 umcbl USDT 90 100.5 1 100.5",
      "2026-11-02 spot BTC 0.30 0.35 61000 21350",
      "2026-11-02 funding USDT 7.00 7.1 1 7.1",
      "2026-11-02 umcbl USDT 90 100.5 1 100.5",
    ]);
    expect(lines(rows.slice(0, 1), "taken_at", "slots", "slots_ok", "coverage")).toEqual([
      "2026-11-01T23:00:00.000Z 24 24 complete",
    ]);
  });

  it("that are unknown are one row of empty cells per wallet, with the outcomes of the slots", async () => {
    await store.setSchedule("main", "spot-assets", "0 * * * *", start - 1);
    for (const slot of slots(10)) await storeRun(store, spotAssets, slot, [btc("1")]);
    for (const slot of slots(14, start + 10 * hour))
      await store.closeSlots("main", "spot-assets", [{ slot, state: "missed", cause: "not running" }]);
    const rows = reportRows(path, "balances", days("2026-11-01", "2026-11-02"), { now: start + 24 * hour });
    expect(rows.map((row) => Object.values(row))).toEqual([
      ["2026-11-01", "main", "spot", null, null, null, null, null, null, null, null, 24, 10, "gaps"],
    ]);
  });

  it("of an empty wallet have no row, and of a wallet that was never reported have one", async () => {
    await scheduleAll(store, "0 * * * *", start - 1);
    for (const slot of slots(24)) await storeRun(store, spotAssets, slot, []);
    await collect(store, mixAccounts, start, { failures: [failed("timeout", start, "umcbl")] });
    const rows = reportRows(path, "balances", days("2026-11-01", "2026-11-02"), { now: start + 24 * hour });
    expect(lines(rows, "wallet", "coin", "slots", "slots_ok", "coverage")).toEqual([
      "funding - 24 0 none",
      "umcbl - 24 0 none",
    ]);
  });

  it("have no total if a part is unknown, and no value if the price is unknown", async () => {
    await scheduleAll(store, "0 * * * *", start - 1);
    const rows: Row[] = [btc("1", "2", null), { coin: "ODD", available: "3", frozen: "0", locked: "0" }];
    await storeRun(store, spotAssets, start + 23 * hour, rows);
    await storeRun(store, prices, start + 23 * hour, [{ coin: "ODD", quote: "USDT", price: null }]);
    const spot = reportRows(path, "balances", days("2026-11-01", "2026-11-02")).filter(
      ({ wallet }) => wallet === "spot",
    );
    expect(lines(spot, "coin", "total", "usdt_price", "usdt_value")).toEqual(["BTC - - -", "ODD 3 - -"]);
  });

  it("contain the wallet of a unified account once, and demo money without a price", async () => {
    await store.setApiVersion("main", "v3", start - 1, "probed");
    const usdt: Row = { available: "5", equity: "6.5", balance: "7" };
    const slot = start + 23 * hour + 5;
    await storeRun(store, spotAssets, slot, [{ coin: "USDT", ...usdt }]);
    await storeRun(store, mixAccounts, slot, [{ marginCoin: "USDT", ...usdt }], "unified");
    await storeRun(store, mixAccounts, slot, [{ marginCoin: "USDT", equity: "3000" }], "sumcbl", "demo");
    const rows = reportRows(path, "balances", days("2026-11-01", "2026-11-02"));
    expect(lines(rows, "account", "wallet", "coin", "total", "usdt_value", "coverage")).toEqual([
      "main unified USDT 6.5 6.5 not due",
      "demo sumcbl USDT 3000 - not due",
    ]);
  });

  it("are unknown for data that was collected by a manual run on another day", async () => {
    await storeRun(store, spotAssets, start + 5, [btc("1")]);
    const rows = reportRows(path, "balances", days("2026-11-01", "2026-11-03"));
    expect(lines(rows, "day", "coin", "available", "slots", "coverage")).toEqual([
      "2026-11-01 BTC 1 0 not due",
      "2026-11-02 - - 0 not due",
    ]);
  });
});

it("positions are those at the close, with their distance to liquidation where there is one", async () => {
  await scheduleAll(store, "0 * * * *", start - 1);
  const position = (symbol: string, liquidationPrice: string | null): Row => ({
    symbol,
    marginCoin: "USDT",
    holdSide: "long",
    marginMode: "crossed",
    total: "0.50",
    markPrice: "60000",
    liquidationPrice,
  });
  const held = [position("BTCUSDT", "45000"), position("ETHUSDT", "-3"), position("SOLUSDT", null)];
  await storeRun(store, positions, start + 23 * hour, held, "umcbl");
  const rows = reportRows(path, "positions", days("2026-11-01", "2026-11-02"));
  expect(lines(rows, "product_type", "symbol", "total", "liquidation_price", "liquidation_distance")).toEqual([
    "umcbl BTCUSDT 0.50 45000 0.25",
    "umcbl ETHUSDT 0.50 -3 -",
    "umcbl SOLUSDT 0.50 - -",
  ]);
});

it("episodes are the position lifecycles that overlap the span", async () => {
  const position = (openedAt: number): Row => ({
    symbol: "BTCUSDT",
    marginCoin: "USDT",
    holdSide: "long",
    marginMode: "crossed",
    total: "1",
    openedAt,
  });
  await scheduleAll(store, "0 0 * * *", start - 1);
  const snapshots = [[position(start - 5)], [], [position(start + day)], [position(start + day)]];
  for (const [n, rows] of snapshots.entries()) await storeRun(store, positions, start + n * day, rows, "umcbl");
  const of = (from: string, to: string) =>
    lines(reportRows(path, "episodes", days(from, to)), "opened_at", "state", "closed_after", "closed_before");
  const first = "2026-10-31T23:59:59.995Z closed 2026-11-01T00:00:00.000Z 2026-11-02T00:00:00.000Z";
  const second = "2026-11-02T00:00:00.000Z open - -";
  expect(of("2026-11-01", "2026-11-02")).toEqual([first]);
  expect(of("2026-11-02", "2026-11-05")).toEqual([first, second]);
  expect(of("2026-11-04", "2026-11-05")).toEqual([second]);
});

describe("equity", () => {
  it("has the lowest and highest value of the day, exact to the last digit", async () => {
    await store.setSchedule("main", "equity", "0 * * * *", start - 1);
    const values = ["100.00000000000000000001", "100.00000000000000000002", "100.0", "100.00000000000000000001"];
    for (const [n, slot] of slots(24).entries())
      await storeRun(store, equity, slot, [equityRow(values[n % 4] ?? null)]);
    const rows = reportRows(path, "equity", days("2026-11-01", "2026-11-02"));
    expect(lines(rows, "lowest", "lowest_at", "highest", "highest_at", "closing")).toEqual([
      "100.0 2026-11-01T02:00:00.000Z 100.00000000000000000002 2026-11-01T01:00:00.000Z 100.00000000000000000001",
    ]);
  });

  it("of days of 23 to 25 hours adds up to the last digit, in any time zone", async () => {
    const from = Date.parse("2026-10-01T00:00:00Z");
    await store.setSchedule("main", "equity", "0 * * * *", from - 1);
    const values = slots(24 * 40, from).map((slot, n) => ({ slot, units: BigInt(n) ** 5n * 7919n + 1n }));
    for (const { slot, units } of values) await storeRun(store, equity, slot, [equityRow(digits(units))]);
    const now = from + 40 * 24 * hour;
    for (const timezone of ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
      for (const by of ["day", "month"] as const) {
        const span = { timezone, by, from: Date.parse("2026-10-03T00:00:00Z"), to: now };
        const rows = reportRows(path, "equity", span, { now });
        const opening = units(rows.find((row) => row.opening !== null)?.opening);
        const sum = rows.reduce((total, { change }) => total + (change === null ? 0n : units(change)), 0n);
        expect(opening + sum, `${timezone} ${by}`).toBe(values.at(-1)?.units);
      }
    const span = days("2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z", "America/New_York");
    expect(lines(reportRows(path, "equity", span), "day", "slots", "slots_ok", "coverage")).toEqual([
      "2026-10-31 24 24 complete",
      "2026-11-01 25 25 complete",
      "2026-11-02 24 24 complete",
    ]);
  });

  it("has no change if either close is unknown or incomplete", async () => {
    await store.setSchedule("main", "equity", "0 0 * * *", start - 1);
    const day = 24 * hour;
    await storeRun(store, equity, start, [equityRow("100")]);
    await storeRun(store, equity, start + day, [equityRow("40", 0)]);
    await storeRun(store, equity, start + 2 * day, [equityRow("101")]);
    await storeRun(store, equity, start + 3 * day, [equityRow("103")]);
    const rows = reportRows(path, "equity", days("2026-11-01", "2026-11-05"));
    expect(lines(rows, "day", "opening", "closing", "change", "complete", "lowest")).toEqual([
      "2026-11-01 - 100 - 1 100",
      "2026-11-02 100 - - 0 -",
      "2026-11-03 - 101 - 1 101",
      "2026-11-04 101 103 2 1 103",
    ]);
  });

  it("has no lowest and highest value if snapshots were pruned", async () => {
    await store.setSchedule("main", "equity", "0 */6 * * *", start - 1);
    for (const [n, value] of ["2", "9", "1", "3", "4", "8", "5", "6", "7"].entries())
      await storeRun(store, equity, start + n * 6 * hour, [equityRow(value)]);
    await prune(path, datasets, start + day);
    const rows = reportRows(path, "equity", days("2026-11-01", "2026-11-03"));
    expect(lines(rows, "day", "closing", "lowest", "lowest_at", "highest", "highest_at", "coverage")).toEqual([
      "2026-11-01 3 - - - - complete",
      "2026-11-02 6 4 2026-11-02T00:00:00.000Z 8 2026-11-02T06:00:00.000Z complete",
    ]);
    const berlin = reportRows(path, "equity", days("2026-11-01T23:00:00Z", "2026-11-02T23:00:00Z", "Europe/Berlin"));
    expect(lines(berlin, "day", "lowest", "highest")).toEqual(["2026-11-02 - -"]);
  });

  it("is drawn with a gap where slots are missing for longer than two periods", async () => {
    await store.setSchedule("main", "equity", "0 * * * *", start - 1);
    for (const n of [0, 1, 3, 6]) await storeRun(store, equity, start + n * hour, [equityRow(String(n))]);
    const { equity: report } = await import("../../src/reports/equity.ts");
    const history = openHistory(path);
    const source = { history, account: null, now: start + day };
    const chart = await chartOf(report, source, days("2026-11-01", "2026-11-02"));
    history.close();
    expect(chart?.lines[0]?.points.map(({ at, value }) => `${(at - start) / hour} ${value ?? "-"}`)).toEqual([
      "0 0",
      "1 1",
      "3 3",
      "5 -",
      "6 6",
    ]);
  });
});

it.each([
  ["balances", 3],
  ["positions", 3],
  ["changes", 6],
  ["equity", 24],
])("%s yields to the event loop after each account and each value", async (name, turns) => {
  for (const account of ["main", "hedge", "third"]) {
    await scheduleAll(store, "0 * * * *", start - 1, account);
    await storeRun(store, positions, start, [], "umcbl", account);
  }
  for (const slot of slots(24)) await storeRun(store, equity, slot, [equityRow("1")]);
  const history = openHistory(path);
  const source = { history, account: null, now: start + 2 * day };
  const rows = [...(reportNamed(name)?.rows(source, days("2026-11-01", "2026-11-02")) ?? [])];
  history.close();
  expect(rows.findIndex((row) => row !== pause)).toBeGreaterThanOrEqual(turns);
});

/** Formats an amount in units of 10^-18, the inverse of `units`. */
const digits = (units: bigint): string =>
  String(units)
    .padStart(19, "0")
    .replace(/(\d{18})$/, ".$1");
function units(cell: unknown): bigint {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(cell)) ?? [];
  return BigInt(`${sign}${whole}${fraction.padEnd(18, "0")}`);
}

describe("changes", () => {
  it("are listed where an amount differs from close to close, with a missing item as 0", async () => {
    await scheduleAll(store, "0 0 * * *", start - 1);
    const position: Row = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed" };
    const usdt = { coin: "USDT", available: "5", frozen: "0", locked: "0" };
    for (const [n, rows] of [[btc("0.10"), usdt], [usdt, btc("0.1")], [usdt]].entries()) {
      const slot = start + n * day;
      await storeRun(store, spotAssets, slot, rows);
      await storeRun(store, fundingAssets, slot, []);
      await storeRun(store, mixAccounts, slot, [{ marginCoin: "USDT", available: "1", equity: `${n}.5` }], "umcbl");
      await storeRun(store, positions, slot, n === 0 ? [] : [{ ...position, total: `${n}` }], "umcbl");
    }
    const rows = reportRows(path, "changes", days("2026-11-02", "2026-11-04"));
    expect(lines(rows, "day", "wallet", "coin", "symbol", "field", "opening", "closing", "change")).toEqual([
      "2026-11-02 umcbl USDT - total 0.5 1.5 1",
      "2026-11-02 umcbl USDT BTCUSDT size 0 1 1",
      "2026-11-03 spot BTC - available 0.1 0 -0.1",
      "2026-11-03 spot BTC - total 0.1 0 -0.1",
      "2026-11-03 umcbl USDT - total 1.5 2.5 1",
      "2026-11-03 umcbl USDT BTCUSDT size 1 2 1",
    ]);
  });

  it("are unknown if either close is, in one row with empty cells", async () => {
    await store.setSchedule("main", "spot-assets", "0 * * * *", start - 1);
    await storeRun(store, spotAssets, start, [btc("1")]);
    const rows = reportRows(path, "changes", days("2026-11-01", "2026-11-03"), { now: start + 2 * day });
    expect(lines(rows, "day", "wallet", "coin", "opening", "closing", "change", "coverage")).toEqual([
      "2026-11-01 spot - - - - gaps",
      "2026-11-02 spot - - - - none",
    ]);
  });
});

describe("coverage", () => {
  const columns = ["day", "slots", "ok", "partial", "failed", "missed", "skipped", "coverage", "causes"];

  it("counts every due slot by its outcome", async () => {
    await store.setSchedule("main", "positions", "0 * * * *", start - 1);
    for (const [n, slot] of slots(20).entries()) {
      const lines = { snapshots: [], failures: [failed("timeout", slot, "umcbl")] };
      if (n < 3) await collect(store, positions, slot, lines);
      else await storeRun(store, positions, slot, [], "umcbl");
    }
    const settled = [20, 21].map((n) => ({ slot: start + n * hour, state: "missed" as const, cause: "asleep" }));
    await store.closeSlots("main", "positions", settled);
    // A manual run, which was not due.
    await storeRun(store, positions, start + 90_001, [], "umcbl");
    const rows = reportRows(path, "coverage", days("2026-11-01", "2026-11-02"), { now: start + 25 * hour });
    expect(lines(rows, ...columns)).toEqual([
      "2026-11-01 24 17 0 3 4 0 gaps timeout: 3; asleep: 2; not written yet: 2",
    ]);
  });

  it("marks the day in which the schedule began, and the day in progress, as not complete", async () => {
    await store.setSchedule("main", "spot-assets", "0 * * * *", start + 12.5 * hour);
    for (const slot of slots(38, start + 13 * hour)) await storeRun(store, spotAssets, slot, []);
    const rows = reportRows(path, "coverage", days("2026-10-31", "2026-11-04"), { now: start + 51 * hour });
    expect(lines(rows, "day", "slots", "ok", "coverage")).toEqual([
      "2026-10-31 0 0 not due",
      "2026-11-01 11 11 partly due",
      "2026-11-02 24 24 complete",
      "2026-11-03 3 3 going on",
    ]);
  });

  it("is complete across a change of the schedule, but not across a time when it was off", async () => {
    await store.setSchedule("main", "spot-assets", "0 * * * *", start - 1);
    for (const slot of slots(48)) {
      if (slot === start + 6 * hour) await store.setSchedule("main", "spot-assets", "0 */1 * * *", slot - 1);
      if (slot === start + 30 * hour) await store.setSchedule("main", "spot-assets", null, slot - 1);
      if (slot === start + 33 * hour) await store.setSchedule("main", "spot-assets", "0 * * * *", slot - 1);
      if (slot < start + 30 * hour || slot >= start + 33 * hour) await storeRun(store, spotAssets, slot, []);
    }
    const rows = reportRows(path, "coverage", days("2026-11-01", "2026-11-03"));
    expect(lines(rows, "day", "slots", "ok", "coverage")).toEqual([
      "2026-11-01 24 24 complete",
      "2026-11-02 21 21 partly due",
    ]);
  });

  it("counts nothing as missing that the account's API does not offer", async () => {
    await store.setSchedule("main", "funding-assets", "0 0 * * *", start - 1);
    await collect(store, fundingAssets, start, { skipped: true, cause: "not offered" });
    const rows = reportRows(path, "coverage", days("2026-11-01", "2026-11-02"), { now: start + day });
    expect(lines(rows, "slots", "skipped", "coverage")).toEqual(["1 1 not offered"]);
  });

  it("is reported per account, or for one account only", async () => {
    await store.setSchedule("main", "equity", "0 0 * * *", start - 1);
    await store.setSchedule("x' or 1=1 --", "equity", "0 0 * * *", start - 1);
    const span = days("2026-11-01", "2026-11-02");
    expect(lines(reportRows(path, "coverage", span), "account")).toEqual(["main", "x' or 1=1 --"]);
    expect(reportRows(path, "coverage", span, { account: "main" })).toHaveLength(1);
    expect(reportRows(path, "coverage", span, { account: "nobody' or 1=1 --" })).toEqual([]);
  });
});
