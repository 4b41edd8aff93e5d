/**
 * Provides the functions of SQLite's decimal extension, with the same names and meaning, and the internal functions that replace
 * its collation (collation.ts). A NULL argument gives NULL; decimal_sum ignores NULLs.
 */

import type { Cell } from "../../core/domain.ts";
import type { Sqlite } from "../sqlite/database.ts";
import {
  compareExact,
  type Exact,
  exactOfDouble,
  formatExact,
  negated,
  orderKey,
  parseExact,
  plus,
  times,
} from "./exact.ts";

/** Defines the functions on a connection. */
export function addDecimalFunctions(sqlite: Sqlite): void {
  const options = { deterministic: true, directOnly: true, safeIntegers: true };
  const define = (name: string, work: (...cells: Cell[]) => unknown) => sqlite.function(name, options, work);
  const define2 = (name: string, work: (a: Exact, b: Exact) => unknown) =>
    define(name, (x: Cell, y: Cell) => (x === null || y === null ? null : work(numberOf(x), numberOf(y))));

  define("decimal", (x: Cell) => {
    const value = expanded(x);
    return value && formatExact(value);
  });
  define2("decimal_add", (a, b) => formatExact(plus(a, b)));
  define2("decimal_sub", (a, b) => formatExact(plus(a, negated(b))));
  define2("decimal_mul", (a, b) => formatExact(times(a, b)));
  define2("decimal_cmp", (a, b) => BigInt(compareExact(a, b)));

  const add = (sum: unknown, x: unknown, sign: (a: Exact) => Exact): Exact => {
    const before = (sum as Exact | null) ?? zero;
    return x === null ? before : plus(before, sign(numberOf(x as NotNull)));
  };
  sqlite.aggregate<unknown>("decimal_sum", {
    ...options,
    // The sum over no rows is NULL, the sum over NULLs only is zero.
    start: null,
    step: (sum, x) => add(sum, x, (a) => a),
    inverse: (sum, x) => add(sum, x, negated),
    result: (sum) => (sum ? formatExact(sum as Exact) : null),
  });

  define("decimal_key", (x: Cell) => (typeof x === "string" ? orderKey(parseExact(x)) : x));
  define("decimal_side", (x: Cell) => {
    if (typeof x === "string") return orderKey(parseExact(x));
    if (x === null) return null;
    throw new RangeError(
      "COLLATE decimal compares text with text; write the number as '1.5', or use decimal_cmp(a, b)",
    );
  });
  define("decimal_tagged", (x: Cell) => (typeof x === "string" ? `${orderKey(parseExact(x))}\n${x}` : x));
  define("decimal_text", (x: Cell) => (typeof x === "string" ? x.slice(x.indexOf("\n") + 1) : x));
}

type NotNull = Exclude<Cell, null>;

const zero: Exact = { negative: false, digits: 0n, places: 0 };

/** Returns the number that a value's text reads as, written as by SQLite: a real number has at most fifteen digits. */
function numberOf(x: NotNull): Exact {
  if (typeof x === "number") return parseExact(String(Number(x.toPrecision(15))));
  return parseExact(x instanceof Uint8Array ? Buffer.from(x).toString() : String(x));
}

/** Returns the exact binary value of a real number, or of a blob of eight bytes that holds one, as `decimal()` does; null for NULL and other blobs. */
function expanded(x: Cell): Exact | null {
  if (typeof x === "number") return exactOfDouble(x);
  if (x instanceof Uint8Array) return x.length === 8 ? exactOfDouble(Buffer.from(x).readDoubleBE()) : null;
  return x === null ? null : numberOf(x);
}
