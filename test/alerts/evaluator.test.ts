import { describe, expect, it } from "vitest";
import { AlertEvaluator } from "../../src/alerts/evaluator.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Row, Scope } from "../../src/core/domain.ts";
import { snapshotDatasetNamed } from "../../src/datasets/index.ts";
import type { AlertSettings } from "../../src/settings/sections/alerts.ts";
import type { Store } from "../../src/store/store.ts";
import { collect, failed, good, item, minute, query, start } from "../store/kit.ts";
import { older, open, temporaryPath } from "../store/temporary.ts";
import { SettableClock } from "../support/world.ts";

const off: AlertSettings = {
  webhook: null,
  liquidationDistance: null,
  marginRatio: null,
  drawdown: null,
  drawdownHours: 24,
  stale: false,
  keyRefused: false,
  ledgerBreak: false,
};

/** Opens a store that is evaluated after each run; `notified` lists all notifications as "state kind account what value". */
async function begin(settings: Partial<AlertSettings>, path = temporaryPath()) {
  const store = await open(path);
  const clock = new SettableClock(start);
  const notified: string[] = [];
  let evaluator = new AlertEvaluator(store, { ...off, ...settings }, clock);
  await evaluator.begin();
  const evaluate = async () => {
    for (let more = true; more; ) {
      const result = await evaluator.evaluateNew();
      more = result.more;
      for (const one of [...result.notifications, ...(await evaluator.evaluateStaleness())])
        notified.push(`${one.state} ${one.kind} ${one.account} ${one.what} ${one.value}`);
    }
  };
  return {
    store,
    path,
    notified,
    evaluate,
    clock,
    /** Continues as after a restart, with other settings if given. */
    async restart(changed: Partial<AlertSettings> = settings) {
      await evaluator.end();
      evaluator = new AlertEvaluator(store, { ...off, ...changed }, clock);
      await evaluator.begin();
    },
  };
}

type Name = "positions" | "mix-accounts" | "equity" | "spot-assets";

/** The rows of one good run, and its minutes after the start. */
async function stored(store: Store, name: Name, at: number, rows: Row[], scope: Scope = null): Promise<void> {
  const dataset = snapshotDatasetNamed(name);
  await store.setSchedule("main", name, "* * * * *", start).catch(() => {});
  const slot = start + at * minute;
  await collect(store, dataset, slot, {
    snapshots: [
      good(
        rows.map((row) => item(dataset, row)),
        slot,
        scope,
      ),
    ],
  });
}

const equity = (usdtEquity: string, complete: 0 | 1 = 1): Row => ({ usdtEquity, complete });

/** The priced part of an equity that lacks coins without a price, or datasets without recent data. */
const priced = (pricedUsdt: string, coins: string[], missing: string[] = []): Row => ({
  complete: 0,
  pricedUsdt,
  unpriced: coins.length === 0 ? null : JSON.stringify(Object.fromEntries(coins.map((coin) => [coin, "1"]))),
  missing: missing.length === 0 ? null : JSON.stringify(missing),
});

describe("drawdown with coins without a price", () => {
  it("is of the priced part, whether the coin was always there or is new", async () => {
    const { store, evaluate, notified } = await begin({ drawdown: "0.1" });
    const rows = [equity("1000"), priced("990", ["AIRDROP"]), priced("400", ["AIRDROP"]), priced("950", ["AIRDROP"])];
    for (const [n, row] of rows.entries()) {
      await stored(store, "equity", n, [row]);
      await evaluate();
    }
    expect(notified).toEqual(["fired drawdown main equity 0.6", "recovered drawdown main equity 0.05"]);
    const [message] = query(store.path, "select sentence from alert_message order by id");
    expect(message?.sentence).toContain("equity of 400.00 USDT (without AIRDROP: no price) is 60.0 % below");
  });

  it("does not take missing data for a loss", async () => {
    const { store, evaluate, notified } = await begin({ drawdown: "0.1" });
    const rows = [equity("1000"), priced("400", [], ["funding-assets"]), priced("400", ["AIRDROP"], ["prices"])];
    for (const [n, row] of rows.entries()) {
      await stored(store, "equity", n, [row]);
      await evaluate();
    }
    expect(notified).toEqual([]);
  });

  it("does not take a coin that lost its price for a loss, but notices a loss of the rest", async () => {
    const { store, evaluate, notified } = await begin({ drawdown: "0.1" });
    const prices = snapshotDatasetNamed("prices");
    const record = async (at: number, price: string | null, row: Row) => {
      const slot = start + at * minute;
      const item_ = item(prices, { coin: "BTC", quote: "USDT", price });
      await collect(store, prices, slot, { snapshots: [good([item_], slot)] }, "public");
      await stored(store, "equity", at, [row]);
      await evaluate();
    };
    await record(0, "60000", equity("1000"));
    await record(1, null, priced("400", ["BTC"]));
    await record(2, "60000", equity("1000"));
    await record(59, null, priced("400", ["BTC"]));
    expect(notified).toEqual([]);
    await record(70, null, priced("400", ["BTC"]));
    await record(71, null, priced("350", ["BTC"]));
    await record(72, null, priced("399", ["BTC"]));
    expect(notified).toEqual(["fired drawdown main equity 0.125"]);
    await record(73, "60000", equity("990"));
    expect(notified.at(-1)).toBe("recovered drawdown main equity 0.01");
  });
});

