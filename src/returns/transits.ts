/** Money that is between two wallets of an account while its equity is read: it is neither lost nor paid out. */
import { sumOf } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";

/** A transfer of which one wallet has its entry and the other not yet: from `from` (inclusive) to `to` (exclusive), epoch ms. */
export interface Transit {
  from: number;
  to: number;
  /** What the equity lacks meanwhile; negative if it contains it twice, null if the price is unknown. */
  usdt: DecimalString | null;
}

/** Sums up the transits at instants, which must be passed in order. */
export class Transits {
  readonly #all: readonly Transit[];
  #next = 0;

  constructor(all: readonly Transit[]) {
    this.#all = [...all].sort((one, other) => one.from - other.from);
  }

  /** Returns what an equity of an instant lacks; null if it is unknown. */
  usdtAt(at: number): DecimalString | null {
    while ((this.#all[this.#next]?.to ?? Number.POSITIVE_INFINITY) <= at) this.#next += 1;
    const amounts: (DecimalString | null)[] = [];
    for (let index = this.#next; (this.#all[index]?.from ?? Number.POSITIVE_INFINITY) <= at; index += 1) {
      const { to = at, usdt = null } = this.#all[index] ?? {};
      if (to > at) amounts.push(usdt);
    }
    return sumOf(amounts);
  }
}
