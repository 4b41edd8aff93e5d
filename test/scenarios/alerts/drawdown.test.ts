/** The drawdown of an account whose ledger is collected: what is paid in and out is no loss and hides none. */
import { expect, it, onTestFinished } from "vitest";
import { Alerts } from "../../../src/alerts/alerts.ts";
import { LedgerDrawdowns } from "../../../src/alerts/measurements/ledger-drawdowns.ts";
import { runToEnd } from "../../../src/core/async/cooperate.ts";
import { createLog } from "../../../src/core/log.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { Money } from "../../support/money.ts";
import { classic } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";
import { positionFault } from "./script.ts";

const minute = 60_000;
const start = Date.parse("2026-03-02T08:00:00Z");

const settings = {
  ...{ ALERT_DRAWDOWN: "10%", ALERT_DRAWDOWN_DAYS: "1" },
  ...{ SCHEDULE_MIX_ACCOUNTS: "0 */5 * * * *", SCHEDULE_EQUITY: "0 */5 * * * *", SCHEDULE_PRICES: "0 */5 * * * *" },
  SCHEDULE_BILLS: "0 2-59/5 * * * *",
};

/** Opens an account with 1,000 USDT whose ledger and equity are read every five minutes, a minute after what happened before. */
async function open(more: Record<string, string> = {}) {
  const options = { from: start - 2 * 60 * minute, accounts: [classic] };
  const world = await createWorld(new Date(start - 30_000).toISOString(), { ...settings, ...more }, options);
  const money = new Money(world, classic.name);
  const evaluate = async () => {
    world.app.alerts.tick();
    await world.app.alerts.idle();
  };
  await evaluate();
  money.pay(start - 60 * minute, "1000");
  /** Lets time pass, minute by minute, up to so many minutes after the start; nothing happens before `from`. */
  const until = async (end: number, from = Math.ceil((world.clock.now() - start) / minute)) => {
    for (let at = from; at <= end; at += 1) {
      await world.at(start + at * minute);
      await evaluate();
    }
  };
  const pay = (at: number, amount: string) => money.pay(start + at * minute, amount);
  const win = (at: number, amount: string) => money.win(start + at * minute, amount);
  await until(9);
  return { world, money, until, pay, win };
}

/** The settings of alerts without a limit. */
const limits = {
  ...{ webhook: null, liquidationDistance: null, marginRatio: null, drawdown: null, drawdownHours: 24 },
  ...{ stale: false, keyRefused: false, ledgerBreak: false },
};

const alerts = (world: World) =>
  (
    world.rows("select state, value from alert_message where kind = 'drawdown' order by id") as {
      state: string;
      value: string;
    }[]
  ).map(({ state, value }) => `${state} ${value}`);
const sentences = (world: World) =>
  (world.rows("select sentence from alert_message where kind = 'drawdown' order by id") as { sentence: string }[]).map(
    (one) => one.sentence,
  );

it("does not count a withdrawal as a loss", async () => {
  const { world, until, pay } = await open();
  pay(9.5, "-600");
  await until(40);
  expect(alerts(world)).toEqual([]);
  expect(world.rows("select priced_usdt as equity from equity_history order by taken_at desc limit 1")).toEqual([
    { equity: "400" },
  ]);
});

it("finds a loss beside a deposit, and its recovery beside a withdrawal, once each, also after a restart", async () => {
  const { world, until, pay, win } = await open();
  pay(9.5, "500");
  win(9.6, "-225");
  await until(10);
  expect(alerts(world)).toEqual([]);
  await world.restart();
  await until(13);
  expect(alerts(world)).toEqual(["fired 0.15"]);
  expect(sentences(world)[0]).toBe(
    "Alert: main: equity of 1,275.00 USDT is 15.0 % below its 1-day high of 1,500.00 USDT (deposits and withdrawals are taken out); the limit is 10 %.",
  );
  await until(14);
  pay(14.2, "-375");
  win(14.3, "300");
  await until(23);
  expect(alerts(world)).toEqual(["fired 0.15", expect.stringMatching(/^recovered -?0(\.0\d+)?$/)]);
});

