/**
 * Defines the interface through which pages, reports, exports and commands read the history of one database file. Amounts are decimal
 * strings, times are epoch ms UTC, and null is unknown, unless stated otherwise.
 */
import type { Paced, Steps } from "../core/async/cooperate.ts";
import type { Pattern } from "../core/cron.ts";
import type { ApiVersion, Cell, DatasetName, DecimalString, Row, RunState } from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Message, OpenAlert, StoredSnapshot } from "./alerts/alert-store.ts";

export interface HistoryReader extends AccountHistory, RunHistory, SnapshotHistory, EpisodeHistory, AlertHistory {
  readonly path: string;
  /** Holds the history as it is for everything that is read until the returned function is called. */
  hold(): () => void;
  /** Returns a number that changes after each commit of another connection. */
  version(): number;
  /** Returns where the history ends now. */
  mark(): Mark;
  /** Returns whether everything read at the mark is still valid: the file is the same, and nothing was pruned or corrected since. */
  isUnchangedSince(mark: Mark): boolean;
  close(): void;
}

/** The end of a history: what is stored later comes after it. */
export interface Mark {
  file: string | null;
  link: number;
}

/** A stretch of time from `from` on and before `to`. Epoch ms. */
export interface Span {
  from: number;
  to: number;
}

/** A row by the names of the columns of its view. */
export type HistoryRow = Readonly<Record<string, Cell>>;

export interface AccountHistory {
  /** Returns the names of all accounts ever recorded, in that order; public data belong to none. */
  accounts(): string[];
  /** Returns the accounts that had been removed from the settings by an instant. */
  accountsRemovedAt(at: number): string[];
  /** Returns the API version that an account used; null if it was not known then. */
  apiVersionAt(account: string, at: number): ApiVersion | null;
  /** Returns the last equities of an account up to an instant that were known in whole, newest first, over three slots at most. */
  lastCompleteEquities(account: string, at: number): { slot: number; value: DecimalString }[];
}

export interface RunHistory {
  /** Returns every series ever recorded, of one account or (null) of all, in the order in which they are stored. */
  series(account: string | null): Series[];
  /** Returns the schedules that a series ever had, in the order of time. */
  schedules(seriesId: number): SchedulePeriod[];
  /** Returns the first slot of any run; null before there is one. */
  firstSlot(): number | null;
  /** Returns whether any slot of the span, scheduled or manual, has a run. */
  hasRuns(span: Span): boolean;
  /**
   * Returns the first slot, of any series or of some, that has no final row yet: nothing will be added to what is known of those before
   * it. Infinity where nothing is scheduled.
   */
  firstOpenSlot(seriesIds?: readonly number[]): number;
  /** Counts the due slots of a span by outcome, as of `now`. Manual runs are not due. */
  countSlots(seriesId: number, span: Span, now: number): Steps<SlotCounts>;
  /**
   * Returns the series with a schedule in force, now or (`at`) at an instant. Datasets that are switched off and accounts that left
   * the settings have none from the next start of the daemon on.
   */
  scheduled(at?: number | null): ScheduledSeries[];
  /** Returns the state of everything that is scheduled, at `now`, the present. Reads a few rows, however long the history. */
  freshness(now: number): Freshness[];
  /** Returns the state of a series at `now`, the present: where the clock is behind what is stored, it is not fresh. */
  freshnessNow(series: ScheduledSeries, now: number): Freshness;
  /** Returns the state of a series as it was at an instant. */
  freshnessAt(series: ScheduledSeries, at: number): Freshness;
  /** Returns the state of everything that is scheduled, at `now`, with its coverage and its failures. */
  status(now: number): SeriesStatus[];
  /** Returns what is wrong with the last run, if anything. */
  openFailures(freshness: Freshness): OpenFailure[];
  /** Returns the last slot up to `at` that did not end well; null where every slot did. */
  lastFailure(seriesId: number, at: number): LastFailure | null;
  /**
   * Yields the gaps that lie in a stretch or reach into it (both ends included), those that begin last first: of an account and the
   * public data, or (null) of all. Reads little more than what is taken.
   */
  gaps(account: string | null, span: Span): Iterable<NamedGap>;
}