describe("drawdown", () => {
  it("fires once below the peak of its window, and recovers once beyond the hysteresis", async () => {
    const { store, notified, evaluate } = await begin({ drawdown: "0.1" });
    for (const [n, amount] of ["100", "120", "109", "107.9", "100", "108", "109.2", "109.3", "107"].entries()) {
      await stored(store, "equity", n, [equity(amount)]);
      await evaluate();
    }
    expect(notified).toEqual([
      "fired drawdown main equity 0.1008333333333333",
      "recovered drawdown main equity 0.0891666666666667",
      "fired drawdown main equity 0.1083333333333333",
    ]);
  });

  it("takes incomplete equity neither for a loss nor for a peak", async () => {
    const { store, notified, evaluate } = await begin({ drawdown: "0.1" });
    for (const [n, row] of [equity("100"), equity("10", 0), equity("900", 0), equity("95")].entries()) {
      await stored(store, "equity", n, [row]);
      await evaluate();
    }
    expect(notified).toEqual([]);
  });

  it("forgets a peak when its window has passed", async () => {
    const { store, notified, evaluate } = await begin({ drawdown: "0.1" });
    await stored(store, "equity", 0, [equity("100")]);
    await evaluate();
    await stored(store, "equity", 23 * 60, [equity("80")]);
    await evaluate();
    await stored(store, "equity", 24 * 60, [equity("80")]);
    await evaluate();
    expect(notified).toEqual(["fired drawdown main equity 0.2", "recovered drawdown main equity 0"]);
  });

  it("evaluates a low again after a restart without comparing it with a later peak", async () => {
    const { store, notified, evaluate, restart } = await begin({ drawdown: "0.1" });
    await stored(store, "equity", 0, [equity("80")]);
    await stored(store, "equity", 1, [equity("100")]);
    await evaluate();
    await restart();
    await evaluate();
    expect(notified).toEqual([]);
  });
});

describe("margin ratio", () => {
  it("is that of a futures account, of an isolated position, and of a unified account", async () => {
    const { store, notified, evaluate } = await begin({ marginRatio: "0.8" });
    const position = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "isolated" };
    await stored(store, "mix-accounts", 0, [{ marginCoin: "USDT", crossRiskRate: "0.80000000000000000001" }], "umcbl");
    await stored(
      store,
      "positions",
      0,
      [
        { ...position, marginRatio: "0.9" },
        { ...position, marginMode: "crossed", marginRatio: "0.9" },
      ],
      "umcbl",
    );
    await stored(store, "equity", 0, [{ ...equity("1"), marginRatio: "0.95" }]);
    await evaluate();
    expect(notified).toEqual([
      "fired margin-ratio main futures account in USDT (umcbl) 0.80000000000000000001",
      "fired margin-ratio main BTCUSDT long (isolated, USDT, umcbl) 0.9",
      "fired margin-ratio main unified account 0.95",
    ]);
  });

  it("that is not reported changes nothing", async () => {
    const { store, notified, evaluate } = await begin({ marginRatio: "0.8" });
    for (const [n, crossRiskRate] of ["0.9", null, "0.75", "0.71"].entries()) {
      await stored(store, "mix-accounts", n, [{ marginCoin: "USDT", crossRiskRate }], "umcbl");
      await evaluate();
    }
    expect(notified.map((line) => line.split(" ")[0])).toEqual(["fired", "recovered"]);
    expect(notified[1]).toContain("0.71");
  });
});

