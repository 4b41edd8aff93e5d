/** Exact decimal arithmetic on BigInt multiples of 1e-48. */

const places = 48;
const one = 10n ** BigInt(places);

/** "-0.50" -> -0.5e48. */
export function units(digits: string): bigint {
  const [whole = "", fraction = ""] = digits.replace("-", "").split(".");
  const size = BigInt(whole + fraction.padEnd(places, "0"));
  return digits.startsWith("-") ? -size : size;
}

/** Returns the shortest decimal: without trailing zeros, without a point before an empty fraction. */
export function digitsOf(value: bigint): string {
  const size = String(value < 0n ? -value : value).padStart(places + 1, "0");
  const text = `${size.slice(0, -places)}.${size.slice(-places)}`.replace(/\.?0+$/, "");
  return value < 0n ? `-${text}` : text;
}

/** Multiplies; exact while the factors have at most 48 decimal places together. */
export const times = (a: bigint, b: bigint): bigint => (a * b) / one;

/** Divides non-negative numbers, rounded half up to 16 places. */
export function over(a: bigint, b: bigint): bigint {
  const step = one / 10n ** 16n;
  return (((2n * a * one) / (b * step) + 1n) / 2n) * step;
}

export const total = (all: Iterable<string>): bigint => {
  let sum = 0n;
  for (const digits of all) sum += units(digits);
  return sum;
};
