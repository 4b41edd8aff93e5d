/** Cron patterns, in UTC by default. Which slots are due is a pure function of pattern and clock. */
import { Cron } from "croner";
import { dayMs, hourMs, minuteMs, startOfDay } from "./time.ts";

export interface Pattern {
  /** As written in the settings. */
  text: string;
  /** The IANA name of the time zone that the pattern applies to. */
  timezone: string;
  /** The second of the minute in which all slots are; 0 if they are in several. */
  second: number;
  /** The first slot after `instant`. Epoch ms. */
  next(instant: number): number;
  /** The last slot at or before `instant`. Epoch ms. */
  latest(instant: number): number;
}

/** Names, numbers, lists, ranges and steps. Extensions on which libraries disagree (L, W, #, @daily) are not accepted. */
const value = String.raw`(\d{1,2}|[a-z]{3})`;
const part = String.raw`(\*|${value}(-${value})?)(\/\d{1,2})?`;
const field = new RegExp(`^${part}(,${part})*$`, "i");

/**
 * Parses a pattern of five or six fields (seconds first). A pattern with both a day of the month and a day of the week is
 * rejected, because cron implementations disagree on whether both or either must match. On the days when a time zone changes
 * its offset, a skipped hour counts as the next existing one, and a repeated hour counts once.
 * @throws Error with one sentence that explains the problem
 */
export function parsePattern(text: string, timezone = "UTC"): Pattern {
  const name = `${timezone} ${text}`;
  const pattern = parsed.get(name) ?? parse(text, timezone);
  parsed.set(name, pattern);
  return pattern;
}

/** The end of the supported calendar; instants outside it have no slots around them. Epoch ms. */
const lastInstant = Date.UTC(9999, 0);
const outsideCalendar = { slot: Number.NEGATIVE_INFINITY, next: Number.POSITIVE_INFINITY };

/** Parsed patterns by time zone and text; most datasets share one pattern and its cached slots. */
const parsed = new Map<string, Pattern>();

function parse(text: string, timezone: string): Pattern {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6)
    throw new Error(`has ${fields.length} fields; a pattern has five, or six with seconds first`);
  const invalid = fields.find((text) => !field.test(text));
  if (invalid !== undefined) throw new Error(`"${invalid}" is not a number, list, range or step`);
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
    second: fields.length === 6 && /^\d+$/.test(fields[0] ?? "") ? Number(fields[0]) : 0,
    next: (instant) => around(instant).next,
    latest: (instant) => around(instant).slot,
  };
}

/** Returns the last slot at or before an instant, and the first after it. Epoch ms; infinite outside the calendar. */
type Around = (instant: number) => { slot: number; next: number };

const isOutside = (instant: number): boolean => !(instant >= 0 && instant <= lastInstant);

/** Returns whether the slots are the same every day: in UTC, without dates. */
const isDaily = (fields: readonly string[], timezone: string): boolean =>
  timezone === "UTC" && fields.slice(-3).every((field) => field === "*");

/** Computes the slots of a day once, field by field, because croner is slow; after that, finding a slot is arithmetic. */
function daily(fields: readonly string[]): Around {
  const [minute = "", hour = "", ...dates] = fields.slice(-5);
  const second = fields.length === 6 ? (fields[0] ?? "") : "0";
  let cached: number[] | undefined;
  const offsetsOfDay = (): number[] => {
    const hours = offsets(["0", "0", hour, ...dates], dayMs);
    const minutes = offsets(["0", minute, "*", ...dates], hourMs);
    const seconds = offsets([second, "*", "*", ...dates], minuteMs);
    return hours.flatMap((begin) => minutes.flatMap((within) => seconds.map((offset) => begin + within + offset)));
  };
  return (instant) => {
    if (isOutside(instant)) return outsideCalendar;
    cached ??= offsetsOfDay();
    const day = startOfDay(instant);
    const after = countUpTo(cached, instant - day);
    const [first = 0, last = 0] = [cached[0], cached.at(-1)];
    return {
      slot: after > 0 ? day + (cached[after - 1] ?? 0) : day - dayMs + last,
      next: after < cached.length ? day + (cached[after] ?? 0) : day + dayMs + first,
    };
  };
}

/** Returns the offsets of the slots from the start of a day, up to `until`. Milliseconds. */
function offsets(fields: readonly string[], until: number): number[] {
  const cron = new Cron(fields.join(" "), { timezone: "UTC", paused: true, mode: "6-part" });
  const found: number[] = [];
  for (let slot = cron.nextRun(new Date(-1)); slot && slot.getTime() < until; slot = cron.nextRun(slot))
    found.push(slot.getTime());
  return found;
}

/** Returns how many of the ascending numbers are at most `max`. */
function countUpTo(ascending: readonly number[], max: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) <= max) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Caches the interval between two slots, because the clock is checked far more often than it reaches a slot. */
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

/** Returns a pattern of five fields with its slots in that second of the minute; one of six, which names its seconds, unchanged. */
export const inSecond = (pattern: Pattern, second: number): Pattern =>
  pattern.text.split(" ").length === 5 ? parsePattern(`${second} ${pattern.text}`, pattern.timezone) : pattern;

/** Returns whether the slots of two patterns differ, and only in the second of the minute. */
export function differInSecondOnly(one: Pattern, other: Pattern): boolean {
  const [minutes, otherMinutes] = [one, other].map(({ text }) => text.replace(/^\d+ (?=(\S+ ){4}\S+$)/, ""));
  return one.second !== other.second && minutes === otherMinutes && one.timezone === other.timezone;
}

/** Yields every slot after `instant`, up to the end of the calendar. Epoch ms. */
export function* slotsAfter(pattern: Pattern, instant: number): Generator<number> {
  for (let slot = pattern.next(instant); slot <= lastInstant; slot = pattern.next(slot)) yield slot;
}

/**
 * Returns until when data of a slot counts as current: the second slot after it (two periods, if the schedule is even). This is
 * the only rule for fresh, current and stale. Epoch ms; infinite for a pattern without further slots.
 */
export const freshUntil = (pattern: Pattern, slot: number): number => pattern.next(pattern.next(slot));

/** Returns the time from a slot to the next one. Milliseconds. */
export const periodAt = (pattern: Pattern, slot: number): number => pattern.next(slot) - slot;

const maxGraceMs = 5 * minuteMs;

/** Returns how late a slot may still be run: half its period, at most five minutes. Milliseconds. */
export const graceAt = (pattern: Pattern, slot: number): number => Math.min(periodAt(pattern, slot) / 2, maxGraceMs);
