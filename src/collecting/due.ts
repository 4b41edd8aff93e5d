/**
 * Decides what is due, and why a slot was not run. Pure: the next step follows from the watermark of the series, the program's own
 * history (start, sleeps, downtimes) and the time. The scheduler takes the step and calls again until there is none.
 */
import { clockToleranceMs } from "../bitget/clock-check.ts";
import type { Instant } from "../core/clock.ts";
import { differInSecondOnly, graceAt, inSecond, type Pattern } from "../core/cron.ts";
import { causes, type DatasetName, publicAccount } from "../core/domain.ts";
import { hashOf } from "../core/text.ts";
import type { UnrunSlot } from "../store/runs/run-ledger.ts";

/** One dataset of one account, and its watermark. */
export interface SeriesState {
  /** The schedule recorded in the run ledger, and the one of the settings, which replaces it. Null: none. */
  inForce: Pattern | null;
  wanted: Pattern | null;
  /** When `wanted` takes effect, epoch ms, for a series that began or ended while the program was running. Default: with its start. */
  wantedFrom?: number;
  /** A series that was never scheduled begins at this time at the earliest, epoch ms. Default: with its start. */
  notBefore?: number;
  /** When the schedule in force began; it has no slot up to and including this time. Epoch ms. */
  since: number;
  /** The watermark: every slot up to here has its row. Epoch ms. */
  processedThrough: number;
  /** The slot that this process ran last; NaN: none, or it must be retried. Epoch ms. */
  lastSlot: number;
  /** From the slot of the last run to the end of that run: slots in between are skipped. */
  lastRun: Span;
}

/** After `from`, up to and including `to`. Epoch ms. */
export interface Span {
  from: number;
  to: number;
}

/** A span in which nothing could be run, and the cause to record for its missed slots. */
export interface Downtime extends Span {
  cause: string;
}

/** When the program was able to run slots, and when not. */
export interface Presence {
  /** When it started, by the clock as the exchange confirmed it. Epoch ms. */
  startedAt: number;
  /** When new schedules take effect: the start, or the first confirmation of the clock if that was later. Epoch ms. */
  effectiveAt: number;
  /** How far the exchange's clock is ahead of ours, if that is beyond the tolerance; else 0. Milliseconds. */
  behindMs: number;
  /** The last span in which the exchange had not confirmed the clock. */
  unconfirmed: Span;
  /** The newest first. */
  downtimes: readonly Downtime[];
}

export type Step =
  /** Records slots that will not be run any more. */
  | { kind: "close"; slots: UnrunSlot[] }
  /** Changes the pattern in force (null: none). `from`: epoch ms. */
  | { kind: "schedule"; pattern: Pattern | null; from: number }
  | { kind: "run"; slot: number };

/** At most this many rows are written in one step, so that other writes do not wait long. */
const maxSlotsPerStep = 500;

/** A longer time between two ticks, by the wall clock, is a downtime. Milliseconds. */
const downtimeAfterMs = 2000;

/** Returns the schedule of a dataset of an account; null if it is switched off. */
export type ScheduleOf = (account: string, dataset: DatasetName) => Pattern | null;

/**
 * Returns the schedule of each account. With phases the slots of patterns of five fields are in a second of the minute that follows
 * from the name of the account, so that not all accounts are due in the same second. Public data has none.
 */
export function schedulesOf(
  patterns: Readonly<Record<DatasetName, Pattern | null>>,
  { hasPhases }: { hasPhases: boolean },
): ScheduleOf {
  return (account, dataset) => {
    const pattern = patterns[dataset] ?? null;
    if (pattern === null || !hasPhases || account === publicAccount) return pattern;
    return inSecond(pattern, hashOf(account) % 60);
  };
}

/** Returns the next step for a series at `now` (epoch ms); null if nothing is due. */
export function nextStep(series: SeriesState, presence: Presence, now: number): Step | null {
  const { inForce, wanted } = series;
  if (inForce?.text === wanted?.text) return inForce && stepInForce(series, inForce, presence, now);
  if (!inForce || !wanted || !differInSecondOnly(inForce, wanted)) return stepToSchedule(series, presence, now);
  return stepWithinMinute(series, { inForce, wanted }, presence, now);
}

/**
 * Returns the step of a series whose slots the settings move within their minute, as a second account does: each slot of one pattern
 * has its place in the other, and is run or closed once, in one of them.
 */
