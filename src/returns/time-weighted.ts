/**
 * The time-weighted return: what one unit of money made, whatever was paid in and out meanwhile. The periods between two valuations
 * are chained; a flow counts at the end of its period, so that it takes no part in the result before it.
 */
import { add, compare, divide, isPositive, isZero, multiply, subtract, sumOf } from "../core/decimal.ts";
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

const one = "1";

/** One valuation and the factor by which one unit of money has grown from the first one to it: between bounds, which are equal if it is known exactly. */
export interface Growth {
  at: number;
  least: DecimalString;
  greatest: DecimalString;
  /** True if the result of the period before it is unknown, and is left out. */
  isAfterUnknown?: true;
}

interface Point extends Growth {
  equity: DecimalString;
}

/**
 * Yields the growth at each valuation with a known equity, beginning with 1, to 16 places, rounded once per flow. Ends before the
 * first period whose result is unknown: because of an unknown flow, or of an equity that is not positive while something was lost.
 */
export function* growthOf(valuations: Iterable<Valuation>): Generator<Growth, void> {
  for (const growth of growthAcross(valuations)) {
    if (growth.isAfterUnknown) return;
    yield growth;
  }
}

/** Yields the growth also after periods whose result is unknown: they are left out, as if nothing was won or lost in them. */
export function* growthAcross(valuations: Iterable<Valuation>): Generator<Growth, void> {
  const chain = new GrowthChain();
  for (const valuation of valuations) {
    const growth = chain.add(valuation);
    if (growth) yield growth;
  }
}

/** Chains the growth of periods, one valuation after the other. */
export class GrowthChain {
  /** The last valuation, and the last one that a flow came before: since then nothing was paid. */
  #last: Point | null = null;
  #paid: Point | null = null;
  #flows: DecimalString | null = "0";
  #isGap = false;

  /** Returns a chain that continues from here independently of this one. */
  copy(): GrowthChain {
    const copy = new GrowthChain();
    copy.#last = this.#last;
    copy.#paid = this.#paid;
    copy.#flows = this.#flows;
    copy.#isGap = this.#isGap;
    return copy;
  }

  /** Returns the growth at the next valuation; null if its equity is unknown. */
  add({ at, flow, equity, isGap }: Valuation): Growth | null {
    const last = this.#last;
    if (last) {
      this.#flows = sumOf([this.#flows, flow]);
      this.#isGap ||= isGap || equity === null;
    }
    if (equity === null) return null;
    const flows = this.#flows;
    const isPaid = flows === null || !isZero(flows);
    const from = isPaid ? last : this.#paid;
    const known = from && flows !== null ? grown(from, equity, flows, this.#isGap) : null;
    const growth: Omit<Growth, "at"> = known ?? {
      ...{ least: last?.least ?? one, greatest: last?.greatest ?? one },
      ...(last ? { isAfterUnknown: true } : {}),
    };
    this.#last = { at, equity, ...growth };
    if (isPaid || !this.#paid || !known) this.#paid = this.#last;
    this.#flows = "0";
    this.#isGap = false;
    return this.#last;
  }
}

/** Returns the growth after one period: for flows at its end, and in a gap also for flows at its beginning. */
function grown(from: Point, to: DecimalString, flow: DecimalString, isGap: boolean): Omit<Growth, "at"> | null {
  const invested = add(from.equity, flow);
  const atEnd = isPositive(from.equity) ? { worth: subtract(to, flow), of: from.equity } : null;
  const atStart = isPositive(invested) ? { worth: to, of: invested } : null;
  if (isZero(from.equity)) {
    // Nothing was invested, or money came into an empty account.
    if (isZero(flow) && isZero(to)) return { least: from.least, greatest: from.greatest };
    return atStart && bounds(from, [atStart]);
  }
  const ways = isGap && !isZero(flow) ? [atEnd, atStart] : [atEnd];
  const known = ways.filter((way) => way !== null);
  return known.length < ways.length ? null : bounds(from, known);
}

/** Returns the least and the greatest growth of several ways. */
function bounds(
  { least, greatest }: Growth,
  ways: readonly { worth: DecimalString; of: DecimalString }[],
): Omit<Growth, "at"> {
  const scaled = (factor: DecimalString) => ways.map(({ worth, of }) => divide(multiply(factor, worth), of) ?? "0");
  return {
    least: scaled(least).reduce((a, b) => (compare(a, b) <= 0 ? a : b)),
    greatest: scaled(greatest).reduce((a, b) => (compare(a, b) >= 0 ? a : b)),
  };
}
