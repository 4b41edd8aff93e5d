/** The days and months of a time zone as stretches of time. Not all days have 24 hours, and not all begin at midnight. */
import { Temporal } from "temporal-polyfill";

/** What the rows of a report are about: every local day or every local month. */
export const steps = ["day", "month"] as const;
export type Step = (typeof steps)[number];

/** From `from` on and before `to`, in epoch ms; reports answer for whole days or months. */
export interface Span {
  /** An IANA name. */
  timezone: string;
  by: Step;
  from: number;
  to: number;
}

/** One day (`2026-11-21`) or month (`2026-11`), from `from` on and before `to`. Epoch ms. */
export interface Period {
  name: string;
  from: number;
  to: number;
}

const dateAt = (instant: number, timezone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timezone).toPlainDate();

/** The first instant of a local date. Epoch ms. Where clocks went forward over midnight that is one o'clock. */
const startOf = (date: Temporal.PlainDate, timezone: string): number =>
  date.toZonedDateTime({ timeZone: timezone }).epochMilliseconds;

/** The first instant of a date as people write it (`2026-11-21`); null for what is none. Epoch ms. */
export function startOfDate(text: string, timezone: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return null;
  try {
    return startOf(Temporal.PlainDate.from(text), timezone);
  } catch {
    return null;
  }
}

/** The periods that have a part in a span, in order and without a gap. A date that a zone left out has none. */
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

/** The period in which an instant lies. */
export function periodOf(timezone: string, by: Step, instant: number): Period {
  const [period] = periodsOf({ timezone, by, from: instant, to: instant + 1 });
  if (!period) throw new RangeError(`${instant} is in no ${by} of ${timezone}`);
  return period;
}

const nameOf = (date: Temporal.PlainDate, by: Step): string =>
  by === "day" ? date.toString() : date.toPlainYearMonth().toString();