describe("a refused key", () => {
  it("is one alert for all its requests, and recovers when all of them are answered again", async () => {
    const { store, notified, evaluate } = await begin({ keyRefused: true });
    const names = ["spot-assets", "positions"] as const;
    for (const name of names) await store.setSchedule("main", name, "* * * * *", start);
    const run = async (name: Name, at: number, code: string | null) => {
      const slot = start + at * minute;
      const end = code === null ? { snapshots: [good([], slot)] } : { failures: [failed(code, slot)] };
      await collect(store, snapshotDatasetNamed(name), slot, end);
      await evaluate();
    };
    await run("spot-assets", 0, null);
    await run("positions", 0, null);
    await run("spot-assets", 1, "40037");
    await run("positions", 1, "40037");
    await run("spot-assets", 2, "network");
    await run("positions", 2, "timeout");
    await run("spot-assets", 3, null);
    await run("positions", 3, "40037");
    await run("spot-assets", 4, "45001");
    await run("positions", 4, null);
    await run("positions", 5, "write-key");
    expect(notified).toEqual([
      "fired key-refused main API key null",
      "recovered key-refused main API key null",
      "fired key-refused main API key null",
    ]);
    expect(query(store.path, "select sentence from alert_message").map(({ sentence }) => sentence)).toEqual([
      "Alert: main: API key is refused (40037: the exchange does not know this API key: check it, or create a new one).",
      "Recovered: main: API key is accepted.",
      "Alert: main: API key is refused (it is not read-only, and BITGET_ALLOW_WRITE_KEYS is not set).",
    ]);
  });
});

describe("a stale dataset", () => {
  const failing = { failures: [failed("timeout", start)] };

  it("fires when runs have failed for two periods, and recovers with the first complete one", async () => {
    const { store, notified, evaluate, clock } = await begin({ stale: true });
    const spot = snapshotDatasetNamed("spot-assets");
    await stored(store, "spot-assets", 0, []);
    for (const n of [1, 2, 3, 4]) {
      clock.advanceTo(start + n * minute + 1000);
      await collect(store, spot, start + n * minute, failing);
      await evaluate();
    }
    clock.advanceTo(start + 5 * minute + 1000);
    await stored(store, "spot-assets", 5, []);
    await evaluate();
    await evaluate();
    expect(notified).toEqual(["fired stale main spot-assets 121", "recovered stale main spot-assets 1"]);
  });

  it("does not fire for the time without a process, but does if the next process does not collect either", async () => {
    const { store, notified, evaluate, clock, restart } = await begin({ stale: true });
    await stored(store, "spot-assets", 0, []);
    clock.advanceTo(start + 60 * minute);
    await restart();
    await evaluate();
    expect(notified).toEqual([]);
    clock.advanceTo(start + 62 * minute + 2000);
    await evaluate();
    expect(notified).toEqual(["fired stale main spot-assets 3722"]);
  });

  it("recovers with its first complete run, not with a change of its schedule", async () => {
    const { store, notified, evaluate, clock } = await begin({ stale: true });
    await stored(store, "spot-assets", 0, []);
    clock.advanceTo(start + 10 * minute);
    await evaluate();
    await store.setSchedule("main", "spot-assets", "*/5 * * * *", start + 10 * minute);
    await evaluate();
    expect(notified).toEqual(["fired stale main spot-assets 600"]);
    clock.advanceTo(start + 15 * minute + 1000);
    await collect(store, snapshotDatasetNamed("spot-assets"), start + 15 * minute, { snapshots: [good([], start)] });
    await evaluate();
    expect(notified.slice(1)).toEqual(["recovered stale main spot-assets 1"]);
  });

  it("does not fire for hours in which the machine slept, or by which its clock was set forward", async () => {
    const { store, notified, evaluate, clock } = await begin({ stale: true });
    await stored(store, "spot-assets", 0, []);
    clock.advanceTo(start + 30 * minute);
    await stored(store, "spot-assets", 30, []);
    await evaluate();
    clock.setWallClock(start + 180 * minute);
    await evaluate();
    expect(notified).toEqual([]);
    clock.advanceTo(start + 182 * minute + 2000);
    await evaluate();
    expect(notified).toEqual(["fired stale main spot-assets 9122"]);
  });

  it("is closed when it is no longer collected", async () => {
    const { store, notified, evaluate, clock } = await begin({ stale: true });
    await stored(store, "spot-assets", 0, []);
    clock.advanceTo(start + 10 * minute);
    await evaluate();
    await store.setSchedule("main", "spot-assets", null, start + 10 * minute);
    await evaluate();
    expect(notified).toEqual(["fired stale main spot-assets 600", "closed stale main spot-assets null"]);
  });
});

