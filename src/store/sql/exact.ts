/**
 * Computes with numbers of any length like SQLite's decimal extension: digits with a number of places, which sums and products
 * keep ("0.10" - "0.1" is "0.00"). Source: https://sqlite.org/floatingpoint.html#decext and ext/misc/decimal.c.
 */

/** The number digits / 10^places. `negative` is separate because the extension keeps the sign of a zero difference ("-0"). */
export interface Exact {
  negative: boolean;
  digits: bigint;
  places: number;
}

const maxDigits = 10_000_000;
const tooLong = () => new RangeError("a number has more than ten million digits");

/** Parses any text, as the extension does: characters other than digits, point and exponent are ignored; an empty text is zero. Throws a RangeError above ten million digits. */
export function parseExact(text: string): Exact {
  const [, sign = "", mantissa = "", power = ""] = /^\s*([+-]?)([^eE]*)(?:[eE]([\s\S]*))?/.exec(text) ?? [];
  const point = mantissa.lastIndexOf(".");
  const fraction = point < 0 ? "" : mantissa.slice(point).replace(/\D/g, "");
  const exponentDigits = power.replace(/\D/g, "").slice(0, 7);
  const exponent = Number.parseInt(exponentDigits || "0", 10) * (power.startsWith("-") ? -1 : 1);
  const figures = mantissa.replace(/\D/g, "");
  const places = fraction.length - exponent;
  if (Math.abs(exponent) + figures.length > maxDigits) throw tooLong();
  const digits = BigInt(figures || "0") * 10n ** BigInt(Math.max(-places, 0));
  return { negative: sign === "-" && digits !== 0n, digits, places: Math.max(places, 0) };
}

/** Returns the exact value of a binary floating-point number: 0.1 is 0.1000000000000000055…; null for NaN and infinities. */
export function exactOfDouble(value: number): Exact | null {
  if (!Number.isFinite(value)) return null;
  // Doubling is exact, and so is a whole number as a bigint: n / 2^places is n * 5^places / 10^places.
  let [n, places] = [Math.abs(value), 0];
  for (; !Number.isInteger(n); n *= 2) places += 1;
  return { negative: value < 0, digits: BigInt(n) * 5n ** BigInt(places), places };
}

/** Formats a number with all its places. */
export function formatExact({ negative, digits, places }: Exact): string {
  const text = String(digits).padStart(places + 1, "0");
  const whole = text.slice(0, text.length - places);
  return `${negative ? "-" : ""}${whole}${places > 0 ? `.${text.slice(-places)}` : ""}`;
}

export const negated = (a: Exact): Exact => ({ ...a, negative: !a.negative });

const scaled = (a: Exact, places: number): bigint => a.digits * 10n ** BigInt(places - a.places);

/** Adds. The sum has as many places as the summand with more of them. */
export function plus(a: Exact, b: Exact): Exact {
  const places = Math.max(a.places, b.places);
  const [x, y] = [scaled(a, places), scaled(b, places)];
  if (a.negative === b.negative) return { negative: a.negative, digits: x + y, places };
  return x >= y ? { negative: a.negative, digits: x - y, places } : { negative: b.negative, digits: y - x, places };
}

/** Multiplies. Trailing zeros are dropped down to the number of places of the factor that has fewer. */
export function times(a: Exact, b: Exact): Exact {
  const minPlaces = Math.min(a.places, b.places);
  let digits = a.digits * b.digits;
  let places = a.places + b.places;
  while (places > minPlaces && digits % 10n === 0n) {
    digits /= 10n;
    places -= 1;
  }
  return { negative: a.negative !== b.negative, digits, places };
}

/** Compares by value; the sign of zero does not matter. */
export function compareExact(a: Exact, b: Exact): -1 | 0 | 1 {
  const places = Math.max(a.places, b.places);
  const [x, y] = [a, b].map((one) => (one.negative ? -scaled(one, places) : scaled(one, places))) as [bigint, bigint];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Exceeds the largest distance of the first digit from the point, so that the exponent in a key is positive. */
const middle = 5 * maxDigits;

/** Returns a text whose byte order is the order of the numbers; equal numbers have equal keys. */
export function orderKey({ negative, digits, places }: Exact): string {
  if (digits === 0n) return "1";
  const figures = String(digits);
  const size = String(middle + figures.length - places).padStart(9, "0") + figures.replace(/0+$/, "");
  if (!negative) return `2${size}`;
  // Nine's complement and an end above every digit put the larger magnitude first.
  return `0${size.replace(/\d/g, (digit) => String(9 - Number(digit)))}~`;
}
