/** Defines the states of a series, which is one dataset of one account: its schedules, slots and freshness. */
import type { Pattern } from "../../core/cron.ts";
import type { DatasetName, RunState } from "../../core/domain.ts";

/** One dataset of one account, from its first schedule or run on. */
export interface Series {
  id: number;
  account: string;
  dataset: DatasetName;
  /** When its first schedule came into force, or its first run was due, whichever is earlier. */
  firstAt: number;
}

/** A series with a schedule in force. */
export interface ScheduledSeries {
  id: number;
  account: string;
  dataset: DatasetName;
  pattern: string;
  /** When this schedule came into force. */
  since: number;
  /** The watermark: every due slot up to here has its row. */
  processedThrough: number;
}

/** A schedule that is or was in force for the slots after `since` up to `until`, which is included; infinity while in force. */
export interface SchedulePeriod {
  pattern: Pattern;
  since: number;
  until: number;
}

/** The first and the last of neighbouring due slots, epoch ms, and their number. */
export interface SlotRange {
  fromSlot: number;
  toSlot: number;
  slots: number;
}

/** The number of due slots of a span, by outcome. */
export interface SlotCounts {
  due: number;
  ok: number;
  partial: number;
  failed: number;
  missed: number;
  skipped: number;
  /** The number of slots without a complete run by cause, the most frequent first. */
  causes: [cause: string, slots: number][];
  /** True if a schedule was in force throughout the span. */
  alwaysScheduled: boolean;
  /** False if the account's API version does not offer the dataset. */
  offered: boolean;
}

/** The state of a series at an instant. */
export interface Freshness {
  account: string;
  dataset: DatasetName;
  /** The cron pattern in force, UTC. */
  schedule: string;
  /** The slot of the last complete run; null before the first. */
  lastOkAt: number | null;
  /** The time since that slot in milliseconds; null before the first complete run, and while the clock is known to be wrong. */
  ageMs: number | null;
  /** The next slot. */
  nextAt: number;
  /** When this schedule came into force. */
  since: number;
  /** False if both the last complete run and the beginning of the schedule are more than two periods old (`freshUntil`). */
  fresh: boolean;
  /** When it becomes or became stale; null if no run is due. */
  staleAt: number | null;
  /** False if the account's API version does not offer the dataset; then nothing is missing. */
  offered: boolean;
  /** The newest run that has ended; null before the first. */
  last: LastRun | null;
}

/** The newest run of a series that has ended. */
export interface LastRun {
  id: number;
  slot: number;
  state: RunState;
  cause: string | null;
}

/** The state of a series with its coverage, as `status` shows it. */
export interface SeriesStatus extends Freshness {
  /** The share of due slots with a complete run over 1, 7 and 30 days, from 0 to 1; null if none was due. */
  coverage: { day: number | null; week: number | null; month: number | null };
  /** The number of due slots over 30 days, and of those with a complete run. Both are 0 if the dataset is not offered. */
  slots: { ok: number; due: number };
  /** The failed snapshots of the last run; empty if there are none. */
  failures: OpenFailure[];
  /** The first slot that has no row yet. */
  firstUnprocessedSlot: number;
}

/** A failed snapshot of the last run. */
export interface OpenFailure {
  /** Null if the scope is the whole account. */
  productType: string | null;
  code: string;
  message: string;
}

/** The last slot of a series without a complete run. */
export interface LastFailure {
  slot: number;
  state: RunState;
  cause: string | null;
  /** The messages of the failed snapshots, with their product types. */
  messages: string[];
}