describe("the first evaluation", () => {
  const near: Row = {
    symbol: "BTCUSDT",
    marginCoin: "USDT",
    holdSide: "long",
    marginMode: "crossed",
    liquidationPrice: "100",
    markPrice: "101",
  };

  it("does not alert about an existing history", async () => {
    const path = temporaryPath();
    const before = await open(path);
    for (const n of [0, 1, 2]) await stored(before, "positions", n, [near], "umcbl");
    before.close();
    const { notified, evaluate } = await begin({ liquidationDistance: "0.1" }, path);
    await evaluate();
    expect(notified).toEqual([]);
  });

  it("processes hundreds of snapshots, all of them in order", async () => {
    const { store, notified, evaluate } = await begin({ liquidationDistance: "0.1" });
    for (let n = 0; n < 250; n++)
      await stored(store, "positions", n, [{ ...near, markPrice: n === 120 || n === 240 ? "101" : "200" }], "umcbl");
    await evaluate();
    expect(notified.map((line) => line.split(" ")[0])).toEqual(["fired", "recovered", "fired", "recovered"]);
  });

  it("does not apply a changed limit to snapshots evaluated before", async () => {
    const { store, notified, evaluate, restart } = await begin({ liquidationDistance: "0.001" });
    await stored(store, "positions", 0, [near], "umcbl");
    await stored(store, "positions", 1, [{ ...near, markPrice: "200" }], "umcbl");
    await evaluate();
    await restart({ liquidationDistance: "0.1" });
    await evaluate();
    expect(notified).toEqual([]);
  });

  it("ends the alerts of a disabled rule without a notification", async () => {
    const { store, notified, evaluate, restart } = await begin({ liquidationDistance: "0.1" });
    await stored(store, "positions", 0, [near], "umcbl");
    await evaluate();
    await restart({});
    await evaluate();
    expect(notified).toHaveLength(1);
    expect(query(store.path, "select count(*) as open from alert")).toEqual([{ open: 0 }]);
  });
});

it("an isolated position beyond its liquidation counts as liquidated, however far", async () => {
  const { store, notified, evaluate } = await begin({ liquidationDistance: "0.1" });
  const long = { symbol: "BTCUSDT", marginCoin: "USDT", marginMode: "isolated", holdSide: "long" };
  const short = { ...long, holdSide: "short" };
  for (const [n, [ofLong, ofShort]] of [
    ["105", "95"],
    ["80", "125"],
  ]
    .map(([ofLong = "", ofShort = ""]) => [ofLong, ofShort] as const)
    .entries())
    await stored(
      store,
      "positions",
      n,
      [
        { ...long, liquidationPrice: "100", markPrice: ofLong },
        { ...short, liquidationPrice: "100", markPrice: ofShort },
        { ...short, marginMode: "crossed", liquidationPrice: "100", markPrice: "125" },
      ],
      "umcbl",
    );
  await evaluate();
  expect(notified).toEqual([
    "fired liquidation-distance main BTCUSDT long (isolated, USDT, umcbl) 0.0476190476190476",
    "fired liquidation-distance main BTCUSDT short (isolated, USDT, umcbl) 0.0526315789473684",
  ]);
});

