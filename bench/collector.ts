/** Runs the collector of classic accounts on a simulated clock that is set forward from slot to slot. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type App, observeRuns, openApp, preflight } from "../src/app.ts";
import { Scheduler } from "../src/collecting/scheduler.ts";
import { SimulatedClock } from "../src/core/clock.ts";
import { loadConfig } from "../src/settings/config.ts";
import type { SimulatedAccount } from "../src/simulator/simulator.ts";
import { query } from "../test/store/kit.ts";
import { everyDataset } from "../test/support/settings.ts";
import { accountsOf, startExchange } from "./exchange.ts";
import { newFolder } from "./folder.ts";

const minute = 60_000;
/** The simulated history is the same in every run: 2026-10-01T00:00:00Z. */
const begin = 1_790_812_800_000;

export interface Collector {
  app: App;
  /** Sets both clocks forward, by default to the next slot. */
  forward(minutes?: number): Promise<void>;
  /**
   * Runs the slot, from the tick until all runs are stored.
   * @throws Error if a warning or an error was logged: the measurement is not valid then
   */
  cycle(): Promise<void>;
  /** Resolves with the number of requests that the exchange has received so far. */
  requests(): Promise<number>;
  /** @throws Error if a run was not `ok` */
  close(): Promise<void>;
}

/** Starts the collector. `latencyMs`: of every response of the exchange. `settings`: in addition to keys and schedules. */
export async function startCollector(
  latencyMs: number,
  accounts = 1,
  settings: Record<string, string> = {},
): Promise<Collector> {
  const clock = new SimulatedClock(begin);
  const exchange = await startExchange(begin, latencyMs, accounts);
  const folder = newFolder();
  const app = await openApp(configOf(exchange.url, join(folder, "collector.db"), accounts, settings), clock);
  await preflight(app);
  let problem: Error | null = null;
  const note = (_fields: unknown, message?: string) => {
    problem ??= new Error(message);
  };
  const log = { debug: () => {}, info: () => {}, warn: note, error: note };
  observeRuns(app);
  const scheduler = await Scheduler.open({
    ...app,
    deps: { ...app.deps, log },
    onFatal(error) {
      problem ??= error;
    },
  });
  let slot = begin;
  return {
    app,
    async forward(minutes = 1) {
      slot += minutes * minute;
      await exchange.jump(slot);
      clock.jump(slot);
    },
    async cycle() {
      scheduler.tick();
      await scheduler.idle();
      if (problem) throw problem;
    },
    requests: () => exchange.jump(slot),
    async close() {
      await scheduler.stop();
      app.close();
      await exchange.close();
      const ends = query(app.store.path, "select state, count(*) as runs from runs group by state");
      rmSync(folder, { recursive: true });
      if (ends.some(({ state }) => state !== "ok")) throw new Error(`some runs are not ok: ${JSON.stringify(ends)}`);
    },
  };
}

const configOf = (url: string, database: string, accounts: number, settings: Record<string, string>) =>
  loadConfig({
    LOG_LEVEL: "warn",
    DATABASE_URL: `file:${database}`,
    BITGET_BASE_URL: url,
    BITGET_ACCOUNTS: accountsOf(accounts)
      .map(({ name }) => name)
      .join(","),
    ...Object.fromEntries(accountsOf(accounts).flatMap(keyOf)),
    ...everyDataset("* * * * *"),
    ...settings,
  });

/** Returns the settings of an account's key. */
function keyOf({ name, key, secret, passphrase }: SimulatedAccount): [string, string][] {
  const prefix = name === "main" ? "BITGET" : `BITGET_${name.toUpperCase()}`;
  return [
    [`${prefix}_API_KEY`, key],
    [`${prefix}_API_SECRET`, secret],
    [`${prefix}_API_PASSPHRASE`, passphrase],
  ];
}
