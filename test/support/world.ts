/** The program's parts wired to a simulated exchange in this process, on a clock that the test controls. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import { type App, observeRuns, openApp } from "../../src/app.ts";
import { Scheduler } from "../../src/collecting/scheduler.ts";
import { type Clock, SimulatedClock, systemClock } from "../../src/core/clock.ts";
import type { Metrics } from "../../src/monitoring/metrics.ts";
import { loadConfig } from "../../src/settings/config.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../src/simulator/simulator.ts";
import { provideHistory } from "../store/kit.ts";
import { temporaryFolder } from "./files.ts";
import { fixtureEndpoints } from "./fixture-endpoints.ts";
import { classic, credentials, everyDataset } from "./settings.ts";

/** A simulated clock whose wall time can be set in both directions without affecting its monotonic time. */
export class SettableClock implements Clock {
  readonly #base: SimulatedClock;
  #step = 0;

  constructor(start: number, base: Clock = systemClock) {
    this.#base = new SimulatedClock(start, base);
  }

  now(): number {
    return this.#base.now() + this.#step;
  }

  monotonic(): number {
    return this.#base.monotonic();
  }

  after(ms: number, action: () => void): () => void {
    return this.#base.after(ms, action);
  }

  /** Lets time pass until the wall clock shows `instant`, epoch ms; timers fire on the way. */
  advanceTo(instant: number): void {
    this.#base.jump(instant - this.#step);
  }

  /** Sets only the wall clock, as a user or a time server does. */
  setWallClock(instant: number): void {
    this.#step += instant - this.now();
  }
}

export interface World {
  clock: SettableClock;
  exchange: Simulator;
  path: string;
  app: App;
  metrics: Metrics;
  scheduler: Scheduler;
  /** Ticks and waits until everything due is done. */
  tick(): Promise<void>;
  /** Advances to a time, ticks, and waits until everything due is done. */
  at(instant: string | number): Promise<void>;
  /** Returns the rows of a query on the current database. */
  rows(sql: string): unknown[];
  /** Closes the program and opens it again, with other settings where given. */
  restart(settings?: Record<string, string>): Promise<void>;
}

/** A world that its caller closes. */
export interface OpenWorld extends World {
  close(): Promise<void>;
}

/** Options of the exchange, and the clock that the world's clock keeps pace with. Default: the machine's. */
type Options = Partial<SimulatorOptions> & { pace?: Clock };

/** Opens a world until the test is over. `settings` come in addition to the credentials; datasets without a schedule in it are off. */
export async function createWorld(
  start: string,
  settings: Record<string, string>,
  options: Options = {},
): Promise<World> {
  const world = await openWorld(join(temporaryFolder(), "collector.db"), start, settings, options);
  onTestFinished(() => world.close());
  return world;
}

export async function openWorld(
  path: string,
  start: string,
  settings: Record<string, string>,
  { pace, ...options }: Options = {},
): Promise<OpenWorld> {
  const clock = new SettableClock(Date.parse(start), pace);
  const exchange = await startSimulator({ clock, accounts: [classic], endpoints: fixtureEndpoints, ...options });
  // With a history in PostgreSQL the file is a mirror.
  if (settings.DATABASE_URL === undefined) await provideHistory(path);
  let current = settings;
  async function open() {
    const settings = loadConfig({
      ...credentials(classic),
      BITGET_BASE_URL: exchange.url,
      DATABASE_URL: `file:${path}`,
      LOG_LEVEL: "silent",
      ...everyDataset(""),
      ...current,
    });
    // Where the history is in PostgreSQL, the file is its mirror.
    const config = settings.postgres ? { ...settings, databasePath: path } : settings;
    const app = await openApp(config, clock);
    // The program does this before its first slot; an unconfirmed clock is part of some tests.
    await app.publicSession.client.requireClock(AbortSignal.timeout(600_000)).catch(() => {});
    const metrics = observeRuns(app);
    const scheduler = await Scheduler.open({
      ...app,
      onFatal(error) {
        throw error;
      },
    });
    return { app, metrics, scheduler };
  }
  let opened = await open().catch(async (error: unknown) => {
    await exchange.close();
    throw error;
  });
  const world: OpenWorld = {
    clock,
    exchange,
    path,
    get app() {
      return opened.app;
    },
    get metrics() {
      return opened.metrics;
    },
    get scheduler() {
      return opened.scheduler;
    },
    async tick() {
      opened.scheduler.tick();
      await opened.scheduler.idle();
    },
    async at(instant) {
      clock.advanceTo(typeof instant === "string" ? Date.parse(instant) : instant);
      await world.tick();
    },
    rows(sql) {
      const database = new Database(path, { readonly: true });
      try {
        return database.prepare(sql).all();
      } finally {
        database.close();
      }
    },
    async restart(changed = current) {
      await opened.scheduler.stop();
      await opened.app.alerts.stop();
      opened.app.close();
      current = changed;
      opened = await open();
    },
    async close() {
      opened.app.abortRuns();
      await opened.scheduler.stop();
      await opened.app.alerts.stop();
      opened.app.close();
      await exchange.close();
    },
  };
  return world;
}
