/** The program's own parts wired to a simulated exchange in this process, on a clock that a test sets. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import { type App, observeRuns, openApp } from "../../src/app.ts";
import { Scheduler } from "../../src/collecting/scheduler.ts";
import { type Clock, SimulatedClock } from "../../src/core/clock.ts";
import type { Metrics } from "../../src/monitoring/metrics.ts";
import { loadConfig } from "../../src/settings/config.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../src/simulator/simulator.ts";
import { temporaryFolder } from "./files.ts";
import { fixtureEndpoints } from "./fixture-endpoints.ts";
import { classic, credentials, everyDataset } from "./settings.ts";

/** A clock that can also be set back: the wall clock moves, the monotonic one does not notice. */
export class SettableClock implements Clock {
  readonly #base: SimulatedClock;
  #step = 0;

  constructor(start: number) {
    this.#base = new SimulatedClock(start);
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

  /** Lives through the time up to `instant` of the wall clock. */
  live(instant: number): void {
    this.#base.jump(instant - this.#step);
  }

  /** Sets the wall clock alone, as a person or a time server does. */
  set(instant: number): void {
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
  /** Ticks and waits until all that is due is done. */
  tick(): Promise<void>;
  /** Lives through the time to an instant, ticks, and waits. */
  at(instant: string | number): Promise<void>;
  /** Rows of a query on the database as it is now. */
  rows(sql: string): unknown[];
  /** Closes the program and opens it again, with other settings if given. */
  restart(settings?: Record<string, string>): Promise<void>;
}

/** A world for the caller to close, its database at `path`. */
export interface OpenWorld extends World {
  close(): Promise<void>;
}

/** `settings` beside the key; every dataset is switched off but those given a schedule there. Gone when the test is over. */
export async function createWorld(
  start: string,
  settings: Record<string, string>,
  options: Partial<SimulatorOptions> = {},
): Promise<World> {
  const world = await openWorld(join(temporaryFolder(), "collector.db"), start, settings, options);
  onTestFinished(() => world.close());
  return world;
}

export async function openWorld(
  path: string,
  start: string,
  settings: Record<string, string>,
  options: Partial<SimulatorOptions> = {},
): Promise<OpenWorld> {
  const clock = new SettableClock(Date.parse(start));
  const exchange = await startSimulator({ clock, accounts: [classic], endpoints: fixtureEndpoints, ...options });
  let current = settings;
  async function open() {
    const config = loadConfig({
      ...credentials(classic),
      BITGET_BASE_URL: exchange.url,
      DATABASE_URL: `file:${path}`,
      LOG_LEVEL: "silent",
      ...everyDataset(""),
      ...current,
    });
    const app = await openApp(config, clock);
    // As the program does before its first slot; a clock that is contradicted stays so.
    await app.publicSession.client.requireClock(AbortSignal.timeout(30_000)).catch(() => {});
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
      clock.live(typeof instant === "string" ? Date.parse(instant) : instant);
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
