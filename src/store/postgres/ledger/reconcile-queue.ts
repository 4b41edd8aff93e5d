/** Reconciles accounts of a history that is recorded into PostgreSQL, as many as are waiting after each pass of its mirror. */
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import type { Secret } from "../../../core/domain.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import type { Reconciled } from "../../ledger/reconciler.ts";
import { Postgres } from "../connection.ts";
import { lockMs, mirror, withMirrorLock } from "../copy/mirror.ts";
import { type AccountOptions, ReconciledMirror } from "./reconcile-mirror.ts";

export interface ReconcileQueueOptions {
  url: Secret;
  datasets: readonly AnyDataset[];
  /** Where the mirror is, or is to be. */
  path: string;
  /** Aborted when the program must stop at once. */
  stopping?: AbortSignal | undefined;
}

interface Waiting {
  options: AccountOptions;
  resolve(done: Reconciled): void;
  reject(error: unknown): void;
}

export class ReconcileQueue {
  readonly #options: ReconcileQueueOptions;
  #postgres: Promise<Postgres> | null = null;
  #waiting: Waiting[] = [];
  #working: Promise<void> | null = null;

  constructor(options: ReconcileQueueOptions) {
    this.#options = options;
  }

  /** Brings the reconciliation of an account up to date. @throws StorageError where PostgreSQL is away, LockedError where another process copies to the mirror for a minute */
  reconcile(options: AccountOptions): Promise<Reconciled> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ options, resolve, reject });
      this.#working ??= this.#work().finally(() => {
        this.#working = null;
      });
    });
  }

  /** Closes the connection once what is waiting has been reconciled. */
  async close(): Promise<void> {
    await this.#working;
    await (await this.#postgres)?.close();
  }

  /** Reconciles until nothing is waiting. Never rejects. */
  async #work(): Promise<void> {
    const { path, stopping } = this.#options;
    // Runs of several accounts end in the same turn of the event loop.
    await yieldToEventLoop();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0);
      try {
        await withMirrorLock(path, () => this.#pass(group), { ms: lockMs.longest, signal: stopping });
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
  }

  /** Copies the history to the mirror, and reconciles the accounts in it. Those for which another process was faster wait again. */
  async #pass(group: readonly Waiting[]): Promise<void> {
    const { url, path, datasets, stopping } = this.#options;
    this.#postgres ??= Postgres.open(url, { name: "ledger", connections: 1 });
    const postgres = await this.#postgres;
    await mirror(postgres, path, { datasets, now: Date.now, ...(stopping && { signal: stopping }) });
    const mirrored = new ReconciledMirror(postgres, path, datasets);
    try {
      for (const all of alike(group)) {
        stopping?.throwIfAborted();
        try {
          const done = await mirrored.reconcile(all[0].options);
          if (done) for (const { resolve } of all) resolve(done);
          else this.#waiting.push(...all);
        } catch (error) {
          for (const { reject } of all) reject(error);
        }
      }
    } finally {
      mirrored.close();
    }
  }
}

/** Returns what one reconciliation is for: several runs of an account that ended since the last pass. The latest one is the first. */
function alike(group: readonly Waiting[]): [Waiting, ...Waiting[]][] {
  const found = new Map<string, [Waiting, ...Waiting[]]>();
  for (const one of group) {
    const { now, ...selected } = one.options;
    const key = JSON.stringify(selected);
    found.set(key, [one, ...(found.get(key) ?? [])]);
  }
  return [...found.values()];
}
