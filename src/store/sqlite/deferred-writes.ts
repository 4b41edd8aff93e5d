/** Repeats failed writes with the next write that succeeds, so that the run ledger lacks no slot. */
import { StorageError } from "../../core/errors.ts";
import type { Write } from "./write-queue.ts";

/** Keeps writes that failed until the next write succeeds. */
export class DeferredWrites {
  readonly #write: Write;
  readonly #deferred = new Map<string, () => void>();

  constructor(write: Write) {
    this.#write = write;
  }

  /** Writes in one transaction with all deferred writes. */
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

  /** Adds `work` to the next write, in place of a deferred write of the same name. */
  defer(name: string, work: () => void): void {
    this.#deferred.set(name, work);
  }

  /** Writes; where that fails, defers `substitute` with the cause for the run ledger, and throws the error of `write`. */
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
