/**
 * The money-weighted return: the constant daily rate at which the opening equity and all flows would have grown to the closing equity
 * (internal rate of return). Flows count from their UTC day on.
 */
import { pause, type Steps } from "../core/async/cooperate.ts";
import { add, compare, divide, isPositive, isZero, multiply, subtract, truncate } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { dayMs, startOfDay } from "../core/time.ts";

/** Money paid in (positive) or out (negative). */
export interface Flow {
  /** Epoch ms. */
  at: number;
  amount: DecimalString;
}

/** Digits after the point that are kept between steps, and the precision of the daily growth. */
const workingPlaces = 40;
const precision = `0.${"0".repeat(23)}1`;

/** The daily growth is searched between these: a loss of nearly everything and a tenfold gain each day. */
const bounds = { least: "0.000001", greatest: "10" };

/**
 * Returns the growth of one unit of money in one day; null if the flows have no single rate, such as without anything invested, or if
 * the time is within one UTC day. `opening` is the equity at `from`, `closing` that at `to`.
 */
export function* dailyGrowth(
  opening: DecimalString,
  flows: readonly Flow[],
  closing: DecimalString,
  { from, to }: { from: number; to: number },
): Steps<DecimalString | null> {
  const days = daysBetween(from, to);
  const invested = byDay([{ at: from, amount: opening }, ...flows], to);
  if (days < 1 || !invested.some(({ amount }) => isPositive(amount))) return null;
  /** Returns true if the value at the end is above the closing equity, as for every greater rate where money is invested all the time. */
  const isTooHigh = (growth: DecimalString): boolean => {
    let [value, left] = ["0", days];
    for (const { daysLeft, amount } of [...invested, { daysLeft: 0, amount: "0" }]) {
      value = add(truncate(multiply(value, power(growth, left - daysLeft)), workingPlaces), amount);
      left = daysLeft;
    }
    return compare(value, closing) > 0;
  };
  let { least, greatest } = bounds;
  if (isTooHigh(least) || !isTooHigh(greatest)) return null;
  while (compare(subtract(greatest, least), precision) > 0) {
    const middle = truncate(multiply(add(least, greatest), "0.5"), workingPlaces);
    if (isTooHigh(middle)) greatest = middle;
    else least = middle;
    yield pause;
  }
  return truncate(add(least, precision), 22);
}

/** Returns the sums of the flows of each day, the oldest first, without days on which nothing was paid. */
function byDay(flows: readonly Flow[], to: number): { daysLeft: number; amount: DecimalString }[] {
  const sums = new Map<number, DecimalString>();
  for (const { at, amount } of flows) {
    const daysLeft = daysBetween(at, to);
    sums.set(daysLeft, add(sums.get(daysLeft) ?? "0", amount));
  }
  const all = [...sums].map(([daysLeft, amount]) => ({ daysLeft, amount }));
  return all.filter(({ amount }) => !isZero(amount)).sort((one, other) => other.daysLeft - one.daysLeft);
}

const daysBetween = (from: number, to: number): number => Math.round((startOfDay(to) - startOfDay(from)) / dayMs);

/** Returns the return over the whole time as a fraction, to 16 places; null where `dailyGrowth` is null. */
export function* moneyWeightedReturn(
  opening: DecimalString,
  flows: readonly Flow[],
  closing: DecimalString,
  span: { from: number; to: number },
): Steps<DecimalString | null> {
  const growth = yield* dailyGrowth(opening, flows, closing, span);
  return growth && divide(subtract(power(growth, daysBetween(span.from, span.to)), "1"), "1");
}

/** Returns base to the power of a whole number, at least 0. */
export function power(base: DecimalString, exponent: number): DecimalString {
  let [result, square] = ["1", base];
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = truncate(multiply(result, square), workingPlaces);
    square = truncate(multiply(square, square), workingPlaces);
  }
  return result;
}
