/** Cron patterns as sets of instants, in UTC by default: what is due is a pure function of pattern and clock. */
import { Cron } from "croner";
import { dayMs, hourMs, minuteMs, startOfDay } from "./time.ts";

export interface Pattern {
  /** As written in the settings. */
  text: string;
  /** The IANA name of the time zone that it is read in. */
  timezone: string;
  /** The first slot after `instant`. Epoch ms. */
  next(instant: number): number;
  /** The last slot at or before `instant`. Epoch ms. */
  latest(instant: number): number;
}

/** Names, numbers, lists, ranges and steps; none of the extensions (L, W, #, @daily) on which libraries disagree. */
const value = String.raw`(\d{1,2}|[a-z]{3})`;
const part = String.raw`(\*|${value}(-${value})?)(\/\d{1,2})?`;
const field = new RegExp(`^${part}(,${part})*$`, "i");

/**
 * Reads a pattern of five or six fields (seconds first). Throws an Error with one sentence for what is wrong; a pattern that gives both
 * a day of the month and a day of the week is refused, because one half of the cron programs joins them by "and", the
 * other by "or". An hour that a time zone's day leaves out counts as the next that it has; one that comes twice counts once.
 */
export function parsePattern(text: string, timezone = "UTC"): Pattern {
  const name = `${timezone} ${text}`;
  const known = parsed.get(name) ?? parse(text, timezone);
  parsed.set(name, known);
  return known;
}

/** Years of four digits; what is outside has no slots around it. Epoch ms. */
const lastInstant = Date.UTC(9999, 0);
const outsideCalendar = { slot: Number.NEGATIVE_INFINITY, next: Number.POSITIVE_INFINITY };

/** Datasets mostly share one pattern, and with it what was worked out about it. */
const parsed = new Map<string, Pattern>();

function parse(text: string, timezone: string): Pattern {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6)
    throw new Error(`has ${fields.length} fields; a pattern has five, or six with seconds first`);
  const odd = fields.find((text) => !field.test(text));
  if (odd !== undefined) throw new Error(`"${odd}" is not a number, list, range or step`);
  const [dayOfMonth, , dayOfWeek] = fields.slice(-3);
  if (dayOfMonth !== "*" && dayOfWeek !== "*")
    throw new Error("gives both a day of the month and a day of the week; leave one of them *");
  let cron: Cron;
  try {
    cron = new Cron(fields.join(" "), { timezone, paused: true, mode: "5-or-6-parts" });
  } catch (error) {
    throw new Error(error instanceof Error ? error.message.replace(/^CronPattern: /, "") : "cannot be read");
  }
  if (cron.nextRun() === null) throw new Error("never comes");
  const around = isDaily(fields, timezone) ? daily(fields) : dated(cron);
  return {
    text: fields.join(" "),
    timezone,
    next: (instant) => around(instant).next,
    latest: (instant) => around(instant).slot,
  };
}

/** The last slot at or before an instant, and the first after it. Epoch ms; infinite outside of the calendar. */
type Around = (instant: number) => { slot: number; next: number };

const isOutside = (instant: number): boolean => !(instant >= 0 && instant <= lastInstant);

/** The same every day: neither dates nor the days of a time zone play a part. */
const isDaily = (fields: readonly string[], timezone: string): boolean =>
  timezone === "UTC" && fields.slice(-3).every((field) => field === "*");

/** The slots of a day are worked out once, field by field, for croner takes its time; from then on it is arithmetic. */
function daily(fields: readonly string[]): Around {
  const [minute = "", hour = "", ...dates] = fields.slice(-5);
  const second = fields.length === 6 ? (fields[0] ?? "") : "0";
  let known: number[] | undefined;
  const offsetsOfDay = (): number[] => {
    const hours = offsets(["0", "0", hour, ...dates], dayMs);
    const minutes = offsets(["0", minute, "*", ...dates], hourMs);
    const seconds = offsets([second, "*", "*", ...dates], minuteMs);
    return hours.flatMap((begin) => minutes.flatMap((within) => seconds.map((offset) => begin + within + offset)));
  };
  return (instant) => {
    if (isOutside(instant)) return outsideCalendar;
    known ??= offsetsOfDay();
    const day = startOfDay(instant);
    const after = countUpTo(known, instant - day);
    const [first = 0, last = 0] = [known[0], known.at(-1)];
    return {
      slot: after > 0 ? day + (known[after - 1] ?? 0) : day - dayMs + last,
      next: after < known.length ? day + (known[after] ?? 0) : day + dayMs + first,
    };
  };
}

/** From the beginning of any day. Milliseconds. */
function offsets(fields: readonly string[], until: number): number[] {
  const cron = new Cron(fields.join(" "), { timezone: "UTC", paused: true, mode: "6-part" });
  const found: number[] = [];
  for (let slot = cron.nextRun(new Date(-1)); slot && slot.getTime() < until; slot = cron.nextRun(slot))
    found.push(slot.getTime());
  return found;
}

/** How many of the numbers, which ascend, are at most `most`. */
function countUpTo(ascending: readonly number[], most: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The clock is looked at far more often than it reaches a slot: the stretch between two slots is remembered. */
function dated(cron: Cron): Around {
  let between = { slot: Number.NaN, next: Number.NaN };
  return (instant) => {
    if (isOutside(instant)) return outsideCalendar;
    if (instant >= between.slot && instant < between.next) return between;
    const before = () => cron.previousRuns(1, new Date(instant + 1))[0]?.getTime() ?? Number.NEGATIVE_INFINITY;
    const slot = instant === between.next ? instant : before();
    const next = cron.nextRun(new Date(instant))?.getTime() ?? Number.POSITIVE_INFINITY;
    between = { slot, next };
    return between;
  };
}

/** Every slot after `instant`, up to the end of the calendar. */
export function* slotsAfter(pattern: Pattern, instant: number): Generator<number> {
  for (let slot = pattern.next(instant); slot <= lastInstant; slot = pattern.next(slot)) yield slot;
}

/**
 * Returns until when data of a slot counts as current: the second slot after it, which is two periods where these are even. The
 * one rule for what is fresh, known or stale. Epoch ms; infinite for a pattern without further slots.
 */
export const freshUntil = (pattern: Pattern, slot: number): number => pattern.next(pattern.next(slot));

/** From a slot to the one after it. Milliseconds. */
export const periodAt = (pattern: Pattern, slot: number): number => pattern.next(slot) - slot;

const maxGraceMs = 5 * minuteMs;

/** How late a slot may still be run: half its period, at most five minutes. Milliseconds. */
export const graceAt = (pattern: Pattern, slot: number): number => Math.min(periodAt(pattern, slot) / 2, maxGraceMs);
