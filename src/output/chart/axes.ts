/** Computes the two axes of a chart: round values, and round local times of a time zone. */
import { type ScaleLinear, scaleLinear, scaleUtc } from "d3-scale";
import { Temporal } from "temporal-polyfill";
import { add, places, subtract, toDecimalString, truncate } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import type { Interval } from "./curve.ts";

/** A labelled position on an axis. */
export interface Tick {
  /** The position on the scale: epoch ms, or a result of `numberOf`. */
  at: number;
  label: string;
}

/** The vertical axis of a chart. */
export interface ValueAxis {
  scale: ScaleLinear<number, number>;
  ticks: Tick[];
  /** Returns the position of a value on the scale. Only here does a decimal become a number, to find a pixel. */
  numberOf(value: DecimalString): number;
}

/** Returns the axis for the given values. `count`: the approximate number of ticks. */
export function valueAxis(values: readonly DecimalString[], count: number): ValueAxis {
  const base = baseOf(values);
  const numberOf = (value: DecimalString) => Number(base === "0" ? value : subtract(value, base));
  const { low, high } = extentOf(values.map(numberOf));
  const margin = low === high ? Math.abs(low) / 20 || 1 : 0;
  const scale = scaleLinear([low - margin, high + margin], [0, 1]).nice(count);
  const ticks = scale.ticks(count).map((at) => ({ at, digits: toDecimalString(String(at)) ?? "0" }));
  const fraction = Math.max(...ticks.map(({ digits }) => places(digits)));
  const written = new Intl.NumberFormat("en", {
    minimumFractionDigits: fraction,
    maximumFractionDigits: fraction,
    signDisplay: "negative",
  });
  const labelOf = (digits: DecimalString) => written.format(add(base, digits) as Intl.StringNumericLiteral);
  return { scale, ticks: ticks.map(({ at, digits }) => ({ at, label: labelOf(digits) })), numberOf };
}

/** If the values differ by less than this share of themselves, differences of doubles are too inaccurate. */
const minRelativeRange = 1e-9;

/**
 * Returns the decimal to subtract from every value before it becomes a number: a round value near all of them, so that round
 * differences from it are round values too; "0" unless the values are very close together.
 */
function baseOf(values: readonly DecimalString[]): DecimalString {
  const rough = extentOf(values.map(Number));
  const [first = "0"] = values;
  if (rough.high - rough.low > minRelativeRange * Math.max(Math.abs(rough.low), Math.abs(rough.high))) return "0";
  const exact = extentOf(values.map((value) => Number(subtract(value, first))));
  if (exact.low === exact.high) return "0";
  return truncate(first, -Math.ceil(Math.log10(exact.high - exact.low)));
}

function extentOf(numbers: readonly number[]): { low: number; high: number } {
  if (numbers.length === 0) return { low: 0, high: 0 };
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const number of numbers) {
    low = Math.min(low, number);
    high = Math.max(high, number);
  }
  return { low, high };
}

/** Returns ticks at round local times of a span, labelled with the time, at midnight with the day, and if all begin a month with the month or year. */
export function timeTicks({ from, to }: Interval, timezone: string, count: number): Tick[] {
  // d3 finds round ticks in UTC, so local times are treated as UTC.
  const wall = scaleUtc().domain([from, to].map((at) => moved(at, timezone, "UTC").epochMilliseconds));
  const times = wall.ticks(count).map((tick) => moved(tick.getTime(), "UTC", timezone));
  const whole = times.every((time) => time.day === 1 && beginsDay(time));
  const labels = new Map(times.map((time) => [time.epochMilliseconds, labelOf(time, whole)]));
  return [...labels].map(([at, label]) => ({ at, label })).filter(({ at }) => at >= from && at <= to);
}

/** Returns the time at which local time in `target` is what it is in `source` at `at`. */
const moved = (at: number, source: string, target: string): Temporal.ZonedDateTime =>
  zoned(at, source).toPlainDateTime().toZonedDateTime(target);

const zoned = (at: number, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);

/** Returns whether a day begins at `time`: later than midnight if that does not exist. */
const beginsDay = (time: Temporal.ZonedDateTime): boolean => time.equals(time.startOfDay());

function labelOf(time: Temporal.ZonedDateTime, wholeMonths: boolean): string {
  if (!beginsDay(time)) return time.toPlainTime().toString({ smallestUnit: time.second === 0 ? "minute" : "second" });
  if (!wholeMonths) return time.toLocaleString("en-GB", { day: "numeric", month: "short" });
  return time.month === 1 ? String(time.year) : time.toLocaleString("en-GB", { month: "short" });
}

/** Returns a local time such as "2026-11-01 00:00". */
export const localText = (at: number, timezone: string): string =>
  zoned(at, timezone).toPlainDateTime().toString({ smallestUnit: "minute" }).replace("T", " ");