it("does not recover from a total loss until money comes in", async () => {
  const { world, until, pay, win } = await open();
  win(9.5, "-1000");
  await until(28);
  expect(alerts(world)).toEqual(["fired 1"]);
  pay(28.5, "500");
  await until(33);
  expect(alerts(world)).toEqual(["fired 1", "recovered 0"]);
});

it("gives the same notifications where the daemon crashes after every minute", async () => {
  const { world, until, pay, win } = await open();
  for (let at = 9; at < 45; at += 1) {
    if (at === 9 || at === 29) pay(at + 0.5, "500");
    if (at === 9 || at === 34) win(at + 0.6, "-225");
    if (at === 19) win(at + 0.5, "300");
    if (at === 24) pay(at + 0.5, "-900");
    await until(at + 1);
    world.app.close();
    await world.restart();
  }
  expect(alerts(world).map((text) => text.slice(0, 14))).toEqual(["fired 0.15", "recovered 0", "fired 0.191489"]);
});

it("evaluates each snapshot once where bills are collected no longer", async () => {
  const { world, until, win } = await open();
  await world.restart({ ...settings, SCHEDULE_BILLS: "" });
  const day = 25 * 60;
  await until(day + 6, day);
  win(day + 6.5, "-500");
  await until(day + 11);
  win(day + 11.5, "500");
  await until(day + 16);
  expect(alerts(world)).toEqual(["fired 0.5", "recovered 0"]);
  await world.restart();
  await until(day + 21);
  expect(alerts(world)).toEqual(["fired 0.5", "recovered 0"]);
});

it("does not evaluate what was stored while the alert was off", async () => {
  const { world, until, win } = await open();
  await world.restart({ ...settings, ALERT_DRAWDOWN: "" });
  win(9.5, "-500");
  await until(11);
  win(11.5, "500");
  await until(16);
  await world.restart(settings);
  await until(25);
  expect(alerts(world)).toEqual([]);
});

it("evaluates what is stored after a clock that was ahead was set back", async () => {
  const { world, until, win } = await open();
  world.clock.setWallClock(start + 180.5 * minute);
  await until(200);
  expect(world.rows("select max(taken_at) >= '2026-03-02T11:20' as was_ahead from equity_history")).toEqual([
    { was_ahead: 1 },
  ]);
  world.clock.setWallClock(start + 30.5 * minute);
  win(31, "-500");
  await until(60);
  await world.restart();
  win(60.5, "500");
  await until(90);
  expect(alerts(world)).toEqual(["fired 0.5", "recovered 0"]);
});

it("does not delay another alert while a drawdown is read", async () => {
  const schedules = { SCHEDULE_POSITIONS: "0 * * * * *", BITGET_PRODUCT_TYPES: "umcbl" };
  const { world, until, win } = await open({ ...schedules, ALERT_LIQUIDATION_DISTANCE: "10%" });
  await until(99);
  await world.app.alerts.stop();
  const lines: string[] = [];
  const write = (line: string) => void lines.push((JSON.parse(line) as { kind: string }).kind);
  const log = createLog({ level: "info", format: "json", secrets: [], write });
  /** Begins alerts that take a tenth of a second to read a snapshot of the equity. */
  const begin = () => {
    const history = openHistory(world.path);
    const points: typeof history.points = function* (...asked) {
      for (const point of history.points(...asked)) {
        for (const from = performance.now(); performance.now() - from < 100; );
        yield point;
      }
    };
    const { store, deps } = world.app;
    const settings = { ...limits, liquidationDistance: "0.1", drawdown: "0.1", drawdownHours: 24 };
    return new Alerts({ store, history: { ...history, points }, settings, clock: deps.clock, log });
  };
  const minuteOf = async (at: number) => {
    world.clock.advanceTo(start + at * minute);
    await world.tick();
  };
  const alerts = begin();
  win(99.5, "-200");
  await minuteOf(100);
  alerts.tick();
  await alerts.idle();
  expect(lines).toEqual([]);
  await minuteOf(102);
  alerts.onReconciled("main");
  world.exchange.injectFault(
    positionFault({ position: { markPrice: "101", liquidationPrice: "100" }, notifications: "" }),
  );
  await minuteOf(103);
  alerts.onEnded();
  await alerts.idle();
  expect(lines).toEqual(["liquidation-distance", "drawdown"]);
  await alerts.stop();
});