it("evaluating many positions yields to the event loop", async () => {
  const store = await open(temporaryPath());
  let ms = 0;
  const clock = { ...systemClock, monotonic: () => (ms += 10) };
  const evaluator = new AlertEvaluator(store, { ...off, liquidationDistance: "0.1" }, clock);
  await evaluator.begin();
  const known = { marginCoin: "USDT", holdSide: "long", marginMode: "crossed", liquidationPrice: "100.1" };
  for (let n = 0; n < 12; n++) {
    const markPrice = n === 6 ? "101.5" : "200.5";
    const rows = Array.from({ length: 300 }, (_, coin) => ({ ...known, symbol: `COIN${coin}`, markPrice }));
    await stored(store, "positions", n, rows, "umcbl");
  }
  let turns = 0;
  const turn = () => {
    turns += 1;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  const { notifications: notified } = await evaluator.evaluateNew();
  clearImmediate(next);
  expect(turns).toBeGreaterThan(4);
  expect(notified).toHaveLength(600);
});

describe("the positions of accounts", () => {
  const near = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed" };
  const positions = snapshotDatasetNamed("positions");

  /** Stores a good run with a position at this distance from its liquidation at 100. */
  async function run(store: Store, account: string, at: number, markPrice: string): Promise<void> {
    const slot = start + at * minute;
    await store.setSchedule(account, "positions", "* * * * *", start);
    const row = { ...near, liquidationPrice: "100", markPrice };
    await collect(store, positions, slot, { snapshots: [good([item(positions, row)], slot, "umcbl")] }, account);
  }

  it("neither lose nor repeat an alert of any account, wherever the process dies", async () => {
    const path = temporaryPath();
    const settings = { ...off, liquidationDistance: "0.1" };
    const notified: string[] = [];
    /** Simulates a process that evaluates and then crashes. */
    const live = async (looks: boolean, ...runs: [account: string, at: number, price: string][]) => {
      const store = await open(path);
      const evaluator = new AlertEvaluator(store, settings, new SettableClock(start));
      await evaluator.begin();
      for (const one of runs) {
        await run(store, ...one);
        if (looks)
          notified.push(
            ...(await evaluator.evaluateNew()).notifications.map(({ account, state }) => `${account} ${state}`),
          );
      }
      store.close();
    };
    await live(true, ["main", 1, "200"], ["main", 2, "101"]);
    // Two new accounts, of which only one is evaluated before the process crashes.
    await live(true, ["hedge", 3, "200"], ["main", 3, "200"], ["hedge", 4, "101"]);
    await live(false, ["main", 5, "101"], ["third", 5, "101"]);
    await live(true, ["third", 6, "101"]);
    await live(true, ["hedge", 6, "200"]);
    expect(notified).toEqual([
      "main fired",
      "main recovered",
      "hedge fired",
      "main fired",
      "third fired",
      "hedge recovered",
    ]);
  });

  it.each(["0003", "0004", "0005", "0006", "0007"])("begin where the one of all accounts was (%s)", async (version) => {
    const store = await open(older(version));
    const after = await store.alerts.begin();
    expect(after).toEqual(new Map([["main", 8]]));
    const { snapshots } = await store.alerts.newSnapshots(after, 10);
    expect(snapshots.map(({ id }) => id)).toEqual(version === "0003" ? [] : [9, 10]);
  });
});

it("a position whose product type is no longer requested is closed", async () => {
  const { store, notified, evaluate } = await begin({ liquidationDistance: "0.1" });
  const near = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "short", marginMode: "crossed" };
  await stored(store, "positions", 0, [{ ...near, liquidationPrice: "101", markPrice: "100" }], "umcbl");
  await evaluate();
  await stored(store, "positions", 1, [], "dmcbl");
  await evaluate();
  expect(notified).toEqual([
    "fired liquidation-distance main BTCUSDT short (crossed, USDT, umcbl) 0.01",
    "closed liquidation-distance main BTCUSDT short (crossed, USDT, umcbl) null",
  ]);
});

it("a malicious name is escaped within one line", async () => {
  const { store, notified, evaluate } = await begin({ liquidationDistance: "0.1" });
  const hostile = {
    symbol: `<!channel>\n\u001b[31m${"x".repeat(100)}`,
    marginCoin: "USDT",
    holdSide: "long",
    marginMode: "crossed",
  };
  await stored(store, "positions", 0, [{ ...hostile, liquidationPrice: "99", markPrice: "100" }], "umcbl");
  await evaluate();
  expect(notified).toEqual([
    "fired liquidation-distance main <!channel>\\u000a\\u001b[31mxxxxxxxxxxxxxx long (crossed, USDT, umcbl) 0.01",
  ]);
});
