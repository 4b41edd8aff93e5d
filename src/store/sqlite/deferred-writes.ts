/** Writes that failed and are made up for by the next one that succeeds, so that no slot goes unmentioned in the run ledger. */
import { StorageError } from "../../core/errors.ts";
import type { Write } from "./write-queue.ts";

export class DeferredWrites {
  readonly #write: Write;
  readonly #deferred = new Map<string, () => void>();

  constructor(write: Write) {
    this.#write = write;
  }

  /** Writes in one transaction with everything that is deferred. */
  readonly write: Write = async (work, readCommitted) => {
    let done: string[] = [];
    const result = await this.#write(() => {
      done = [...this.#deferred.keys()];
      for (const deferred of this.#deferred.values()) deferred();
      return work();
    }, readCommitted);
    for (const name of done) this.#deferred.delete(name);
    return result;
  };

  /** Has the next write do this too; one of the same name takes its place. */
  defer(name: string, work: () => void): void {
    this.#deferred.set(name, work);
  }

  /** Writes, and should that fail, defers `substitute` with the cause for the run ledger. */
  async writeOrDefer<T>(
    name: string,
    substitute: (cause: string) => void,
    work: () => T,
    readCommitted?: () => T | null,
  ): Promise<T> {
    this.#deferred.delete(name);
    try {
      return await this.write(work, readCommitted);
    } catch (error) {
      const cause = error instanceof StorageError ? "storage" : "internal";
      this.defer(name, () => substitute(cause));
      throw error;
    }
  }
}