/** One dataset of one account, from its first schedule or run on. */
export interface Series {
  id: number;
  account: string;
  dataset: DatasetName;
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
  /** Every slot up to here has its row. */
  processedThrough: number;
}

/** A schedule that is or was in force: for the slots after `since`, up to and with `until`. */
export interface SchedulePeriod {
  pattern: Pattern;
  since: number;
  until: number;
}

export interface SlotCounts {
  due: number;
  ok: number;
  partial: number;
  failed: number;
  missed: number;
  skipped: number;
  /** Slots that were not complete, by their cause, the most frequent first. */
  causes: [cause: string, slots: number][];
  /** A schedule was in force at every instant. */
  alwaysScheduled: boolean;
  /** False where the account's API version has no such data. */
  offered: boolean;
}

export interface Freshness {
  account: string;
  dataset: DatasetName;
  /** The cron pattern in force, UTC. */
  schedule: string;
  /** The slot of the last run that was complete; null before the first. */
  lastOkAt: number | null;
  /** Since the last complete run. Milliseconds. */
  ageMs: number | null;
  nextAt: number;
  /** When this schedule came into force. */
  since: number;
  /** False where both the last complete run and the beginning of the schedule are no longer current (`freshUntil`). */
  fresh: boolean;
  /** When it becomes or became stale; null where no run is due. */
  staleAt: number | null;
  /** The account's API version has no such data; nothing is missing. */
  offered: boolean;
  /** The newest run that has ended. */
  last: LastRun | null;
}

export interface LastRun {
  id: number;
  slot: number;
  state: RunState;
  cause: string | null;
}

export interface SeriesStatus extends Freshness {
  /** Share of the due slots with a complete run, from 0 to 1; null where none was due. */
  coverage: { day: number | null; week: number | null; month: number | null };
  /** What is wrong with the last run, if anything. */
  failures: OpenFailure[];
  /** The first slot that has no row yet. */
  firstUnprocessedSlot: number;
}

export interface OpenFailure {
  productType: string | null;
  code: string;
  message: string;
}

export interface LastFailure {
  slot: number;
  state: RunState;
  cause: string | null;
  /** The messages of the failed snapshots, with their product types. */
  messages: string[];
}

export interface NamedGap {
  account: string;
  dataset: DatasetName;
  /** Null where the gap is one of whole runs, or of a dataset without product types. */
  productType: string | null;
  fromSlot: number;
  toSlot: number;
  slots: number;
  cause: string;
}

export interface SnapshotHistory {
  /** Returns the names of the columns of a dataset's history view. */
  columns(dataset: Dataset): string[];
  /** Returns what a dataset held at an instant; a few steps down an index for each scope and item. */
  asOf(dataset: Dataset, filter: Filter, instant: number): AsOf;
  /** Returns when the first snapshot of a scope was taken, good or failed; null where there is none. */
  firstTaken(dataset: Dataset, account: string, productType: string | null): number | null;
  /**
   * Yields rows of the history view, or only those that differ from the previous row of the same item, in ascending order; with
   * `newest`, only that many of the last ones.
   */
  rows(dataset: Dataset, filter: Filter, span: Span, only?: { newest?: number; changes?: boolean }): Iterable<Cell[]>;
  /** Yields the rows of a snapshot at a time in the order of `snapshot_id`; within one, of their keys, character by character. */
  scan<T>(dataset: Dataset, span: Span, form: RowFormat<T>): Iterable<T[][]>;
  /** Counts the rows of a scan; it reads every snapshot. */
  countRows(dataset: Dataset, span: Span): number;
  /**
   * Yields rows of an account, the newest first, each from a snapshot in which the item was new or other than before. `filter` names
   * the item by product type and key. @throws RangeError where it names another column
   */
  latestChanges(dataset: Dataset, account: string | null, filter: ColumnValues, span: Span): Paced<HistoryRow>;
  /** Finds items by their keys; one for each scope that has such an item. */
  items(dataset: Dataset, account: string, productType: string | null, keys: ColumnValues): ItemRef[];
  /**
   * Yields an item over all good snapshots of its scope, whether they show it or not, by `taken_at`. `valueFrom` makes a value of the
   * cells of `columns`; it is called once for as long as the item stays the same.
   */
  points<T>(
    dataset: Dataset,
    item: ItemRef,
    span: Span,
    columns: readonly string[],
    valueFrom: (cells: ItemCells) => T,
  ): Generator<ItemPoint<T>, void>;
  /** Returns the UTC days of an account of which snapshots of the dataset were pruned, as their midnights. */
  prunedDays(dataset: Dataset, account: string): number[];
}

