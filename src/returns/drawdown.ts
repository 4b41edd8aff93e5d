/** The largest loss from a peak, without what was paid in and out. */
import { compare, divide, subtract } from "../core/decimal.ts";
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

/** Returns the largest drawdown of a growth, by its lower bounds; null without any point. */
export function largestDrawdown(growth: Iterable<Growth>): Drawdown | null {
  let peak: Growth | null = null;
  let largest: Drawdown | null = null;
  for (const point of growth) {
    if (!peak || compare(point.least, peak.least) >= 0) {
      if (largest && largest.recoveredAt === null && largest.peakAt === peak?.at) largest.recoveredAt = point.at;
      peak = point;
    }
    const depth = divide(subtract(peak.least, point.least), peak.least) ?? "0";
    if (!largest || compare(depth, largest.depth) > 0)
      largest = { depth, peakAt: peak.at, lowestAt: point.at, recoveredAt: null };
  }
  if (largest && compare(largest.depth, "0") === 0) largest.recoveredAt = largest.peakAt;
  return largest;
}
