/**
 * Records fourteen days of two simulated accounts, identical to the last digit at every run: partial closes, flips,
 * liquidations, coins that appear and disappear, an upgrade, failures, hours without a collector.
 */
import { openApp } from "../../src/app.ts";
import { simulateHistory } from "../../src/commands/run/backfill.ts";
import { type Clock, SimulatedClock, systemClock } from "../../src/core/clock.ts";
import { loadConfig } from "../../src/settings/config.ts";
import { type Fault, type ServedSnapshot, type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { classic, credentials, everyModelled, unified } from "./settings.ts";

const hour = 3_600_000;
const begin = Date.UTC(2026, 9, 1);

/** Returns the number of the slot: hours since the beginning. */
const at = (day: number, hourOfDay: number): number => (day - 1) * 24 + hourOfDay;

/** Slots that passed while the program was running and its event loop was blocked. */
const isBlocked = (slot: number): boolean => slot >= at(5, 14) && slot <= at(5, 16);
/** The last slot before the program was stopped and the first after its restart. */
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

/** The injected faults by slot. */
const faultsBySlot = new Map<number, (exchange: Simulator) => void>([
  [
    at(2, 10),
    (exchange) =>
      exchange.injectFault({ path: "/api/v2/spot/account/assets", account: "main", body: "<html>", times: 3 }),
  ],
  [at(4, 7), (exchange) => exchange.injectFault(noPermission)],
  [at(4, 8), (exchange) => exchange.injectFault(noPermission)],
  [at(4, 9), (exchange) => exchange.injectFault(noPermission)],
  [
    at(6, 20),
    (exchange) => exchange.injectFault({ path: positions, params: { productType: "COIN-FUTURES" }, delayMs: 420 }),
  ],
  [at(9, 0), (exchange) => exchange.upgrade("hedge")],
  [at(10, 12), (exchange) => exchange.injectFault({ path: "/api/v2/spot/market/tickers", status: 503, times: 3 })],
  [at(12, 18), (exchange) => exchange.injectFault(badShape)],
]);

/** Returns when the program checks a slot, epoch ms: less than half a second late, every 50th slot over four seconds. */
const checksAt = (slot: number): number => begin + slot * hour + (slot % 50 === 49 ? 4200 : 40 + ((slot * 37) % 400));

/** Fills the database at `path` with the first `days` of the fortnight; returns every snapshot that the exchange served. */
export async function simulateFortnight(path: string, days = 14): Promise<ServedSnapshot[]> {
  const end = at(days + 1, 0) - 1;
  const clock = new SimulatedClock(begin, { now: () => 0, monotonic: () => 0, after: systemClock.after });
  const exchange = await startSimulator({
    clock: advancingOnWaits(clock),
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
    ...everyModelled("0 0 * * * *"),
  });
  async function collect(first: number, last: number): Promise<void> {
    const all = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const slots = all.filter((slot) => !isBlocked(slot));
    const injectFaults = (slot: number | undefined) => slot !== undefined && faultsBySlot.get(slot)?.(exchange);
    const app = await openApp(config, clock);
    try {
      injectFaults(slots[0]);
      await simulateHistory(app, clock, slots.map(checksAt), (count) => injectFaults(slots[count]));
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
 * Advances a simulated clock by the exchange's own waits, so that a delayed response takes simulated time. A wait lasts
 * a number of event-loop turns, so that responses in flight arrive first even on a busy machine.
 */
const advancingOnWaits = (clock: SimulatedClock): Clock => ({
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
