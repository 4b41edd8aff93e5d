/**
 * The time-weighted return: what one unit of money made, whatever was paid in and out meanwhile. The periods between two valuations
 * are chained; a flow counts at the end of its period, so that it takes no part in the result before it.
 */
import { add, compare, divide, isPositive, isZero, multiply, subtract, truncate } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";

/** The equity at an instant, and what was paid in (positive) or out since the valuation before it. */
export interface Valuation {
  /** Epoch ms. */
  at: number;
  /** Null: unknown. */
  equity: DecimalString | null;
  /** The sum of the external flows since the valuation before; null: unknown. */
  flow: DecimalString | null;
  /** True if the equity in between is unknown, so that the result before a flow cannot be distinguished from the one after it. */
  isGap: boolean;
}

/** A return as a fraction (0.1 is 10 %): between these bounds, which are equal where it is known exactly. */
export interface Return {
  least: DecimalString;
  greatest: DecimalString;
}

/** Digits after the point that are kept of a return. */
export const returnPlaces = 16;

const one = "1";

/** One valuation and the factor by which one unit of money has grown from the first one to it. */
export interface Growth {
  at: number;
  least: DecimalString;
  greatest: DecimalString;
}

/**
 * Yields the growth at each valuation with a known equity, beginning with 1. Ends before the first period whose result is unknown:
 * because of an unknown flow, or of an equity that is not positive while something was lost.
 */
export function* growthOf(valuations: Iterable<Valuation>): Generator<Growth, void> {
  let [least, greatest] = [one, one];
  let equity: DecimalString | null = null;
  let flows = "0";
  let isGap = false;
  for (const { at, flow, ...next } of valuations) {
    if (equity !== null) {
      if (flow === null) return;
      flows = add(flows, flow);
      isGap ||= next.isGap || next.equity === null;
    }
    if (next.equity === null) continue;
    if (equity !== null) {
      const factors = factorsOf(equity, next.equity, flows, isGap);
      if (!factors) return;
      [least, greatest] = [rounded(multiply(least, factors.least)), rounded(multiply(greatest, factors.greatest))];
    }
    yield { at, least, greatest };
    equity = next.equity;
    flows = "0";
    isGap = false;
  }
}

/** Returns the return from the first to the last known equity; null if there are not two, or if it is unknown. */
export function timeWeightedReturn(valuations: readonly Valuation[]): Return | null {
  const known = valuations.filter(({ equity }) => equity !== null);
  const last = known.at(-1);
  let end: Growth | null = null;
  for (const growth of growthOf(valuations)) end = growth;
  if (known.length < 2 || !last || end?.at !== last.at) return null;
  return { least: subtract(end.least, one), greatest: subtract(end.greatest, one) };
}

/** Returns the factors of one period for flows at its end and at its beginning, of which the first one counts without a gap. */
function factorsOf(from: DecimalString, to: DecimalString, flow: DecimalString, isGap: boolean): Return | null {
  const invested = add(from, flow);
  const atEnd = isPositive(from) ? divide(subtract(to, flow), from) : null;
  const atStart = isPositive(invested) ? divide(to, invested) : null;
  // Nothing was invested, or money came into an empty account.
  if (isZero(from)) return isZero(flow) && isZero(to) ? { least: one, greatest: one } : bounds([atStart]);
  return bounds(isGap && !isZero(flow) ? [atEnd, atStart] : [atEnd]);
}

function bounds(factors: readonly (DecimalString | null)[]): Return | null {
  const known = factors.filter((factor) => factor !== null);
  const [first, second = first] = known;
  if (known.length < factors.length || first === undefined || second === undefined) return null;
  return compare(first, second) <= 0 ? { least: first, greatest: second } : { least: second, greatest: first };
}

const rounded = (factor: DecimalString): DecimalString => truncate(factor, 2 * returnPlaces);
