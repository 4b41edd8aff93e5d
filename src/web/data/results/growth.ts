/** How money grew from one joint valuation to a later one: the points that matter for a drawdown. */
import { compare, isZero, multiply, truncate } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { type Growth, growthAcross } from "../../../returns/time-weighted.ts";
import type { Span } from "../../../store/history.ts";
import type { JointValuation } from "./joint-valuations.ts";

/** How one unit of money grew, beginning with 1. */
export interface PartGrowth {
  growth: readonly Growth[];
  /** The times whose result is unknown, which are no part of the growth. */
  leftOut: readonly Span[];
}

/** Returns the growth of joint valuations. */
export function growthIn(joint: readonly JointValuation[]): PartGrowth {
  const growth = [...growthAcross(thinned(joint))];
  const leftOut = growth.flatMap(({ at, isAfterUnknown }, index) =>
    isAfterUnknown ? [{ from: growth[index - 1]?.at ?? at, to: at }] : [],
  );
  return { growth: essential(growth, ({ least }) => least), leftOut };
}

/** Returns the valuations that matter for a drawdown: while nothing is paid, money grows as the equity does. */
function thinned(joint: readonly JointValuation[]): JointValuation[] {
  const stretches: JointValuation[][] = [];
  for (const valuation of joint) {
    const stretch = stretches.at(-1);
    if (stretch && valuation.flow !== null && isZero(valuation.flow)) stretch.push(valuation);
    else stretches.push([valuation]);
  }
  return stretches.flatMap((stretch) => essential(stretch, ({ equity }) => equity));
}

/** Returns the first and last point, the highest and lowest, and the ends of the largest relative loss, oldest first. */
function essential<Point extends object>(points: readonly Point[], sizeOf: (point: Point) => DecimalString): Point[] {
  const [first] = points;
  if (first === undefined || points.length < 3) return [...points];
  let [highest, lowest, peak, deepest] = [first, first, first, first];
  for (const point of points) {
    const value = sizeOf(point);
    if (compare(value, sizeOf(highest)) >= 0) highest = point;
    else if (compare(multiply(value, sizeOf(peak)), multiply(sizeOf(deepest), sizeOf(highest))) < 0)
      [peak, deepest] = [highest, point];
    if (compare(value, sizeOf(lowest)) < 0) lowest = point;
  }
  const kept = new Set([first, highest, lowest, peak, deepest, points.at(-1) ?? first]);
  return points.filter((point) => kept.has(point));
}

/** Digits after the point that are kept of a growth. */
const places = 20;

/** Chains the growth of consecutive parts; the time between two that do not follow each other is left out. */
export function chained(
  parts: readonly (PartGrowth & { opening: { at: number }; closing: { at: number } })[],
): PartGrowth {
  const all: Growth[] = [];
  const left: Span[] = [];
  let [least, greatest] = ["1", "1"];
  let end: number | null = null;
  for (const { growth, leftOut, opening, closing } of parts) {
    if (end !== null && opening.at > end) left.push({ from: end, to: opening.at });
    left.push(...leftOut);
    const scaled = growth.map((point) => ({
      at: point.at,
      least: truncate(multiply(least, point.least), places),
      greatest: truncate(multiply(greatest, point.greatest), places),
    }));
    all.push(...scaled);
    ({ least, greatest } = scaled.at(-1) ?? { least, greatest });
    end = closing.at;
  }
  return { growth: all, leftOut: left };
}
