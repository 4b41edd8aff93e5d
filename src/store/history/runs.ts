/** Defines how runs, gaps and the processes that record are read. */
import type { Steps } from "../../core/async/cooperate.ts";
import type { Cell, DatasetName, RunState } from "../../core/domain.ts";
import type {
  Freshness,
  LastFailure,
  OpenFailure,
  ScheduledSeries,
  SchedulePeriod,
  Series,
  SeriesStatus,
  SlotCounts,
  SlotRange,
} from "./series.ts";
import type { Span } from "./span.ts";

/** Reads schedules, runs and gaps. */
export interface RunHistory {
  /** Returns every series ever recorded, of one account or of all (null), in the order in which they were first recorded. */
  series(account: string | null): Series[];
  /** Returns every schedule that a series has had, oldest first; empty if it was never scheduled. */
  schedules(seriesId: number): SchedulePeriod[];
  /** Returns the slot of the first run; null if there is no run. */
  firstSlot(): number | null;
  /** Returns true if any slot of the span, scheduled or manual, has a run. */
  hasRuns(span: Span): boolean;
  /**
   * Returns the first slot that has no final row yet, of the given series or of all; infinity if nothing is scheduled. The outcomes of
   * all slots before it are final.
   */
  firstOpenSlot(seriesIds?: readonly number[]): number;
  /** Counts the due slots of a span by outcome, as of `now`. Manual runs are not counted. */
  countSlots(seriesId: number, span: Span, now: number): Steps<SlotCounts>;
  /** Returns the due slots of a series that have passed by `now` without a row, as while no process collects; null if there are none. */
  unwrittenSlots(seriesId: number, now: number): Steps<SlotRange | null>;
  /**
   * Returns the series with a schedule in force, now or at the instant `at`. The schedules of a dataset that is switched off, and of
   * an account that was removed from the settings, end with the next start of the daemon.
   */
  scheduled(at?: number | null): ScheduledSeries[];
  /** Returns the state of every scheduled series at `now`, the present time. Reads a few rows per series, however long the history is. */
  freshness(now: number): Freshness[];
  /** Returns the state of a series at `now`, the present time. It is not fresh if the clock is behind the last slot on record. */
  freshnessNow(series: ScheduledSeries, now: number): Freshness;
  /** Returns the state of a series as it was at an instant. */
  freshnessAt(series: ScheduledSeries, at: number): Freshness;
  /** Returns the state of every scheduled series at `now`, with coverage and failures. */
  status(now: number): SeriesStatus[];
  /** Returns the failed snapshots of the last run; empty if there are none. */
  openFailures(freshness: Freshness): OpenFailure[];
  /** Returns the last slot up to `at` without a complete run, and why; null if every slot had one. */
  lastFailure(seriesId: number, at: number): LastFailure | null;
  /**
   * Yields the gaps that overlap a span (here `to` is inclusive) in descending order of their first slots, of one account and the
   * public data, or of all accounts (null), with those of records that were found in the span. One that lasts beyond the span has its slots
   * until the end of it. Reads little more than the caller consumes.
   */
  gaps(account: string | null, span: Span): Iterable<NamedGap>;
  /** Returns those of the gaps that are stretches without records: deleted before they were read, or not collected. */
  recordGaps(account: string | null, span: Span): NamedGap[];
  /** Returns our clock minus the exchange's by the newest run up to an instant, ms; null if no recent run measured it. */
  clockSkew(at: number): number | null;
  /** Returns the newest runs that a filter selects, newest first, with the messages of their failed snapshots. */
  runs(query: RunQuery): ListedRun[];
  /** Returns the newest rows of the view `runs`, or of the gaps that overlap the span, oldest first. */
  list(view: "runs" | "gaps", filter: ListFilter, newest: number): Listed;
  /** Returns the processes that record into the PostgreSQL of which the file is a mirror, by name; empty if it is none. */
  workers(now: number): WorkerStatus[];
}

/** Which runs are listed: by state; `late`: that began more than a second after their slots; `retried`: with repeated requests. */
export const runFilters = ["all", "ok", "partial", "failed", "missed", "skipped", "late", "retried"] as const;
export type RunFilter = (typeof runFilters)[number];

export interface RunQuery {
  accounts: readonly string[];
  filter: RunFilter;
  /** Runs that ended later, and slots after it, are left out. Epoch ms. */
  at: number;
  limit: number;
}

/** A run as it ended. Times in milliseconds; null where nothing ran. */
export interface ListedRun {
  account: string;
  dataset: DatasetName;
  slot: number;
  state: RunState;
  cause: string | null;
  lateMs: number | null;
  tookMs: number | null;
  requests: number | null;
  retries: number | null;
  rows: number | null;
  /** Of its failed snapshots. */
  messages: readonly string[];
}

/** Selects runs by their slots, or gaps. Undefined selects all; only runs have a state. */
export interface ListFilter extends Span {
  account?: string | undefined;
  dataset?: string | undefined;
  state?: string | undefined;
}

/** Rows of a view. */
export interface Listed {
  columns: string[];
  rows: Cell[][];
}

/** A gap with the names of its series. */
export interface NamedGap {
  account: string;
  dataset: DatasetName;
  /** Null if whole runs are missing, or if the dataset has no product types. */
  productType: string | null;
  /** The first slot, and the last one; null while a dataset is switched off. */
  fromSlot: number;
  toSlot: number | null;
  slots: number;
  cause: string;
}

/** A process that records into a PostgreSQL, perhaps beside others. Times are by the clock of that database. */
export interface WorkerStatus {
  name: string;
  /** `gone`: it ended without saying so, or does not reach the database. `unknown`: the mirror is too old to say. */
  state: "live" | "gone" | "unknown";
  /** When it was last seen, epoch ms, and the time since then, milliseconds. */
  seenAt: number;
  ageMs: number;
  version: string;
  /** The number of accounts whose keys it has. */
  accounts: number;
  /** The number of its runs in flight; null where the state is unknown. */
  running: number | null;
  /** Until when it leaves its accounts to others, epoch ms; null where it does not. */
  pausedUntil: number | null;
}
