/** Runs the transactions of a recorder, and repeats failed writes with the next one, so that the run ledger lacks no slot. */
import { StorageError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { Connection, Postgres } from "../connection.ts";
import { type LockedAccount, lockAccount } from "./ledger.ts";

type Work<Result> = (connection: Connection) => Promise<Result>;
type AccountWork<Result> = (account: LockedAccount) => Promise<Result>;

interface Queued {
  work: AccountWork<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Returns work on an account whose row is locked, and whose new links are stored at its end. */
export const inAccount =
  <Result>(name: string, work: AccountWork<Result>): Work<Result> =>
  async (connection) => {
    const account = await lockAccount(connection, name);
    const result = await work(account);
    await account.chain.write();
    return result;
  };

export class Writes {
  readonly #postgres: Postgres;
  readonly #log: Log;
  readonly #deferred = new Map<string, Work<unknown>>();
  /** What waits for the transaction of an account to end. */
  readonly #queues = new Map<string, Queued[]>();

  constructor(postgres: Postgres, log: Log) {
    this.#postgres = postgres;
    this.#log = log;
  }

  /** Writes in one transaction, after the deferred writes. @throws StorageError where the server is away */
  async write<Result>(work: Work<Result>): Promise<Result> {
    await this.#writeDeferred();
    return this.#postgres.transaction(work);
  }

  /**
   * Writes to an account, after the deferred writes. Work that arrives while a transaction of the account is in progress shares the next
   * one: datasets of an account are due at the same time. Where a part fails, each is repeated alone. @throws StorageError where the server is away
   */
  writeTo<Result>(name: string, work: AccountWork<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const one: Queued = { work, resolve: (result) => resolve(result as Result), reject };
      const queue = this.#queues.get(name);
      if (queue) queue.push(one);
      else {
        this.#queues.set(name, [one]);
        setImmediate(() => void this.#writeQueue(name));
      }
    });
  }

  async #writeQueue(name: string): Promise<void> {
    for (;;) {
      const group = this.#queues.get(name)?.splice(0) ?? [];
      if (group.length === 0) break;
      await this.#writeGroup(name, group);
    }
    this.#queues.delete(name);
  }

  async #writeGroup(name: string, group: readonly Queued[]): Promise<void> {
    const all: AccountWork<unknown[]> = async (account) => {
      const results: unknown[] = [];
      for (const { work } of group) results.push(await work(account));
      return results;
    };
    try {
      const results = await this.write(inAccount(name, all));
      for (const [at, { resolve }] of group.entries()) resolve(results[at]);
    } catch (error) {
      if (group.length === 1 || error instanceof StorageError) for (const { reject } of group) reject(error);
      else for (const one of group) await this.#writeGroup(name, [one]);
    }
  }

  /** Adds `work` to the deferred writes, in place of one of the same name. */
  defer(name: string, work: Work<unknown>): void {
    this.#deferred.set(name, work);
  }

  /** Writes to an account; where that fails, defers `substitute` with the cause for the run ledger, and throws the error of the write. */
  async writeOrDefer<Result>(
    name: string,
    account: string,
    substitute: (account: LockedAccount, cause: string) => Promise<unknown>,
    work: AccountWork<Result>,
  ): Promise<Result> {
    this.#deferred.delete(name);
    try {
      return await this.writeTo(account, work);
    } catch (error) {
      const cause = error instanceof StorageError ? "storage" : "internal";
      this.defer(
        name,
        inAccount(account, (locked) => substitute(locked, cause)),
      );
      throw error;
    }
  }

  async #writeDeferred(): Promise<void> {
    for (const [name, work] of [...this.#deferred]) {
      this.#deferred.delete(name);
      try {
        await this.#postgres.transaction(work);
      } catch (error) {
        if (!(error instanceof StorageError)) {
          // Its slot stays without a row until the schedule closes it.
          this.#log.error({ write: name }, `a write that had failed before failed again: ${String(error)}`);
          continue;
        }
        if (!this.#deferred.has(name)) this.#deferred.set(name, work);
        throw error;
      }
    }
  }
}
