/** Exact amounts for the simulated exchange, in units of 1e-16. Products and quotients are truncated towards zero. */

export type Amount = bigint;

const scale = 16;
const powers = Array.from({ length: scale + 1 }, (_, exponent) => 10n ** BigInt(exponent));

/** Returns one unit of the last of `places` decimal places, 0 to 16: `unit(2)` is 0.01. */
export const unit = (places: number): Amount => powers[scale - places] ?? 1n;

export const one: Amount = unit(0);

/** Parses plain digits: `amount("0.05")`. */
export function amount(digits: string): Amount {
  const [whole = "0", fraction = ""] = digits.split(".");
  return BigInt(whole + fraction.padEnd(scale, "0"));
}

/** Returns the nearest amount with the given number of decimal places. */
export const nearest = (value: number, places: number): Amount =>
  BigInt(Math.round(value * 10 ** places)) * unit(places);

export const multiply = (a: Amount, b: Amount): Amount => (a * b) / one;

export const divide = (a: Amount, b: Amount): Amount => (a * one) / b;

/** Truncates to the given number of decimal places, towards zero. */
export const truncate = (value: Amount, places: number): Amount => value - (value % unit(places));

export const min = (a: Amount, b: Amount): Amount => (a < b ? a : b);

export const max = (a: Amount, b: Amount): Amount => (a > b ? a : b);

export const total = (all: Iterable<Amount>): Amount => {
  let result = 0n;
  for (const each of all) result += each;
  return result;
};

/** Returns a decimal string with exactly the given number of decimal places: "125.40000000". */
export function padded(value: Amount, places: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  const text =
    places === 0 ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, point + places)}`;
  return sign + text;
}

/** Returns a decimal string without trailing zeros: "306.252", "0". */
export function digits(value: Amount): string {
  return value % one === 0n ? (value / one).toString() : padded(value, scale).replace(/0+$/, "");
}
