/** Encodes values for SQLite and decodes them, in TypeScript and in plain SQL. */
import { customType, integer, text } from "drizzle-orm/sqlite-core";
import type { Column } from "../../core/columns.ts";
import type { DecimalString, Value } from "../../core/domain.ts";
import { dayMs } from "../../core/time.ts";

const digitsOnly = /^[0-9.-]+$/;
const padding = "f";

/**
 * Packs a decimal string two characters to a byte: 0-9 stand for themselves, A for "-", B for ".", and F pads the last byte. This
 * takes half the space of text, is exact to the last character, and SQLite's `hex()` decodes it. Throws a RangeError for any
 * character but digits, "-" and ".".
 */
export function packDigits(digits: DecimalString): Buffer {
  const nibbles = checkedDigits(digits).replaceAll("-", "a").replaceAll(".", "b");
  return Buffer.from(nibbles.length % 2 === 0 ? nibbles : nibbles + padding, "hex");
}

function checkedDigits(digits: DecimalString): DecimalString {
  if (!digitsOnly.test(digits)) throw new RangeError(`not a decimal number: ${JSON.stringify(digits.slice(0, 40))}`);
  return digits;
}

/** Returns the decimal string that `packDigits` packed. */
export const unpackDigits = (packed: Buffer): DecimalString => unpackHex(packed.toString("hex").toUpperCase());

/** Returns the decimal string of a packed value in upper-case hex, as SQL's `hex()` returns it: faster to read than a blob. */
export function unpackHex(hex: string): DecimalString {
  // Padding is only ever written at the end. Elsewhere it is kept, so that an altered value does not read like the original.
  const end = hex.endsWith("F") ? hex.length - 1 : hex.length;
  const point = hex.indexOf("B");
  const isNumber = hex.indexOf("A", 1) < 0 && hex.indexOf("B", point + 1) < 0;
  if (!isNumber) return hex.slice(0, end).replaceAll("A", "-").replaceAll("B", ".");
  const start = hex.startsWith("A") ? 1 : 0;
  const digits = point < 0 ? hex.slice(start, end) : `${hex.slice(start, point)}.${hex.slice(point + 1, end)}`;
  return start === 1 ? `-${digits}` : digits;
}

/** Returns an SQL expression that unpacks a column of packed digits; NULL stays NULL. */
export const digitsSql = (column: string): string =>
  `nullif(replace(replace(replace(hex(${column}),'F',''),'B','.'),'A','-'),'')`;

/** Returns an id as it is stored: as an integer where that has the same text, which takes less than half the space. */
export function packId(id: string): bigint | string {
  if (!/^[1-9]\d{0,18}$/.test(id)) return id;
  const integer = BigInt(id);
  return BigInt.asIntN(64, integer) === integer ? integer : id;
}

/** Returns an SQL expression that reads an id as text. Without it, the driver would round long ones. */
export const idSql = (column: string): string => `cast(${column} as text)`;

/** Returns an SQL expression that formats epoch ms (years 0 to 9999) as ISO 8601 UTC with milliseconds; NULL stays NULL. */
export const instantSql = (column: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;

/** When years begin to have six digits. Epoch ms. */
const year10000 = Date.UTC(10_000, 0);

/** The period of the Gregorian calendar. Milliseconds. */
const fourCenturies = 12_622_780_800_000;

/**
 * Returns an SQL expression like `instantSql` for times from the exchange, which may be after the year 9999. SQLite does not support
 * those: the date is computed in the first 400 years of the calendar, and the year is written with six digits, as JavaScript does.
 */
export function receivedInstantSql(column: string): string {
  const near = `${column} % ${fourCenturies} / 1000.0, 'unixepoch'`;
  const year = `strftime('%Y', ${near}) + ${column} / ${fourCenturies} * 400`;
  const far = `printf('+%06d', ${year}) || strftime('-%m-%dT%H:%M:%fZ', ${near})`;
  return `coalesce(${instantSql(column)}, ${far})`;
}

const padded = (count: number, digits: number) =>
  Array.from({ length: count }, (_, number) => String(number).padStart(digits, "0"));
const two = padded(60, 2);
const three = padded(1000, 3);
let lastDay = { day: Number.NaN, text: "" };

/** Formats epoch ms as ISO 8601 UTC like `Date.toISOString`, in a quarter of the time if successive instants share their day. */
export function instantText(instant: number): string {
  const day = Math.floor(instant / dayMs);
  if (day !== lastDay.day) lastDay = { day, text: new Date(instant).toISOString().slice(0, "2026-11-01T".length) };
  const ms = instant - day * dayMs;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${lastDay.text}${two[Math.floor(minutes / 60)]}:${two[minutes % 60]}:${two[seconds % 60]}.${three[ms % 1000]}Z`;
}

/** Formats epoch ms like `receivedInstantSql`. */
export const receivedInstantText = (instant: number): string =>
  instant >= 0 && instant < year10000 ? instantText(instant) : new Date(instant).toISOString();

/** A Drizzle column type for packed digits. */
export const packedDigits = customType<{ data: DecimalString | null; driverData: Buffer | null }>({
  dataType: () => "blob",
  // Prepared statements pass NULLs through this function too.
  toDriver: (digits) => (digits === null ? null : packDigits(digits)),
  fromDriver: (packed) => packed && unpackDigits(packed),
});

/** A Drizzle column type for ids. */
export const packedId = customType<{ data: string | null; driverData: bigint | string | null }>({
  dataType: () => "any",
  toDriver: (id) => (id === null ? null : packId(id)),
  fromDriver: (stored) => (stored === null ? null : String(stored)),
});

/** Returns the Drizzle column that stores a column of a dataset. */
export function columnTypeOf(column: Column) {
  if (column.kind === "decimal") return packedDigits();
  if (column.isId) return packedId();
  if (column.kind === "text") return text();
  return integer();
}

/** Returns a value as it is stored in a column. */
export function storedCell({ kind, isId }: Column, value: Value): Value | Buffer | bigint {
  if (typeof value !== "string") return value;
  if (kind === "decimal") return packDigits(value);
  return isId ? packId(value) : value;
}

/** Decodes a stored value; ids are read with `idSql`. */
export const decodeCell = (stored: unknown): Value =>
  Buffer.isBuffer(stored) ? unpackDigits(stored) : (stored as string | number | null);

/** Returns the value as it will be read back; null where it is missing. Throws a RangeError where it cannot be stored unchanged. */
export function checkedCell(column: Column, value: Value | undefined): Value {
  if (value === null || value === undefined) {
    if (column.required) throw new RangeError("missing");
    return null;
  }
  const isText = column.kind === "text" || column.kind === "decimal";
  if (isText !== (typeof value === "string"))
    throw new RangeError(`expected ${column.kind}, got ${JSON.stringify(value)}`);
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
  if (column.kind === "decimal") return checkedDigits(value as DecimalString);
  // A lone surrogate has no UTF-8 encoding and would be read back as U+FFFD, so it is stored as that.
  return typeof value === "string" ? Buffer.from(value).toString() : value;
}
