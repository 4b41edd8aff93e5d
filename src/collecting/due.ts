/**
 * What is due, and why a slot was not run. Pure: from how far a series is processed, what the program lived through, and the
 * time, follows the next step. The scheduler takes the step and asks again until there is none.
 */
import { clockTolerance } from "../bitget/clock-check.ts";
import type { Instant } from "../core/clock.ts";
import { graceAt, type Pattern } from "../core/cron.ts";
import { causes } from "../core/domain.ts";
import type { UnrunSlot } from "../store/runs/run-ledger.ts";

/** One dataset of one account, and how far its slots are processed. */
export interface SeriesState {
  /** The schedule that the run ledger goes by, and the one of the settings, which replaces it. Null: none. */
  inForce: Pattern | null;
  wanted: Pattern | null;
  /** The schedule in force was not known before: it has no slot up to here. Epoch ms. */
  since: number;
  /** Every slot up to here has its row. Epoch ms. */
  processedThrough: number;
  /** The slot that this process ran last; NaN: none, or it has to be tried again. Epoch ms. */
  lastSlot: number;
  /** From the slot of the last run to the end of that run: slots in between are skipped. */
  lastRun: Span;
}

/** After `from`, up to and with `to`. Epoch ms. */
export interface Span {
  from: number;
  to: number;
}

/** A span in which nothing could be run, and the cause that its slots are missed for. */
export interface Downtime extends Span {
  cause: string;
}

/** What the program lived through. */
export interface Presence {
  /** When it started, by the clock as the exchange confirmed it. Epoch ms. */
  startedAt: number;
  /** From when on schedules that are new are in force: the start, or the first confirmation where that came later. Epoch ms. */
  effectiveAt: number;
  /** How far the exchange's clock is ahead of ours, where that is too far to begin a history by; else 0. Milliseconds. */
  behindMs: number;
  /** The last span in which the exchange had not confirmed the clock. */
  unconfirmed: Span;
  /** The newest first. */
  downtimes: readonly Downtime[];
}

export type Step =
  /** Gives slots that nobody will run any more their final row. */
  | { kind: "close"; slots: UnrunSlot[] }
  /** Puts another pattern (null: none) in force. `from`: epoch ms. */
  | { kind: "schedule"; pattern: Pattern | null; from: number }
  | { kind: "run"; slot: number };

/** Rows written at once when many slots were missed, so that other writes need not wait long. */
const maxSlotsPerStep = 500;

/** A wall clock that went on for longer than this between two looks at it went on without the program. Milliseconds. */
const downtimeAfterMs = 2000;

/** Returns what has to be done next for a series at `now` (epoch ms); null where nothing is due. */
export function nextStep(series: SeriesState, presence: Presence, now: number): Step | null {
  const { inForce, wanted, since } = series;
  if (inForce?.text !== wanted?.text) return stepToSchedule(series, presence);
  if (inForce === null) return null;
  const slot = inForce.latest(now);
  if (slot === series.lastSlot) return null;
  const { behindMs } = presence;
  // The clock was wrong when this schedule was first seen: it begins again.
  if (now + behindMs + (behindMs > 0 ? clockTolerance : 0) < since)
    return { kind: "schedule", pattern: inForce, from: now };
  const isTooLate = now - slot > graceAt(inForce, slot);
  const slots = unrunSlots(series, inForce, presence, isTooLate ? slot : slot - 1);
  if (slots.length > 0) return { kind: "close", slots };
  return isTooLate || slot <= since ? null : { kind: "run", slot };
}

/**
 * The old schedule was in force until this program started, so its slots are closed before the new one begins. One that replaces
 * none begins by the later of the two clocks: when ours is set right, none of its slots lies in the past.
 */
function stepToSchedule(series: SeriesState, presence: Presence): Step {
  const { inForce, wanted } = series;
  const from = presence.effectiveAt + (inForce ? 0 : presence.behindMs);
  const slots = inForce ? unrunSlots(series, inForce, presence, from) : [];
  return slots.length > 0 ? { kind: "close", slots } : { kind: "schedule", pattern: wanted, from };
}

/** Returns the slots without a row up to and with `last`, the oldest first and as many as a step may have. */
function unrunSlots(series: SeriesState, pattern: Pattern, presence: Presence, last: number): UnrunSlot[] {
  const slots: UnrunSlot[] = [];
  for (let slot = pattern.next(series.processedThrough); slot <= last; slot = pattern.next(slot)) {
    slots.push({ slot, ...reasonNotRun(slot, series.lastRun, presence) });
    if (slots.length === maxSlotsPerStep) break;
  }
  return slots;
}

/** Why nobody ran a slot. The order counts: spans may overlap, and what comes first explains more. */
function reasonNotRun(slot: number, lastRun: Span, presence: Presence): Omit<UnrunSlot, "slot"> {
  const isIn = ({ from, to }: Span): boolean => slot > from && slot <= to;
  if (isIn(lastRun)) return { state: "skipped", cause: causes.overlap };
  if (slot <= presence.startedAt) return { state: "missed", cause: causes.notRunning };
  if (isIn(presence.unconfirmed)) return { state: "missed", cause: causes.unconfirmed };
  return { state: "missed", cause: presence.downtimes.find(isIn)?.cause ?? causes.tooLate };
}

/**
 * Returns the downtime between two looks at the clock, null where there was none. The wall clock says how long it was, the
 * monotonic one whether the program was running.
 */
export function downtimeBetween(before: Instant, after: Instant): Downtime | null {
  const gap = after.wall - before.wall;
  if (gap <= downtimeAfterMs) return null;
  const ran = after.monotonic - before.monotonic > gap / 2;
  return { from: before.wall, to: after.wall, cause: ran ? causes.blocked : causes.asleep };
}
