/** Exact arithmetic on decimal strings, the only arithmetic used for money. */
import Big from "big.js";
import type { Cell, DecimalString } from "./domain.ts";

const plain = /^-?\d+(\.\d+)?$/;
const scientific = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d{1,4})$/;

/** A number with more digits after the decimal point is rejected; no real price or amount needs them. */
const maxPlaces = 64;
const maxLength = 128;

/**
 * Returns a plain decimal unchanged ("0.10") and expands an exponent ("1.50e-7" becomes "0.000000150"). Returns null if `text`
 * is not a decimal number or has more than 64 places.
 */
export function toDecimalString(text: string): DecimalString | null {
  if (text.length > maxLength) return null;
  if (plain.test(text)) return places(text) <= maxPlaces ? text : null;
  const parts = scientific.exec(text);
  if (!parts) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = parts;
  const shift = Number.parseInt(exponent, 10);
  const point = whole.length + shift;
  const all = whole + fraction;
  if (point > maxPlaces || all.length - point > maxPlaces) return null;
  const padded = point <= 0 ? "0".repeat(1 - point) + all : all.padEnd(point, "0");
  const at = Math.max(point, 1);
  const integer = padded.slice(0, at).replace(/^0+(?=\d)/, "");
  const rest = padded.slice(at);
  return `${sign}${integer}${rest === "" ? "" : `.${rest}`}`;
}

/** The longest computed number that is accepted; products of two received numbers, and sums of them, are shorter. */
const maxComputedLength = 1000;

/** Returns whether `text` is a plain decimal, received or computed (a product can have more than 64 places). */
export const isPlain = (text: string): boolean => text.length <= maxComputedLength && plain.test(text);

/** Returns the number of digits after the point. */
export function places(digits: DecimalString): number {
  const point = digits.indexOf(".");
  return point < 0 ? 0 : digits.length - point - 1;
}

export const isZero = (digits: DecimalString): boolean => /^-?[0.]*$/.test(digits);

export const isPositive = (digits: DecimalString): boolean => !digits.startsWith("-") && !isZero(digits);

/** Returns a decimal times 10^`places`, of at least its own places. @throws Error if it is not a plain decimal */
function unscaled(digits: DecimalString, places: number): bigint {
  if (!plain.test(digits)) throw new Error(`"${digits}" is not a decimal number`);
  const point = digits.indexOf(".");
  if (point < 0) return BigInt(digits + "0".repeat(places));
  return BigInt(digits.slice(0, point) + digits.slice(point + 1) + "0".repeat(places - (digits.length - point - 1)));
}

/** Returns the shortest digits of an integer divided by 10^`places`. */
function scaled(value: bigint, places: number): DecimalString {
  const text = String(value);
  if (places === 0) return text;
  const sign = text.startsWith("-") ? "-" : "";
  const digits = text.slice(sign.length).padStart(places + 1, "0");
  const point = digits.length - places;
  let end = digits.length;
  while (end > point && digits[end - 1] === "0") end -= 1;
  return sign + digits.slice(0, point) + (end > point ? `.${digits.slice(point, end)}` : "");
}

/** Returns two decimals times 10^`shared`. */
function aligned(a: DecimalString, b: DecimalString): { own: bigint; other: bigint; shared: number } {
  const shared = Math.max(places(a), places(b));
  return { own: unscaled(a, shared), other: unscaled(b, shared), shared };
}

export function add(a: DecimalString, b: DecimalString): DecimalString {
  const { own, other, shared } = aligned(a, b);
  return scaled(own + other, shared);
}

export function subtract(a: DecimalString, b: DecimalString): DecimalString {
  const { own, other, shared } = aligned(a, b);
  return scaled(own - other, shared);
}

/** Returns the shortest digits of the same value: "0.10" becomes "0.1", "-0" becomes "0". */
export const normalize = (digits: DecimalString): DecimalString =>
  scaled(unscaled(digits, places(digits)), places(digits));

export const absolute = (digits: DecimalString): DecimalString => (digits.startsWith("-") ? digits.slice(1) : digits);

export function multiply(a: DecimalString, b: DecimalString): DecimalString {
  const [own, other] = [places(a), places(b)];
  return scaled(unscaled(a, own) * unscaled(b, other), own + other);
}

/** Truncates towards zero to `digits` decimal places; a negative number of places truncates left of the point. */
export const truncate = (a: DecimalString, digits: number): DecimalString =>
  new Big(a).round(digits, Big.roundDown).toFixed();

/** Rounds to `digits` decimal places, half away from zero. */
export const round = (a: DecimalString, digits: number): DecimalString =>
  normalize(new Big(a).round(digits, Big.roundHalfUp).toFixed());

export function compare(a: DecimalString, b: DecimalString): -1 | 0 | 1 {
  const { own, other } = aligned(a, b);
  return own < other ? -1 : own > other ? 1 : 0;
}

/** Returns the exact sum; "0" for an empty list. */
export function sum(all: Iterable<DecimalString>): DecimalString {
  let total: DecimalString | null = null;
  for (const one of all) total = total === null ? normalize(one) : add(total, one);
  return total ?? "0";
}

/** Returns the exact sum; null if a part is unknown. */
export const sumOf = (parts: readonly (DecimalString | null)[]): DecimalString | null =>
  parts.every((part) => part !== null) ? sum(parts) : null;

const Sixteen = Big();
Sixteen.DP = 16;
Sixteen.RM = Big.roundHalfUp;

/** Returns a / b, rounded half up to 16 places, or null if b is zero. Of the other operations only `round` rounds. */
export function divide(a: DecimalString, b: DecimalString): DecimalString | null {
  return isZero(b) ? null : new Sixteen(a).div(b).toFixed();
}

/** Returns the decimal in a cell, or null if it is unknown. Money is always text: a number is a count or a time. */
export const asDecimal = (cell: Cell | undefined): DecimalString | null => (typeof cell === "string" ? cell : null);

/** Returns the decimal in a column of a row, or null if it is unknown or there is no row. */
export const decimalIn = (row: Readonly<Record<string, Cell>> | undefined, column: string): DecimalString | null =>
  asDecimal(row?.[column]);
