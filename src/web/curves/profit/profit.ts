/** Computes what the money in accounts made from their equity and what was paid in and out. */
import { add, compare, divide, isPositive, isZero, subtract, sumOf } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { type Growth, GrowthChain } from "../../../returns/time-weighted.ts";
import { Transits } from "../../../returns/transits.ts";
import type { Paid } from "./paid.ts";

/** The equity at a time, epoch ms; null is unknown. */
export interface EquityPoint {
  at: number;
  equity: DecimalString | null;
}

/** What was made since the first point, and the loss since the highest point: -0.1 is 10 %. Both null: unknown. */
export interface ProfitPoint {
  at: number;
  profit: DecimalString | null;
  drawdown: DecimalString | null;
}

interface Known {
  at: number;
  equity: DecimalString;
  profit: DecimalString;
}

/** Returns whether the equity of an account was not recorded for too long between two points, epoch ms. */
export type IsGap = (from: number, to: number) => boolean;

/**
 * Sums up the profit from point to point, and chains the growth as the time-weighted return does. What was made in a step in which an
 * unknown amount may have been paid is not part of it: the lines break there and continue at the height they had.
 */
export class Profit {
  readonly #paid: Paid;
  readonly #transits: Transits;
  readonly #isGap: IsGap;
  readonly #chain = new GrowthChain();
  #nextFlow = 0;
  #last: Known | null = null;
  /** Whether an equity was recorded since the last point of which it is unknown what it lacks. */
  #isHidden = false;
  /** Whether the lines break at a point since the last known one. */
  #isBroken = false;
  /** The highest growth so far. */
  #peak: DecimalString = "1";

  constructor(paid: Paid, isGap: IsGap = () => false) {
    this.#paid = paid;
    this.#transits = new Transits(paid.transits);
    this.#isGap = isGap;
  }

  /** Adds the next point, and returns those to draw: none where the ledger was not read yet, and two after a break. */
  add({ at, equity: recorded }: EquityPoint): ProfitPoint[] {
    if (at >= this.#paid.through) return [];
    const equity = sumOf([recorded, this.#transits.usdtAt(at)]);
    if (equity === null) {
      this.#isHidden ||= recorded !== null;
      this.#isBroken = true;
      return [{ at, profit: null, drawdown: null }];
    }
    const last = this.#last;
    const step = last && this.#stepTo(last, at);
    const change = last && subtract(equity, last.equity);
    const made = change && step && subtract(change, add(step.before, step.after));
    const next = { at, equity, profit: add(last?.profit ?? "0", made ?? "0") };
    const { least = "1", isAfterUnknown = false } = this.#grown(last, next, step) ?? {};
    if (compare(least, this.#peak) > 0) this.#peak = least;
    this.#last = next;
    this.#isHidden = false;
    const needsBreak = isAfterUnknown && !this.#isBroken;
    this.#isBroken = false;
    const point = { at, profit: next.profit, drawdown: divide(subtract(least, this.#peak), this.#peak) };
    return last && needsBreak ? [{ at: last.at + 1, profit: null, drawdown: null }, point] : [point];
  }

  /** Returns the growth at the next point: `before` counts with the last equity, `after` with the next one. */
  #grown(last: Known | null, { at, equity }: Known, step: Step | null): Growth | null {
    if (!last || !step) return this.#chain.add({ at, equity, flow: null, isGap: false });
    const { before, after } = step;
    const isPaid = !isZero(before) || !isZero(after);
    const isGap = isPaid && (this.#isHidden || this.#isGap(last.at, at));
    if (isGap) return this.#chain.add({ at, equity, flow: add(before, after), isGap });
    if (!isZero(before)) this.#chain.add({ at: last.at, equity: add(last.equity, before), flow: before, isGap });
    return this.#chain.add({ at, equity, flow: after, isGap });
  }

  /** Returns what was paid after a point up to `to` (epoch ms); null if it is unknown. Steps must be passed in order. */
  #stepTo({ at: from }: Known, to: number): Step | null {
    const { flows, unknown } = this.#paid;
    const step = { before: "0", after: "0" };
    for (; (flows[this.#nextFlow]?.at ?? Number.POSITIVE_INFINITY) <= to; this.#nextFlow += 1) {
      const { at = 0, usdt = "0", isJoining = false } = flows[this.#nextFlow] ?? {};
      if (at <= from) continue;
      if (isPositive(usdt) && !isJoining) step.before = add(step.before, usdt);
      else step.after = add(step.after, usdt);
    }
    return unknown.some((one) => one.from <= to && one.to > from) ? null : step;
  }
}

/** What was paid in a step: money that came in counts before its result, and money that left after it, as that of an account that began. */
interface Step {
  before: DecimalString;
  after: DecimalString;
}
