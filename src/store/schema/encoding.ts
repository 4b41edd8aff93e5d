/** How a value is kept in SQLite, and how plain SQL reads it back. */
import { customType, integer, text } from "drizzle-orm/sqlite-core";
import type { Column } from "../../core/columns.ts";
import type { Digits, Value } from "../../core/domain.ts";
import { dayMs } from "../../core/time.ts";

const digitsOnly = /^[0-9.-]+$/;
const padding = "f";

/**
 * Digits as half-bytes: 0-9 are themselves, A is "-", B is ".", F fills the last byte. Half the size of text, exact to
 * the last character, and `hex()` of any SQLite reads it. Throws a RangeError for anything but digits, "-" and ".".
 */
export function packDigits(digits: Digits): Buffer {
  const nibbles = checkedDigits(digits).replaceAll("-", "a").replaceAll(".", "b");
  return Buffer.from(nibbles.length % 2 === 0 ? nibbles : nibbles + padding, "hex");
}

function checkedDigits(digits: Digits): Digits {
  if (!digitsOnly.test(digits)) throw new RangeError(`no decimal number: ${JSON.stringify(digits.slice(0, 40))}`);
  return digits;
}

export const unpackDigits = (packed: Buffer): Digits => unpackHex(packed.toString("hex").toUpperCase());

/** From what SQL's `hex()` makes of it, which is read faster than bytes. */
export function unpackHex(hex: string): Digits {
  const digits = hex.replaceAll("A", "-").replaceAll("B", ".");
  // Anywhere but at the end padding was never written: it stays, so that what was altered does not read like what was not.
  return digits.endsWith("F") ? digits.slice(0, -1) : digits;
}

/** The same in SQL; NULL stays NULL. */
export const digitsSql = (column: string): string =>
  `nullif(replace(replace(replace(hex(${column}),'F',''),'B','.'),'A','-'),'')`;

/** Epoch ms of a clock of ours as ISO 8601 UTC with milliseconds, in SQL; NULL stays NULL. */
export const instantSql = (column: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;

/** Milliseconds after which the calendar repeats itself. */
const fourCenturies = 12_622_780_800_000;

/**
 * The same of an instant that was received, which may be any. SQLite knows no years beyond 9999: these are those of the same
 * date in this cycle of the calendar, written as JavaScript does.
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
let known = { day: Number.NaN, text: "" };

/** The same in a quarter of the time that a Date takes, for instants that mostly share their day. */
export function instantText(instant: number): string {
  const day = Math.floor(instant / dayMs);
  if (day !== known.day) known = { day, text: new Date(instant).toISOString().slice(0, "2026-11-01T".length) };
  const ms = instant - day * dayMs;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${known.text}${two[Math.floor(minutes / 60)]}:${two[minutes % 60]}:${two[seconds % 60]}.${three[ms % 1000]}Z`;
}

/** A column of digits. */
export const packedDigits = customType<{ data: Digits | null; driverData: Buffer | null }>({
  dataType: () => "blob",
  // A prepared statement hands NULLs over like any other value.
  toDriver: (digits) => (digits === null ? null : packDigits(digits)),
  fromDriver: (packed) => packed && unpackDigits(packed),
});

/** The column of a table for a column of a dataset. */
export function columnTypeOf(column: Column) {
  if (column.kind === "decimal") return packedDigits();
  if (column.kind === "text") return text();
  return integer();
}

/** A stored value as it went in. */
export const decodeCell = (stored: unknown): Value =>
  Buffer.isBuffer(stored) ? unpackDigits(stored) : (stored as string | number | null);

/** The value as it will come back, or a RangeError where it could not come back the same. */
export function checkedCell(column: Column, value: Value | undefined): Value {
  if (value === null || value === undefined) {
    if (column.required) throw new RangeError("missing");
    return null;
  }
  const isText = column.kind === "text" || column.kind === "decimal";
  if (isText !== (typeof value === "string")) throw new RangeError(`no ${column.kind}: ${JSON.stringify(value)}`);
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError(`no whole number: ${value}`);
  if (column.kind === "decimal") return checkedDigits(value as Digits);
  // Half of a surrogate pair has no UTF-8: it comes back as U+FFFD, so it goes in as that.
  return typeof value === "string" ? Buffer.from(value).toString() : value;
}

/** The word for a column's value in SQL that a person reads. */
export function readableSql(column: Column, stored: string): string {
  if (column.kind === "decimal") return digitsSql(stored);
  return column.kind === "millis" ? receivedInstantSql(stored) : stored;
}
