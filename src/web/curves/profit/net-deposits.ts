/** Computes the line that the equity would have if nothing was made: where it began, and what was paid in and out since. */
import { add, sumOf } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { Transits } from "../../../returns/transits.ts";
import type { Paid } from "./paid.ts";
import type { EquityPoint } from "./profit.ts";

/** Adds up what was paid from point to point. After a step in which an unknown amount may have been paid, it begins again at the equity. */
export class NetDeposits {
  readonly #paid: Paid;
  readonly #transits: Transits;
  #nextFlow = 0;
  #last: { at: number; value: DecimalString } | null = null;

  constructor(paid: Paid) {
    this.#paid = paid;
    this.#transits = new Transits(paid.transits);
  }

  /** Returns the value at the next point; null before the first known equity, after a step with unknown flows, and after the ledger's end. */
  at({ at, equity: recorded }: EquityPoint): DecimalString | null {
    const { isNothingKnown, through, unknown } = this.#paid;
    if (isNothingKnown || at >= through) return null;
    const equity = sumOf([recorded, this.#transits.usdtAt(at)]);
    const last = this.#last;
    const paid = this.#paidIn(last?.at ?? at, at);
    if (!last) {
      this.#last = equity === null ? null : { at, value: equity };
      return equity;
    }
    const isUnknown = unknown.some((one) => one.from <= at && one.to > last.at);
    if (isUnknown) {
      this.#last = equity === null ? null : { at, value: equity };
      return null;
    }
    const value = paid.reduce((sum, amount) => add(sum, amount), last.value);
    this.#last = { at, value };
    return value;
  }

  /** Returns what was paid after `from` up to `to`, epoch ms. Steps must be passed in order. */
  #paidIn(from: number, to: number): DecimalString[] {
    const { flows } = this.#paid;
    const begin = this.#nextFlow;
    while ((flows[this.#nextFlow]?.at ?? Number.POSITIVE_INFINITY) <= to) this.#nextFlow += 1;
    return flows.slice(begin, this.#nextFlow).flatMap(({ at, usdt }) => (at > from ? [usdt] : []));
  }
}
