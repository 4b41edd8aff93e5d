/** Computes what the money in accounts made from their equity and what was paid in and out. */
import { absolute, add, compare, divide, isPositive, multiply, subtract, sumOf } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { Transits } from "../../returns/transits.ts";
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

/** A loss from a peak to the lowest point after it; 0.1 is 10 %. */
export interface Loss {
  depth: DecimalString;
  peakAt: number;
  lowestAt: number;
  /** When the peak was reached again; null if it was not. Epoch ms. */
  recoveredAt: number | null;
}

interface Known {
  at: number;
  peakAt: number;
  equity: DecimalString;
  profit: DecimalString;
  /** The highest point so far, as the equity that would now be as high. */
  peak: DecimalString;
}

/**
 * Sums up the profit from point to point. What was made in a step in which an unknown amount may have been paid is not part of it: the
 * lines break there and continue at the height they had.
 */
export class Profit {
  readonly #paid: Paid;
  readonly #transits: Transits;
  #nextFlow = 0;
  #last: Known | null = null;
  #largest: Loss | null = null;

  constructor(paid: Paid) {
    this.#paid = paid;
    this.#transits = new Transits(paid.transits);
  }

  /** Adds the next point, and returns those to draw: none where the ledger was not read yet, and two after a break. */
  add({ at, equity: recorded }: EquityPoint): ProfitPoint[] {
    if (at > this.#paid.through) return [];
    const equity = sumOf([recorded, this.#transits.usdtAt(at)]);
    if (equity === null) return [{ at, profit: null, drawdown: null }];
    const last = this.#last;
    const step = last && this.#flowIn(last.at, at);
    const next = last ? after(last, { at, equity }, step) : { at, peakAt: at, equity, profit: "0", peak: equity };
    this.#last = next;
    const drawdown = isPositive(next.peak) ? divide(subtract(equity, next.peak), next.peak) : null;
    if (drawdown !== null) this.#note(next, absolute(drawdown));
    const point = { at, profit: next.profit, drawdown };
    return last && step === null ? [{ at: last.at + 1, profit: null, drawdown: null }, point] : [point];
  }

  /** The largest loss so far, the first of several; null before the first point. */
  get largest(): Loss | null {
    return this.#largest;
  }

  #note({ at, peakAt }: Known, depth: DecimalString): void {
    const largest = this.#largest;
    if (!largest || compare(depth, largest.depth) > 0)
      this.#largest = { depth, peakAt, lowestAt: at, recoveredAt: null };
    else if (largest.recoveredAt === null && peakAt !== largest.peakAt) largest.recoveredAt = peakAt;
  }

  /** Returns what was paid after `from` up to `to` (epoch ms); null if it is unknown. Steps must be passed in order. */
  #flowIn(from: number, to: number): Step | null {
    const { flows, unknown } = this.#paid;
    const step = { cameIn: "0", left: "0" };
    for (; (flows[this.#nextFlow]?.at ?? Number.POSITIVE_INFINITY) <= to; this.#nextFlow += 1) {
      const { at = 0, usdt = "0" } = flows[this.#nextFlow] ?? {};
      if (at <= from) continue;
      if (isPositive(usdt)) step.cameIn = add(step.cameIn, usdt);
      else step.left = subtract(step.left, usdt);
    }
    return unknown.some((one) => one.from <= to && one.to > from) ? null : step;
  }
}

/** What was paid in a step; neither is negative. */
interface Step {
  cameIn: DecimalString;
  left: DecimalString;
}

/**
 * Returns the state after a step; null: unknown what was paid. Like in the time-weighted return, money that comes in counts before the
 * step and money that leaves after it; both change the peak in the proportion in which they change the equity.
 */
function after(last: Known, { at, equity }: { at: number; equity: DecimalString }, step: Step | null): Known {
  if (!step) {
    const peak = scaled(last.peak, last.equity, equity) ?? equity;
    return { at, peakAt: last.peakAt, equity, profit: last.profit, peak };
  }
  const [began, ended] = [add(last.equity, step.cameIn), add(equity, step.left)];
  const profit = add(last.profit, subtract(ended, began));
  const raised = scaled(last.peak, last.equity, began);
  const peak = (raised && scaled(raised, ended, equity)) ?? equity;
  return compare(equity, peak) >= 0
    ? { at, peakAt: at, equity, profit, peak: equity }
    : { at, peakAt: last.peakAt, equity, profit, peak };
}

/** Returns the peak in the proportion of two equities; null without a proportion. */
const scaled = (peak: DecimalString, from: DecimalString, to: DecimalString): DecimalString | null =>
  compare(from, to) === 0 ? peak : isPositive(from) ? divide(multiply(peak, to), from) : null;
