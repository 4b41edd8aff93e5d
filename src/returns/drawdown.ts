/** The largest loss from a peak, without what was paid in and out. */
import { compare, divide, isZero, subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import type { Growth } from "./time-weighted.ts";

/** A loss from a peak to the lowest point after it. */
export interface Drawdown {
  /** As a fraction of the peak: 0.2 is 20 %. "0" if there was no loss. */
  depth: DecimalString;
  peakAt: number;
  lowestAt: number;
  /** When the peak was reached again; null if it was not. Epoch ms. */
  recoveredAt: number | null;
}

/** Finds the largest drawdown of a growth, by its lower bounds. */
export class Drawdowns {
  #peak: Growth | null = null;
  #largest: Drawdown | null = null;

  /** Adds the next point. */
  add(point: Growth): void {
    if (!this.#peak || compare(point.least, this.#peak.least) >= 0) {
      const largest = this.#largest;
      if (largest && largest.recoveredAt === null && largest.peakAt === this.#peak?.at) largest.recoveredAt = point.at;
      this.#peak = point;
    }
    const depth = divide(subtract(this.#peak.least, point.least), this.#peak.least) ?? "0";
    if (!this.#largest || compare(depth, this.#largest.depth) > 0)
      this.#largest = { depth, peakAt: this.#peak.at, lowestAt: point.at, recoveredAt: null };
  }

  /** The largest one so far, the first of several; null without any point. */
  get largest(): Drawdown | null {
    const largest = this.#largest;
    return largest && isZero(largest.depth) ? { ...largest, recoveredAt: largest.peakAt } : largest;
  }
}