it("waits a quarter of an hour for a ledger that cannot be read, and then says what is unknown", async () => {
  const { world, money, until, pay } = await open();
  money.areBillsReadable = false;
  pay(9.5, "-600");
  await until(24);
  expect(alerts(world)).toEqual([]);
  await until(26);
  expect(alerts(world)).toEqual(["fired 0.6"]);
  expect(sentences(world)[0]).toMatch(
    /below its 1-day high of 1,000\.00 USDT \(deposits and withdrawals are taken out, but not those after 2026-03-02 08:05:\d\d UTC\);/,
  );
  money.areBillsReadable = true;
  await until(33);
  expect(alerts(world)).toEqual(["fired 0.6", "recovered 0"]);
  expect(sentences(world)[1]).toContain("is at its 1-day high");
});

it("waits no longer where the daemon ends again and again", async () => {
  const { world, money, until, win } = await open();
  money.areBillsReadable = false;
  win(9.5, "-600");
  for (const at of [14, 19, 24]) {
    await until(at);
    expect(alerts(world)).toEqual([]);
    await world.restart();
  }
  await until(26);
  expect(alerts(world)).toEqual(["fired 0.6"]);
});

it("recovers when the entry of a withdrawal appears late", async () => {
  const { world, until, pay } = await open();
  pay(9.5, "-600");
  const late = world.exchange.bills.splice(-1);
  await until(14);
  expect(alerts(world)).toEqual(["fired 0.6"]);
  world.exchange.bills.push(...late);
  await until(23);
  expect(alerts(world)).toEqual(["fired 0.6", "recovered 0"]);
});

it("waits for the ledger also after a pause of more than a day", async () => {
  const more = { ALERT_DRAWDOWN_DAYS: "7" };
  const { world, until, pay } = await open(more);
  pay(9.5, "-600");
  await until(19);
  const day = 25 * 60;
  world.clock.advanceTo(start + day * minute - 10_000);
  await world.restart();
  pay(day - 1, "-200");
  await until(day + 9, day);
  expect(world.rows("select count(*) as n from equity_history where taken_at > '2026-03-03'")).toEqual([{ n: 2 }]);
  expect(sentences(world)).toEqual([]);
});

it("looks once after each run of bills for what was not read of the ledger", async () => {
  const { world } = await open();
  const history = openHistory(world.path);
  onTestFinished(() => history.close());
  let looked = 0;
  const ledgers = (account: string | null) => {
    looked += 1;
    return history.ledgers(account);
  };
  const drawdowns = new LedgerDrawdowns({ ...history, ledgers }, 24);
  const heights = () =>
    runToEnd(drawdowns.heights(classic.name, { from: start, to: start + 6 * minute, now: start + 9 * minute }));
  expect(heights().size).toBe(2);
  expect(heights()).toEqual(heights());
  expect(looked).toBe(1);
  drawdowns.refresh(classic.name);
  heights();
  expect(looked).toBe(2);
});

it("evaluates an account at once whose ledger is not collected, and says what it counts", async () => {
  const { world, until, pay } = await open({ SCHEDULE_BILLS: "" });
  pay(9.5, "-600");
  await until(10);
  expect(alerts(world)).toEqual(["fired 0.6"]);
  expect(sentences(world)[0]).toContain("(deposits and withdrawals are not taken out)");
});