/** Columns of a history view that rows can be chosen by. */
export type Filter = Readonly<Partial<Record<"account" | "coin" | "symbol" | "product_type", string>>>;

/** Values by the names of the history view's columns. */
export type ColumnValues = Readonly<Record<string, string>>;

/** What is known of one scope at an instant. Milliseconds; `ageMs` is null before the first good snapshot. */
export interface ScopeAsOf {
  account: string;
  productType: string | null;
  takenAt: number | null;
  ageMs: number | null;
  /** From the slot of that snapshot to the second one after it by the schedule then in force; null without schedule or snapshot. */
  maxAgeMs: number | null;
  /** False where the last good snapshot is none or too old to speak for the instant; there are no rows then. */
  known: boolean;
}

export interface AsOf {
  columns: string[];
  scopes: ScopeAsOf[];
  rows: Cell[][];
}

/** What scanned rows consist of. */
export interface RowFormat<T> {
  /** Converts a cell; it is called once for as long as the cell stays the same. */
  cell(cell: Cell, column: string): T;
  /** Makes one of neighbouring cells that change together, of which rows then consist; without it, cells stay apart. */
  join?: (cells: readonly T[]) => T;
}

/** An item in a scope. */
export interface ItemRef {
  /** Null where no such item was ever recorded. */
  itemId: number | null;
  scopeId: number;
  seriesId: number;
}

/** The cells of an item in the order of the requested columns; null where the snapshot does not show it. */
export type ItemCells = readonly Cell[] | null;

export interface ItemPoint<T> {
  /** When its run was due, and when the exchange answered. */
  slot: number;
  at: number;
  value: T;
}

export interface EpisodeHistory {
  /** Yields the episodes that have a part in the stretch, the first seen first: of an account, or (null) of all. */
  episodes(account: string | null, span: Span): Iterable<HistoryRow>;
  /** Yields the episodes that were over at an instant, the last seen to begin first. */
  closedEpisodes(account: string | null, at: number): Iterable<HistoryRow>;
  /**
   * Returns the episode of a position that was first seen at an instant (ISO 8601), or (null) the newest one by `at`; undefined where
   * there is none. `position` has the columns of `positionKey`.
   */
  episodeOf(position: ColumnValues, firstSeenAt: string | null, at: number): HistoryRow | undefined;
}

/** The columns that identify a position. */
export const positionKey = ["account", "product_type", "symbol", "margin_coin", "hold_side", "margin_mode"] as const;

export interface AlertHistory {
  /** Returns the open alerts, oldest first. */
  openAlerts(): OpenAlert[];
  /** Returns the last `limit` notifications, newest first. */
  lastMessages(limit: number): Message[];
  /** Returns the last snapshot, good or not, of each scope that is still requested on a schedule. */
  lastSnapshots(): StoredSnapshot[];
  /** Returns what a good snapshot holds, by the column names of its history view. */
  snapshotRows(dataset: Dataset, snapshotId: number): Row[];
}
