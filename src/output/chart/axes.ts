/** The two axes of a chart: round values, and round times of day in a time zone. */
import { type ScaleLinear, scaleLinear, scaleUtc } from "d3-scale";
import { Temporal } from "temporal-polyfill";
import { add, places, subtract, toDecimalString, truncate } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import type { Interval } from "./curve.ts";

export interface Tick {
  /** Where on the scale: epoch ms, or what `numberOf` gives. */
  at: number;
  label: string;
}

export interface ValueAxis {
  scale: ScaleLinear<number, number>;
  ticks: Tick[];
  /** Where a value is on the scale. Digits become a number here and nowhere else, to find a pixel. */
  numberOf(value: DecimalString): number;
}

/** `count` is about how many ticks there are. */
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

/** Below this part of the values themselves a double no longer tells well how far they lie apart. */
const flat = 1e-9;

/**
 * What is taken off every value, exactly, before it becomes a number: a round value near all of them, so that round
 * differences from it are round values too. "0" unless the values lie that close together.
 */
function baseOf(values: readonly DecimalString[]): DecimalString {
  const rough = extentOf(values.map(Number));
  const [first = "0"] = values;
  if (rough.high - rough.low > flat * Math.max(Math.abs(rough.low), Math.abs(rough.high))) return "0";
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

/** Round local times of a span, with the day where one begins and the month or year where all ticks begin one. */
export function timeTicks({ from, to }: Interval, timezone: string, count: number): Tick[] {
  // What the clock on the wall shows, taken for UTC, is a time whose round ticks d3 knows.
  const wall = scaleUtc().domain([from, to].map((at) => moved(at, timezone, "UTC").epochMilliseconds));
  const times = wall.ticks(count).map((tick) => moved(tick.getTime(), "UTC", timezone));
  const whole = times.every((time) => time.day === 1 && beginsDay(time));
  const labels = new Map(times.map((time) => [time.epochMilliseconds, labelOf(time, whole)]));
  return [...labels].map(([at, label]) => ({ at, label })).filter(({ at }) => at >= from && at <= to);
}

/** The instant at which the clocks of `target` show what those of `source` show at `at`. */
const moved = (at: number, source: string, target: string): Temporal.ZonedDateTime =>
  zoned(at, source).toPlainDateTime().toZonedDateTime(target);

const zoned = (at: number, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);

/** Where midnight does not exist a day begins later. */
const beginsDay = (time: Temporal.ZonedDateTime): boolean => time.equals(time.startOfDay());

function labelOf(time: Temporal.ZonedDateTime, wholeMonths: boolean): string {
  if (!beginsDay(time)) return time.toPlainTime().toString({ smallestUnit: time.second === 0 ? "minute" : "second" });
  if (!wholeMonths) return time.toLocaleString("en-GB", { day: "numeric", month: "short" });
  return time.month === 1 ? String(time.year) : time.toLocaleString("en-GB", { month: "short" });
}

/** Such as "2026-11-01 00:00". */
export const localText = (at: number, timezone: string): string =>
  zoned(at, timezone).toPlainDateTime().toString({ smallestUnit: "minute" }).replace("T", " ");
