/**
 * Numbers of any length as SQLite's decimal extension sees them: digits with a number of places, which sums and products
 * keep ("0.10" - "0.1" is "0.00"). Source: https://sqlite.org/floatingpoint.html#decext and ext/misc/decimal.c.
 */

/** digits / 10^places; `negative` apart, because the extension keeps the sign of a difference of zero ("-0"). */
export interface Exact {
  negative: boolean;
  digits: bigint;
  places: number;
}

const mostDigits = 10_000_000;
const tooLong = () => new RangeError("a number of more than ten million digits");

/** The extension reads any text: what is no digit, point or exponent is passed over, and nothing at all is zero. */
export function parseExact(text: string): Exact {
  const [, sign = "", mantissa = "", power = ""] = /^\s*([+-]?)([^eE]*)(?:[eE]([\s\S]*))?/.exec(text) ?? [];
  const point = mantissa.lastIndexOf(".");
  const fraction = point < 0 ? "" : mantissa.slice(point).replace(/\D/g, "");
  const exponentDigits = power.replace(/\D/g, "").slice(0, 7);
  const exponent = Number.parseInt(exponentDigits || "0", 10) * (power.startsWith("-") ? -1 : 1);
  const figures = mantissa.replace(/\D/g, "");
  const places = fraction.length - exponent;
  if (Math.abs(exponent) + figures.length > mostDigits) throw tooLong();
  const digits = BigInt(figures || "0") * 10n ** BigInt(Math.max(-places, 0));
  return { negative: sign === "-" && digits !== 0n, digits, places: Math.max(places, 0) };
}

/** No double between these has more significant digits. */
const doubles = { least: 1e-20, most: 1e100, digits: 100 };

/**
 * Returns a binary floating-point number in full: 0.1 is 0.1000000000000000055…; null for what is no number.
 * @throws RangeError for one too small or too large to be written in full
 */
export function exactOfDouble(value: number): Exact | null {
  if (!Number.isFinite(value)) return null;
  const size = Math.abs(value);
  if (size !== 0 && (size < doubles.least || size > doubles.most))
    throw new RangeError(
      `decimal() writes real numbers from ${doubles.least} to ${doubles.most} in full, and no others`,
    );
  return parseExact(value.toPrecision(doubles.digits).replace(/(\.\d*?)0+(?=e|$)/, "$1"));
}

export function formatExact({ negative, digits, places }: Exact): string {
  const text = String(digits).padStart(places + 1, "0");
  const whole = text.slice(0, text.length - places);
  return `${negative ? "-" : ""}${whole}${places > 0 ? `.${text.slice(-places)}` : ""}`;
}

export const negated = (a: Exact): Exact => ({ ...a, negative: !a.negative });

const scaled = (a: Exact, places: number): bigint => a.digits * 10n ** BigInt(places - a.places);

export function plus(a: Exact, b: Exact): Exact {
  const places = Math.max(a.places, b.places);
  const [x, y] = [scaled(a, places), scaled(b, places)];
  if (a.negative === b.negative) return { negative: a.negative, digits: x + y, places };
  return x >= y ? { negative: a.negative, digits: x - y, places } : { negative: b.negative, digits: y - x, places };
}

/** Zeros at the end are dropped as long as no fewer places are left than the factor with the fewest has. */
export function times(a: Exact, b: Exact): Exact {
  const least = Math.min(a.places, b.places);
  let digits = a.digits * b.digits;
  let places = a.places + b.places;
  while (places > least && digits % 10n === 0n) {
    digits /= 10n;
    places -= 1;
  }
  return { negative: a.negative !== b.negative, digits, places };
}

export function compareExact(a: Exact, b: Exact): -1 | 0 | 1 {
  const places = Math.max(a.places, b.places);
  const [x, y] = [a, b].map((one) => (one.negative ? -scaled(one, places) : scaled(one, places))) as [bigint, bigint];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** How far the first digit may lie from the point, and more than that. */
const middle = 5 * mostDigits;

/** A text whose order, byte by byte, is the order of the numbers; equal for equal numbers. */
export function orderKey({ negative, digits, places }: Exact): string {
  if (digits === 0n) return "1";
  const figures = String(digits);
  const size = String(middle + figures.length - places).padStart(9, "0") + figures.replace(/0+$/, "");
  if (!negative) return `2${size}`;
  // Nine's complement, and an end above every digit: what is larger without its sign comes first.
  return `0${size.replace(/\d/g, (digit) => String(9 - Number(digit)))}~`;
}
