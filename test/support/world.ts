/** The program's own parts wired to a simulated exchange in this process, on a clock that a test sets. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { type App, openApp } from "../../src/app.ts";
import { type Clock, SimulatedClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { datasetNames } from "../../src/domain.ts";
import { createScheduler, type Scheduler } from "../../src/schedule.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../src/simulator/simulator.ts";
import { temporaryFolder } from "./program.ts";

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

const key = { key: "bg_canary0123456789abcdef", secret: "canary-secret-0123456789", passphrase: "canary-passphrase" };

export interface World {
  clock: SettableClock;
  exchange: Simulator;
  path: string;
  app: App;
  scheduler: Scheduler;
  /** Ticks and waits until all that is due is done. */
  tick(): Promise<void>;
  /** Lives through the time to an instant, ticks, and waits. */
  at(instant: string | number): Promise<void>;
  /** Rows of a query on the database as it is now. */
  rows(sql: string): unknown[];
  /** Closes the program and opens it again, with other settings if given. */
  restart(settings?: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

/** `settings` beside the key; every dataset is switched off but those given a schedule there. */
export async function createWorld(
  start: string,
  settings: Record<string, string>,
  options: Partial<SimulatorOptions> = {},
): Promise<World> {
  const clock = new SettableClock(Date.parse(start));
  const account = { name: "main", ...key, mode: "classic" as const };
  const exchange = await startSimulator({ clock, accounts: [account], ...options });
  const path = join(temporaryFolder(), "collector.db");
  const off = Object.fromEntries(
    datasetNames.map((name) => [`SCHEDULE_${name.toUpperCase().replaceAll("-", "_")}`, ""]),
  );
  let current = settings;
  async function open() {
    const config = loadConfig({
      BITGET_API_KEY: key.key,
      BITGET_API_SECRET: key.secret,
      BITGET_API_PASSPHRASE: key.passphrase,
      BITGET_BASE_URL: exchange.url,
      DATABASE_URL: `file:${path}`,
      LOG_LEVEL: "silent",
      ...off,
      ...current,
    });
    const app = await openApp(config, clock);
    const scheduler = await createScheduler(app.sessions, app.publicSession, app.tools, (error) => {
      throw error;
    });
    return { app, scheduler };
  }
  let open_ = await open();
  const world: World = {
    clock,
    exchange,
    path,
    get app() {
      return open_.app;
    },
    get scheduler() {
      return open_.scheduler;
    },
    async tick() {
      open_.scheduler.tick();
      await open_.scheduler.idle();
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
      await open_.scheduler.stop();
      open_.app.close();
      current = changed;
      open_ = await open();
    },
    async close() {
      open_.app.cut();
      await open_.scheduler.stop();
      open_.app.close();
      await exchange.close();
    },
  };
  return world;
}
