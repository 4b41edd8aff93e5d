/** Computes the days and months of a time zone. Not all days have 24 hours, and not all begin at midnight. */
import { Temporal } from "temporal-polyfill";

/** The period of the rows of a report: every local day, or every local month. */
export const steps = ["day", "month"] as const;
export type Step = (typeof steps)[number];

/** From `from` (inclusive) to `to` (exclusive), in epoch ms, divided into days or months. */
export interface Span {
  /** An IANA name. */
  timezone: string;
  by: Step;
  from: number;
  to: number;
}

/** One day (`2026-11-21`) or month (`2026-11`), from `from` (inclusive) to `to` (exclusive). Epoch ms. */
export interface Period {
  name: string;
  from: number;
  to: number;
}

const dateAt = (instant: number, timezone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timezone).toPlainDate();

/** Returns the first instant of a local date, in epoch ms; one o'clock if the clocks go forward at midnight. */
const startOf = (date: Temporal.PlainDate, timezone: string): number =>
  date.toZonedDateTime({ timeZone: timezone }).epochMilliseconds;

/** Returns the first instant of a date such as `2026-11-21`, in epoch ms; null if it is not a date. */
export function startOfDate(text: string, timezone: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return null;
  try {
    return startOf(Temporal.PlainDate.from(text), timezone);
  } catch {
    return null;
  }
}

/** Yields the periods that overlap a span, in order and without gaps. A date that the time zone skipped has no period. */
export function* periodsOf({ timezone, by, from, to }: Span): Generator<Period, void> {
  if (!(from < to)) return;
  const step = by === "day" ? { days: 1 } : { months: 1 };
  const first = dateAt(from, timezone);
  let date = by === "day" ? first : first.with({ day: 1 });
  for (let start = startOf(date, timezone); start < to; ) {
    const next = date.add(step);
    const end = startOf(next, timezone);
    if (end > start) yield { name: nameOf(date, by), from: start, to: end };
    date = next;
    start = end;
  }
}

/** Returns the time from the beginning of the first to the end of the last period of a span; null if it has none. Epoch ms. */
export function spanOf(span: Span): { from: number; to: number } | null {
  const periods = [...periodsOf(span)];
  const [first, last] = [periods[0], periods.at(-1)];
  return first && last ? { from: first.from, to: last.to } : null;
}

/** Returns the period that contains an instant (epoch ms). */
export function periodOf(timezone: string, by: Step, instant: number): Period {
  const [period] = periodsOf({ timezone, by, from: instant, to: instant + 1 });
  if (!period) throw new RangeError(`${instant} is in no ${by} of ${timezone}`);
  return period;
}

/** Returns when a number of local days begin of which the last one contains an instant (epoch ms). */
export const startOfDays = (timezone: string, days: number, instant: number): number =>
  startOf(dateAt(instant, timezone).subtract({ days: days - 1 }), timezone);

const nameOf = (date: Temporal.PlainDate, by: Step): string =>
  by === "day" ? date.toString() : date.toPlainYearMonth().toString();

/** Returns a time (epoch ms) in a time zone, such as "2026-11-22 15:34:45". */
export const localText = (at: number, timezone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timezone)
    .toPlainDateTime()
    .toString({ smallestUnit: "second" })
    .replace("T", " ");

/**
 * Returns the instant (epoch ms) of a local time such as "2026-11-22T15:34"; null if it is not a time. One that the clocks skip or repeat is
 * the later or the earlier of both.
 */
export function localInstant(text: string, timezone: string): number | null {
  try {
    return Temporal.PlainDateTime.from(text, { overflow: "reject" }).toZonedDateTime(timezone).epochMilliseconds;
  } catch {
    return null;
  }
}
