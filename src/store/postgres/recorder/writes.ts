/** Runs the transactions of a recorder, and repeats failed writes with the next one, so that the run ledger lacks no slot. */
import { StorageError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { Connection, Postgres } from "../connection.ts";

type Work<Result> = (connection: Connection) => Promise<Result>;

export class Writes {
  readonly #postgres: Postgres;
  readonly #log: Log;
  readonly #deferred = new Map<string, Work<unknown>>();

  constructor(postgres: Postgres, log: Log) {
    this.#postgres = postgres;
    this.#log = log;
  }

  /** Writes in one transaction, after the deferred writes. @throws StorageError where the server is away */
  async write<Result>(work: Work<Result>): Promise<Result> {
    await this.#writeDeferred();
    return this.#postgres.transaction(work);
  }

  /** Adds `work` to the deferred writes, in place of one of the same name. */
  defer(name: string, work: Work<unknown>): void {
    this.#deferred.set(name, work);
  }

  /** Writes; where that fails, defers `substitute` with the cause for the run ledger, and throws the error of `write`. */
  async writeOrDefer<Result>(
    name: string,
    substitute: (connection: Connection, cause: string) => Promise<unknown>,
    work: Work<Result>,
  ): Promise<Result> {
    this.#deferred.delete(name);
    try {
      return await this.write(work);
    } catch (error) {
      const cause = error instanceof StorageError ? "storage" : "internal";
      this.defer(name, (connection) => substitute(connection, cause));
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
