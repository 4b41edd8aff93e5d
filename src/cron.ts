/** Cron patterns as sets of instants, in UTC unless told otherwise: what is due is a pure function of pattern and clock. */
import { Cron } from "croner";

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
const nowhere = { slot: Number.NEGATIVE_INFINITY, next: Number.POSITIVE_INFINITY };

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
  const found = cron;
  // The clock is looked at far more often than it reaches a slot: the stretch between two slots is remembered.
  let between = { slot: Number.NaN, next: Number.NaN };
  const around = (instant: number) => {
    if (!(instant >= 0 && instant <= lastInstant)) return nowhere;
    if (instant >= between.slot && instant < between.next) return between;
    const before = () => found.previousRuns(1, new Date(instant + 1))[0]?.getTime() ?? Number.NEGATIVE_INFINITY;
    const slot = instant === between.next ? instant : before();
    const next = found.nextRun(new Date(instant))?.getTime() ?? Number.POSITIVE_INFINITY;
    between = { slot, next };
    return between;
  };
  return {
    text: fields.join(" "),
    timezone,
    next: (instant) => around(instant).next,
    latest: (instant) => around(instant).slot,
  };
}

/** Every slot after `instant`, without end. A pattern without dates repeats itself: one hour or day of it is worked out. */
export function* slotsAfter(pattern: Pattern, instant: number): Generator<number> {
  const period = repeatsAfter(pattern);
  if (period === null) {
    for (let slot = pattern.next(instant); slot < Number.POSITIVE_INFINITY; slot = pattern.next(slot)) yield slot;
    return;
  }
  const begin = Math.floor(instant / period) * period;
  const offsets: number[] = [];
  for (let slot = pattern.next(begin - 1); slot < begin + period; slot = pattern.next(slot)) offsets.push(slot - begin);
  // No calendar goes on for ever, and one that is asked about a time beyond its end has no slots at all.
  if (offsets.length === 0) return;
  for (let at = begin; at <= lastInstant; at += period) {
    for (const offset of offsets) if (at + offset > instant) yield at + offset;
  }
}

/** Milliseconds; null where months, days, days of the week or the days of a time zone play a part. */
function repeatsAfter({ text, timezone }: Pattern): number | null {
  if (timezone !== "UTC") return null;
  const [hour, ...dates] = text.split(" ").slice(-4);
  if (dates.some((field) => field !== "*")) return null;
  return hour === "*" ? 3_600_000 : 86_400_000;
}

/** From a slot to the one after it. Milliseconds. */
export const periodAt = (pattern: Pattern, slot: number): number => pattern.next(slot) - slot;

const longestGrace = 5 * 60_000;

/** How late a slot may still be run: half its period, at most five minutes. Milliseconds. */
export const graceAt = (pattern: Pattern, slot: number): number => Math.min(periodAt(pattern, slot) / 2, longestGrace);
