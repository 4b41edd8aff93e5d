/**
 * Limits the runs in flight of a process that shares slots with others. A run takes its place before it claims its slot, so that a slot
 * that has to wait can be claimed by another process.
 */
export class RunPlaces {
  #free: number;
  /** Those that wait, by account; the account that comes next is the first one. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves when there is room; accounts take turns. Call the returned function once, when the run has ended. */
  async take(account: string): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else
      await new Promise<void>((resolve) => {
        this.#waiting.set(account, [...(this.#waiting.get(account) ?? []), resolve]);
      });
    return () => this.#release();
  }

  /** Gives the place to the account that has waited longest since its last turn. */
  #release(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free += 1;
      return;
    }
    const [account, [first, ...others]] = next;
    this.#waiting.delete(account);
    if (others.length > 0) this.#waiting.set(account, others);
    first?.();
  }
}
