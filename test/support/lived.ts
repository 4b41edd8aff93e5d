/**
 * Fourteen days of two simulated accounts, the same to the last digit whenever they are lived through: partial closes,
 * flips, liquidations, coins that come and go, an upgrade, failures, hours in which nobody collected.
 */
import { openApp } from "../../src/app.ts";
import { simulateHistory } from "../../src/commands/run/backfill.ts";
import { type Clock, SimulatedClock, systemClock } from "../../src/core/clock.ts";
import { loadConfig } from "../../src/settings/config.ts";
import { type Fault, type ServedSnapshot, type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { classic, credentials, everyModelled, unified } from "./settings.ts";

const hour = 3_600_000;
const begin = Date.UTC(2026, 9, 1);

/** Hours since the beginning. */
const at = (day: number, hourOfDay: number): number => (day - 1) * 24 + hourOfDay;

/** Slots that passed while the program was there and looked at nothing. */
const isBlocked = (slot: number): boolean => slot >= at(5, 14) && slot <= at(5, 16);
/** The last slot before the program was stopped, and the first after it was started again. */
const stopped = { last: at(8, 3), first: at(8, 9) };

const positions = "/api/v2/mix/position";
const noPermission: Fault = {
  path: positions,
  account: "main",
  params: { productType: "USDC-FUTURES" },
  code: "40014",
  message: "Incorrect permissions",
};
const badShape: Fault = {
  path: positions,
  account: "main",
  params: { productType: "USDT-FUTURES" },
  edit: (envelope) => ({ ...(envelope as object), data: [{ symbol: "BTCUSDT" }] }),
};

/** What goes wrong, by the slot at which it does. */
const mishaps = new Map<number, (exchange: Simulator) => void>([
  [
    at(2, 10),
    (exchange) =>
      exchange.misbehave({ path: "/api/v2/spot/account/assets", account: "main", body: "<html>", times: 3 }),
  ],
  [at(4, 7), (exchange) => exchange.misbehave(noPermission)],
  [at(4, 8), (exchange) => exchange.misbehave(noPermission)],
  [at(4, 9), (exchange) => exchange.misbehave(noPermission)],
  [
    at(6, 20),
    (exchange) => exchange.misbehave({ path: positions, params: { productType: "COIN-FUTURES" }, delayMs: 420 }),
  ],
  [at(9, 0), (exchange) => exchange.upgrade("hedge")],
  [at(10, 12), (exchange) => exchange.misbehave({ path: "/api/v2/spot/market/tickers", status: 503, times: 3 })],
  [at(12, 18), (exchange) => exchange.misbehave(badShape)],
]);

/** When the program looks at the clock: a little after each slot, once in two days by seconds. Epoch ms. */
const wakesAt = (slot: number): number => begin + slot * hour + (slot % 50 === 49 ? 4200 : 40 + ((slot * 37) % 400));

/** Fills the database at `path` with the first of these days; returns everything the exchange knows it has told. */
export async function livedPast(path: string, days = 14): Promise<ServedSnapshot[]> {
  const end = at(days + 1, 0) - 1;
  const clock = new SimulatedClock(begin, { now: () => 0, monotonic: () => 0, after: systemClock.after });
  const exchange = await startSimulator({
    clock: movedByWaits(clock),
    from: begin,
    accounts: [classic, { ...unified, mode: "classic" }],
  });
  const config = loadConfig({
    BITGET_ACCOUNTS: "main,hedge",
    ...credentials(classic, "BITGET_MAIN"),
    ...credentials(unified, "BITGET_HEDGE"),
    BITGET_BASE_URL: exchange.url,
    DATABASE_URL: `file:${path}`,
    LOG_LEVEL: "silent",
    ...everyModelled("0 * * * *"),
  });
  async function collect(first: number, last: number): Promise<void> {
    const all = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const slots = all.filter((slot) => !isBlocked(slot));
    const befall = (slot: number | undefined) => slot !== undefined && mishaps.get(slot)?.(exchange);
    const app = await openApp(config, clock);
    try {
      befall(slots[0]);
      await simulateHistory(app, clock, slots.map(wakesAt), (count) => befall(slots[count]));
    } finally {
      app.close();
    }
  }
  try {
    await collect(1, Math.min(stopped.last, end));
    if (end > stopped.first) {
      clock.jump(begin + stopped.first * hour - 5000);
      await collect(stopped.first, end);
    }
    return exchange.record;
  } finally {
    await exchange.close();
  }
}

/**
 * The exchange's side of a clock that stands still between jumps: an answer that is held back takes its time. It is
 * counted in turns of the event loop, so that what is on its way arrives before it even where the machine is busy.
 */
const movedByWaits = (clock: SimulatedClock): Clock => ({
  now: () => clock.now(),
  monotonic: () => clock.monotonic(),
  after(ms, action) {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
      if (turns * 10 < ms) return;
      clearInterval(timer);
      clock.jump(clock.now() + ms);
      action();
    }, 10);
    return () => clearInterval(timer);
  },
});
