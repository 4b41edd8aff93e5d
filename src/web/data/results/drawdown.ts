/** Computes the drawdown of the selected accounts: the one figure of the overview and of the performance page. */
import type { Steps } from "../../../core/async/cooperate.ts";
import { compare, divide, subtract } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { type Drawdown, Drawdowns } from "../../../returns/drawdown.ts";
import type { Growth } from "../../../returns/time-weighted.ts";
import type { View } from "../table.ts";
import { chained } from "./growth.ts";
import type { Part } from "./parts.ts";
import { readParts } from "./read-parts.ts";

/** The loss from the last peak, and the largest one. */
export interface CurrentDrawdown {
  /** As a fraction of the peak. */
  now: DecimalString;
  largest: Drawdown;
  /** When the growth begins, epoch ms. */
  since: number;
  /** How long the result is unknown and no part of it, as over an upgrade of the account. Milliseconds. */
  leftOutMs: number;
  /** False if what was paid in and out is unknown, and counts as profit and loss. */
  isWithoutFlows: boolean;
}

/** Reads the drawdown since the beginning of a local day, epoch ms. */
export function* readDrawdown(view: View, from: number): Steps<CurrentDrawdown | null> {
  const { parts, known } = yield* readParts(view, from);
  return drawdownOf(known.length > 0 ? known : parts);
}

/** Returns the drawdown of consecutive parts; null if nothing is known of them. */
export function drawdownOf(parts: readonly Part[]): CurrentDrawdown | null {
  const { growth, leftOut } = chained(parts);
  const drawdowns = new Drawdowns();
  let peak: Growth | null = null;
  for (const point of growth) {
    drawdowns.add(point);
    if (!peak || compare(point.least, peak.least) >= 0) peak = point;
  }
  const [first, last, largest] = [growth[0], growth.at(-1), drawdowns.largest];
  const leftOutMs = leftOut.reduce((all, { from, to }) => all + to - from, 0);
  if (!first || !last || !peak || !largest || (leftOutMs > 0 && leftOutMs >= last.at - first.at)) return null;
  return {
    now: divide(subtract(peak.least, last.least), peak.least) ?? "0",
    largest,
    since: first.at,
    leftOutMs,
    isWithoutFlows: parts.every((part) => part.cause === null || part.leftOut.length > 0),
  };
}
