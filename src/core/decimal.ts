/** Exact arithmetic on decimal strings. The only arithmetic that may touch money. */
import Big from "big.js";
import type { Cell, DecimalString } from "./domain.ts";

const plain = /^-?\d+(\.\d+)?$/;
const scientific = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d{1,4})$/;

/** Digits after the decimal point beyond which a number is refused: no price or amount on earth needs them. */
const maxPlaces = 64;
const maxLength = 128;

/**
 * The digits of `text`, unchanged where it is a plain decimal ("0.10" stays "0.10"), with an exponent written out
 * ("1.50e-7" becomes "0.000000150"). Null where it is no decimal number, or one of more than 64 places.
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

/** Characters of a number that was computed: the product of two received ones, and sums of such, have fewer. */
const maxComputedLength = 1000;

/** Whether `text` is a plain decimal, received or computed: products have more than 64 places. */
export const isPlain = (text: string): boolean => text.length <= maxComputedLength && plain.test(text);

/** Number of digits after the point. */
export function places(digits: DecimalString): number {
  const point = digits.indexOf(".");
  return point < 0 ? 0 : digits.length - point - 1;
}

export const isZero = (digits: DecimalString): boolean => /^-?[0.]*$/.test(digits);

export const isPositive = (digits: DecimalString): boolean => !digits.startsWith("-") && !isZero(digits);

export const add = (a: DecimalString, b: DecimalString): DecimalString => new Big(a).plus(b).toFixed();

export const subtract = (a: DecimalString, b: DecimalString): DecimalString => new Big(a).minus(b).toFixed();

export const absolute = (digits: DecimalString): DecimalString => (digits.startsWith("-") ? digits.slice(1) : digits);

export const multiply = (a: DecimalString, b: DecimalString): DecimalString => new Big(a).times(b).toFixed();

/** Truncates towards zero to `digits` decimal places; to the left of the point where `digits` is negative. */
export const truncate = (a: DecimalString, digits: number): DecimalString =>
  new Big(a).round(digits, Big.roundDown).toFixed();

export const compare = (a: DecimalString, b: DecimalString): -1 | 0 | 1 => new Big(a).cmp(b);

/** The exact sum; "0" of nothing. */
export const sum = (all: Iterable<DecimalString>): DecimalString => [...all].reduce(add, "0");

const Sixteen = Big();
Sixteen.DP = 16;
Sixteen.RM = Big.roundHalfUp;

/** a / b, rounded half up to 16 places; null where b is zero. The one operation here that can round. */
export function divide(a: DecimalString, b: DecimalString): DecimalString | null {
  return isZero(b) ? null : new Sixteen(a).div(b).toFixed();
}

/** Returns the decimal that a cell holds; null where it is unknown. Money is text in every cell: a number is a count or a time. */
export const asDecimal = (cell: Cell | undefined): DecimalString | null => (typeof cell === "string" ? cell : null);

/** Returns the decimal in a column of a row; null where it is unknown or there is no row. */
export const decimalIn = (row: Readonly<Record<string, Cell>> | undefined, column: string): DecimalString | null =>
  asDecimal(row?.[column]);
