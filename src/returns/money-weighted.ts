/**
 * The money-weighted return: the constant daily rate at which the opening equity and all flows would have grown to the closing equity
 * (internal rate of return). Flows count from their UTC day on.
 */
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
 * Returns the growth of one unit of money in one day; null if the flows have no single rate, such as without anything invested.
 * `opening` is the equity at `from`, `closing` that at `to`.
 */
export function dailyGrowth(
  opening: DecimalString,
  flows: readonly Flow[],
  closing: DecimalString,
  { from, to }: { from: number; to: number },
): DecimalString | null {
  const days = (at: number) => Math.round((startOfDay(to) - startOfDay(at)) / dayMs);
  const all = [{ at: from, amount: opening }, ...flows].filter(({ amount }) => !isZero(amount));
  if (days(from) < 1 || !all.some(({ amount }) => isPositive(amount))) return null;
  /** The value at the end less the closing equity: grows with the rate where money is invested all the time. */
  const excess = (growth: DecimalString) =>
    subtract(all.map(({ at, amount }) => multiply(amount, power(growth, days(at)))).reduce(add, "0"), closing);
  let { least, greatest } = bounds;
  if (isPositive(excess(least)) || !isPositive(excess(greatest))) return null;
  while (compare(subtract(greatest, least), precision) > 0) {
    const middle = truncate(multiply(add(least, greatest), "0.5"), workingPlaces);
    if (isPositive(excess(middle))) greatest = middle;
    else least = middle;
  }
  return truncate(add(least, precision), 22);
}

/** Returns the return over the whole time as a fraction, to 16 places; null where `dailyGrowth` is null. */
export function moneyWeightedReturn(
  opening: DecimalString,
  flows: readonly Flow[],
  closing: DecimalString,
  span: { from: number; to: number },
): DecimalString | null {
  const growth = dailyGrowth(opening, flows, closing, span);
  const days = Math.round((startOfDay(span.to) - startOfDay(span.from)) / dayMs);
  return growth && divide(subtract(power(growth, days), "1"), "1");
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