function stepWithinMinute(
  series: SeriesState,
  { inForce, wanted }: { inForce: Pattern; wanted: Pattern },
  presence: Presence,
  now: number,
): Step | null {
  const { processedThrough } = series;
  const slot = wanted.latest(now);
  if (inForce.second < wanted.second) {
    const isProcessed = inForce.latest(slot) <= processedThrough && processedThrough <= slot;
    if (isProcessed) return { kind: "schedule", pattern: wanted, from: slot };
    return stepInForce(series, inForce, presence, now);
  }
  const step = stepInForce(series, inForce, presence, now);
  // The last slot is still to come in the old pattern. It is run in the new one if there is time for it.
  const isNext = slot > inForce.latest(now);
  const isLost = isNext && (slot <= processedThrough || now - slot > graceAt(wanted, slot));
  return step || isLost ? step : { kind: "schedule", pattern: wanted, from: processedThrough };
}

/** Returns the pattern by which a series has its next run at `now` (epoch ms); null if it has none. */
export function patternToRun({ inForce, wanted, processedThrough }: SeriesState, now: number): Pattern | null {
  if (!inForce || !wanted || !differInSecondOnly(inForce, wanted)) return wanted ?? inForce;
  return inForce.second > wanted.second && inForce.latest(now) <= processedThrough ? wanted : inForce;
}

function stepInForce(series: SeriesState, inForce: Pattern, presence: Presence, now: number): Step | null {
  const { since } = series;
  const slot = inForce.latest(now);
  if (slot === series.lastSlot) return null;
  const { behindMs } = presence;
  // The clock was wrong when this schedule was recorded: it begins again now.
  if (now + behindMs + (behindMs > 0 ? clockToleranceMs : 0) < since)
    return { kind: "schedule", pattern: inForce, from: now };
  const isTooLate = now - slot > graceAt(inForce, slot);
  const slots = unrunSlots(series, inForce, presence, isTooLate ? slot : slot - 1);
  if (slots.length > 0) return { kind: "close", slots };
  return isTooLate || slot <= since ? null : { kind: "run", slot };
}

/**
 * Returns the step towards the schedule of the settings. The old schedule was in force until this program started, so its slots are
 * closed first. A schedule that replaces none begins by the later of the two clocks, so that none of its slots is in the past
 * once our clock is corrected. Returns null if that time has not come.
 */
function stepToSchedule(series: SeriesState, presence: Presence, now: number): Step | null {
  const { inForce, wanted, wantedFrom = 0, notBefore = 0 } = series;
  if (now < notBefore) return null;
  const from = Math.max(presence.effectiveAt, wantedFrom, notBefore) + (inForce ? 0 : presence.behindMs);
  const slots = inForce ? unrunSlots(series, inForce, presence, from) : [];
  return slots.length > 0 ? { kind: "close", slots } : { kind: "schedule", pattern: wanted, from };
}

/** Returns the slots without a row up to and including `last`, oldest first, at most `maxSlotsPerStep`. */
function unrunSlots(series: SeriesState, pattern: Pattern, presence: Presence, last: number): UnrunSlot[] {
  const slots: UnrunSlot[] = [];
  for (let slot = pattern.next(series.processedThrough); slot <= last; slot = pattern.next(slot)) {
    slots.push({ slot, ...reasonNotRun(slot, series.lastRun, presence) });
    if (slots.length === maxSlotsPerStep) break;
  }
  return slots;
}

/** Returns why a slot was not run. The order matters: spans may overlap, and the first match is the most specific cause. */
function reasonNotRun(slot: number, lastRun: Span, presence: Presence): Omit<UnrunSlot, "slot"> {
  const isIn = ({ from, to }: Span): boolean => slot > from && slot <= to;
  if (isIn(lastRun)) return { state: "skipped", cause: causes.overlap };
  if (slot <= presence.startedAt) return { state: "missed", cause: causes.notRunning };
  if (isIn(presence.unconfirmed)) return { state: "missed", cause: causes.unconfirmed };
  return { state: "missed", cause: presence.downtimes.find(isIn)?.cause ?? causes.tooLate };
}

/**
 * Returns the downtime between two ticks; null if there was none. The wall clock gives its length, the monotonic clock whether the
 * process was running meanwhile (`blocked`) or not (`asleep`).
 */
export function downtimeBetween(before: Instant, after: Instant): Downtime | null {
  const gap = after.wall - before.wall;
  if (gap <= downtimeAfterMs) return null;
  const ran = after.monotonic - before.monotonic > gap / 2;
  return { from: before.wall, to: after.wall, cause: ran ? causes.blocked : causes.asleep };
}
