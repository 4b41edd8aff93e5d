/** Ships an SQLite history to PostgreSQL again and again, so that the copy is seconds behind. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Secret } from "../../../core/domain.ts";
import { ConfigError, StorageError } from "../../../core/errors.ts";
import { durationText } from "../../../core/text.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import { Postgres } from "../connection.ts";
import { type Shipped, Shipper } from "./ship.ts";

/** The pause between two passes, and the smallest multiple of the time of a pass. */
const pauseMs = 1000;
const pauseFactor = 4;

/** The pause after a failed pass, which doubles up to a minute. */
const maxPauseMs = 60_000;

/** How far behind a copy is. */
export interface ShipState {
  /** When the copy last had the state of the file, epoch ms; null: not yet since the start. */
  currentAt: number | null;
  /** Rows written since the start. */
  rows: number;
  /** Why the last pass failed; null where it did not. */
  problem: string | null;
}

export interface ShipOptions {
  path: string;
  url: Secret;
  datasets: readonly AnyDataset[];
  /** Returns the time, epoch ms. */
  now: () => number;
  /** Aborted when shipping must stop. */
  signal?: AbortSignal;
  /** Called after each pass. */
  onPass?(done: Shipped): void;
  /** Receives one sentence at the beginning of an outage, and one at its end. */
  report(sentence: string, isProblem: boolean): void;
}

/** How long stopping waits for the current pass, which is repeated after the next start. Milliseconds. */
const stopMs = 2000;

/** Ships one file until it is stopped. */
export class ShipFollower {
  readonly #options: ShipOptions;
  readonly #state: ShipState = { currentAt: null, rows: 0, problem: null };
  readonly #stopping = new AbortController();
  #failingSince: number | null = null;
  #isFirstReported = false;
  #running: Promise<void> | null = null;

  constructor(options: ShipOptions) {
    this.#options = options;
    options.signal?.addEventListener("abort", () => this.#stopping.abort(), { once: true });
  }

  /** Begins to ship in the background, until `stop`. Where PostgreSQL has another history it stops by itself, and reports it. */
  start(): void {
    this.#running = this.run().catch((error) =>
      this.#options.report(`The copy to PostgreSQL has stopped: ${(error as Error).message}`, true),
    );
  }

  /** Resolves when shipping has ended, after two seconds at the latest. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.race([this.#running, sleep(stopMs, undefined, { ref: false })]);
  }

  get state(): Readonly<ShipState> {
    return this.#state;
  }

  /**
   * Ships until aborted. Where PostgreSQL is away it tries again, and resumes where it stopped. With `isOnce` it ends after the first pass.
   * @throws ConfigError where PostgreSQL cannot have this history, and with `isOnce` a StorageError where it is away
   */
  async run(isOnce = false): Promise<void> {
    const { url, path, datasets, now } = this.#options;
    const { signal } = this.#stopping;
    const postgres = await Postgres.open(url, { name: "ship", connections: 1, keepsPlans: true });
    const shipper = new Shipper({ path, postgres, datasets, now, signal, onPart: (link) => this.#reportPart(link) });
    let failedMs = pauseMs;
    try {
      while (!signal.aborted) {
        const began = performance.now();
        try {
          await this.#pass(shipper, postgres.address.text);
          failedMs = pauseMs;
          if (isOnce) return;
          await sleep(Math.max(pauseMs, pauseFactor * (performance.now() - began)), undefined, { signal });
        } catch (error) {
          if (signal.aborted) return;
          if (isOnce || error instanceof ConfigError) throw error;
          this.#failed(error);
          await sleep(failedMs, undefined, { signal }).catch(() => {});
          failedMs = Math.min(failedMs * 2, maxPauseMs);
        }
      }
    } catch (error) {
      this.#state.problem = (error as Error).message;
      throw error;
    } finally {
      shipper.close();
      await postgres.close();
    }
  }

  #reportPart(link: number): void {
    if (!this.#isFirstReported)
      this.#options.report(
        `The first copy to PostgreSQL has ${link} links of the chain. Until it is complete, its views show no gaps and no latest rows, and histories up to there.`,
        false,
      );
    this.#isFirstReported = true;
  }

  async #pass(shipper: Shipper, text: string): Promise<void> {
    const { report, onPass, now } = this.#options;
    const done = await shipper.pass();
    this.#state.currentAt = done.at;
    this.#state.rows += done.rows;
    this.#state.problem = null;
    if (this.#failingSince !== null)
      report(`PostgreSQL at ${text} has everything again, after ${durationText(now() - this.#failingSince)}`, false);
    this.#failingSince = null;
    onPass?.(done);
  }

  #failed(error: unknown): void {
    const { report, now } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    this.#state.problem = message;
    if (this.#failingSince !== null) return;
    this.#failingSince = now();
    const what = error instanceof StorageError ? message : `the copy to PostgreSQL failed: ${message}`;
    report(`${what} Collecting continues; the copy resumes where it stopped.`, true);
  }
}
