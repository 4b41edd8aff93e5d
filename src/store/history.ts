/**
 * Defines the interface through which the dashboard, reports, exports and commands read the history of one database file. Amounts are
 * decimal strings, times are epoch ms UTC, and null is unknown, unless stated otherwise.
 */
import type { Paced, Steps } from "../core/async/cooperate.ts";
import type { Pattern } from "../core/cron.ts";
import type { ApiVersion, Cell, DatasetName, DecimalString, Row, RunState } from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { AnyDataset } from "../datasets/incremental.ts";
import type { Verdict } from "../reconciliation/verdict.ts";
import type { Message, OpenAlert, StoredSnapshot } from "./alerts/alert-store.ts";

/** Reads the history of one database file, on one connection. */
export interface HistoryReader
  extends AccountHistory,
    RunHistory,
    SnapshotHistory,
    EpisodeHistory,
    LedgerHistory,
    AlertHistory {
  readonly path: string;
  /** Begins a read transaction: all reads see the present state until the returned function is called. */
  hold(): () => void;
  /** Returns a number that changes after each commit of another connection. */
  version(): number;
  /** Returns the present end of the history. */
  mark(): Mark;
  /** Returns true if everything read at the mark is still valid: the file is the same, and nothing was pruned or corrected since. */
  isUnchangedSince(mark: Mark): boolean;
  /** Returns the newest link of the chain; null before the first. Of several chains, the one that was continued last. */
  chainEnd(): ChainEnd | null;
  close(): void;
}

/** The end of a history at some time, by which a cache knows what was stored later. */
export interface Mark {
  /** Identifies the file (device and inode); null if it was deleted. */
  file: string | null;
  /** The id of the newest link of the chain; 0 before the first. */
  link: number;
}

/** The time from `from` (inclusive) to `to` (exclusive). Epoch ms. */
export interface Span {
  from: number;
  to: number;
}

/** A row of a view, keyed by column name. */
export type HistoryRow = Readonly<Record<string, Cell>>;

/** Reads the recorded accounts. */
export interface AccountHistory {
  /** Returns the names of all accounts ever recorded, in the order in which they were first recorded, without the public one. */
  accounts(): string[];
  /** Returns the accounts that were no longer in the settings at an instant. */
  accountsRemovedAt(at: number): string[];
  /** Returns the API version that an account used at an instant; null if it was not known then. */
  apiVersionAt(account: string, at: number): ApiVersion | null;
  /** Returns the API versions that an account has had, oldest first. `since`: epoch ms. */
  accountModes(account: string): { api: ApiVersion; since: number }[];
  /** Returns the last complete equities of an account up to an instant, newest first, at most three. USDT. */
  lastCompleteEquities(account: string, at: number): { slot: number; value: DecimalString }[];
}

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
   * public data, or of all accounts (null), with those of records that were found in the span. Reads little more than the caller consumes.
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

/** The newest link of the chain. */
export interface ChainEnd {
  /** SHA-256, in hexadecimal digits. */
  digest: string;
  /** When the newest run ended that has a link, by the clock of the machine that ran it (epoch ms); null if no run has one. */
  at: number | null;
}

/** Which runs are listed: by state; `late`: that began more than a second after their slots; `retried`: with repeated requests. */
export const runFilters = ["all", "ok", "partial", "failed", "missed", "skipped", "late", "retried"] as const;
export type RunFilter = (typeof runFilters)[number];

export interface RunQuery {
  accounts: readonly string[];
  filter: RunFilter;
  /** The latest slot. Epoch ms. */
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

/** The first and the last of neighbouring due slots, epoch ms, and their number. */
export interface SlotRange {
  fromSlot: number;
  toSlot: number;
  slots: number;
}

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

/** A field of the exchange without a column, and when the first and the last new value of it were taken. Epoch ms. */
export interface UnknownField {
  dataset: DatasetName;
  field: string;
  firstAt: number;
  lastAt: number;
}

/** Reads snapshots: as of an instant, over time, and by item; and records, each with its own time. */
export interface SnapshotHistory {
  /** Returns the fields that are kept in `extra` because no column is for them. */
  unknownFields(): UnknownField[];
  /** Returns the column names of a dataset's history view. */
  columns(dataset: AnyDataset): string[];
  /** Returns the column names of the rows that `scan` yields. */
  exportedColumns(dataset: AnyDataset): string[];
  /** Returns the state of a dataset as of an instant. Takes a few index lookups per scope and item. */
  asOf(dataset: Dataset, filter: Filter, instant: number): AsOf;
  /** Returns when the first snapshot of a scope, good or failed, was taken; null if there is none. */
  firstTaken(dataset: Dataset, account: string, productType: string | null): number | null;
  /**
   * Yields rows of the history view in ascending order of time. With `changes`, yields only rows that differ from the previous row of
   * the same item, which records never have; with `newest`, only that many of the last rows.
   */
  rows(
    dataset: AnyDataset,
    filter: Filter,
    span: Span,
    only?: { newest?: number; changes?: boolean },
  ): Iterable<Cell[]>;
  /**
   * Yields the rows of one snapshot at a time, by `snapshot_id`; the rows of a snapshot by their keys, in character order. Records are
   * selected by the time when they were first seen.
   */
  scan<T>(dataset: AnyDataset, span: Span, form: RowFormat<T>): Iterable<T[][]>;
  /** Returns the number of rows that `scan` yields. Reads every snapshot of the span, but no rows. */
  countRows(dataset: AnyDataset, span: Span): number;
  /**
   * Yields the rows of an item, newest first, at which it was new or had changed. `filter` selects the item by product type and key
   * columns. @throws RangeError if it contains another column
   */
  latestChanges(dataset: Dataset, account: string | null, filter: ColumnValues, span: Span): Paced<HistoryRow>;
  /** Returns the recorded items with these values in their key columns; empty if there is none. */
  items(dataset: Dataset, account: string, productType: string | null, keys: ColumnValues): ItemRef[];
  /**
   * Yields one point for each good snapshot of the item's scope by `taken_at`, whether or not it lists the item. `valueFrom` converts
   * the cells of `columns`; it is called only when they change.
   */
  points<T>(
    dataset: Dataset,
    item: ItemRef,
    span: Span,
    columns: readonly string[],
    valueFrom: (cells: ItemCells) => T,
  ): Generator<ItemPoint<T>, void>;
  /** Returns the midnights (UTC) of the days of an account of which snapshots were pruned. */
  prunedDays(dataset: Dataset, account: string): number[];
}

/** Values of columns of a history view by which rows are selected. */
export type Filter = Readonly<Partial<Record<FilterColumn, string>>>;

export type FilterColumn = "account" | "coin" | "symbol" | "product_type" | "wallet" | "type" | "kind";

/** Values, keyed by column name of the history view. */
export type ColumnValues = Readonly<Record<string, string>>;

/** The state of one scope as of an instant. */
export interface ScopeAsOf {
  account: string;
  /** Null for the whole account. */
  productType: string | null;
  /** The time of the last good snapshot before the instant, and its age in milliseconds; null if there is none. */
  takenAt: number | null;
  ageMs: number | null;
  /** Two periods of the schedule in force at that snapshot. Milliseconds; null without a schedule or snapshot. */
  maxAgeMs: number | null;
  /** False if there is no such snapshot, or if it is older than two periods; then the scope has no rows. */
  known: boolean;
}

/** The state of a dataset as of an instant: its scopes, and the rows of the known ones. */
export interface AsOf {
  columns: string[];
  scopes: ScopeAsOf[];
  rows: Cell[][];
}

/** Converts the cells of scanned rows, for example to the text of a file format. */
export interface RowFormat<T> {
  /** Converts a cell; called only when the cell changes. */
  cell(cell: Cell, column: string): T;
  /** Joins adjacent cells that change together into one. Without it, cells are not joined. */
  join?: (cells: readonly T[]) => T;
}

/** An item in a scope. */
export interface ItemRef {
  /** Null if no such item was ever recorded. */
  itemId: number | null;
  scopeId: number;
  seriesId: number;
}

/** The cells of an item in the order of the requested columns; null if the snapshot does not list the item. */
export type ItemCells = readonly Cell[] | null;

/** The value of an item in one snapshot. */
export interface ItemPoint<T> {
  /** The slot of the run, and the time of the snapshot by the exchange's clock. */
  slot: number;
  at: number;
  value: T;
}

/** Reads position episodes. */
export interface EpisodeHistory {
  /** Yields the position episodes that overlap the span, of one account or of all (null), by their first snapshots, oldest first. */
  episodes(account: string | null, span: Span): Iterable<HistoryRow>;
  /** Yields the position episodes that had ended by an instant, the last closed first. */
  closedEpisodes(account: string | null, at: number): Iterable<HistoryRow>;
  /**
   * Returns the episode of a position whose first snapshot was taken at `firstSeenAt` (ISO 8601), or with null the newest one up to
   * `at`; undefined if there is none. `position` has the columns of `positionKey`.
   */
  episodeOf(position: ColumnValues, firstSeenAt: string | null, at: number): HistoryRow | undefined;
}

/** A dataset of an account, or one product type of it, at an instant (epoch ms). */
export interface BalancesAt {
  account: string;
  dataset: string;
  productType: string | null;
  at: number;
}

/** Reads the reconciliation of the exchange's ledger. */
export interface LedgerHistory {
  /** Returns the statement that shows the balances that the ledger proves, also without a snapshot; null where it does not prove all of them. */
  rebuiltBalances(of: BalancesAt): string | null;
  /** Returns the stretches that overlap a span, by account, wallet, coin and time, with the columns of the view `reconciliation`. */
  reconciliation(filter: ReconciliationFilter): { columns: string[]; rows: Cell[][] };
  /** Returns the state of every wallet that has a ledger. */
  ledgerProofs(): WalletProof[];
  /**
   * Yields the entries of one coin in one wallet with a time up to `at` (epoch ms), with the columns of the view `bills`: newest first, in
   * the order in which their balances follow. The first `skip` entries are left out.
   */
  ledgerEntries(chain: LedgerChain, at: number, skip?: number): Iterable<HistoryRow>;
  /** Returns the ledgers that were ever read, of one account or of all (null). */
  ledgers(account: string | null): WalletLedger[];
  /** Yields the entries of a span by their own time, oldest first, of one account or of all (null); of each the newest version. */
  entries(account: string | null, span: Span): Iterable<LedgerEntry>;
  /** Yields the same entries with all that the exchange lists of them; those of one millisecond in the order in which their balances follow. */
  detailedEntries(account: string | null, span: Span): Iterable<DetailedEntry>;
}

/** The ledger of one wallet, and how far it was collected. Times are epoch ms. */
export interface WalletLedger {
  account: string;
  wallet: string;
  /** When the wallet began and ended, because the account was changed to a unified one. */
  from: number;
  to: number;
  /** Where the ledger was not collected, and why. */
  holes: readonly (Span & { cause: string })[];
  /** Up to when it was collected. */
  through: number;
}

/** An entry of the exchange's ledger, with the columns of the view `bills`. */
export interface LedgerEntry {
  account: string;
  wallet: string;
  coin: string;
  /** Epoch ms. */
  at: number;
  kind: string;
  amount: DecimalString | null;
  fee: DecimalString | null;
  /** What it changed the balance by; null if that is unknown. */
  change: DecimalString | null;
}

/** An entry with what identifies it. */
export interface DetailedEntry extends LedgerEntry {
  /** The exchange's id, unique within wallet and category. */
  id: string;
  /** The list that it is in: the wallet, or a category of the unified wallet such as `unified/SPOT`. */
  category: string;
  /** The exchange's own text for what happened; may be empty. */
  type: string;
  /** The balance after it; null is unknown. */
  balance: DecimalString | null;
  symbol: string | null;
  orderId: string | null;
}

/** A coin in a wallet at an instant (epoch ms). */
export interface LedgerRef {
  account: string;
  wallet: string;
  coin: string;
  from: number;
}

/** A stretch in which the entries do not explain the change of the balance; they lack `residual`. */
export interface LedgerBreak extends LedgerRef {
  to: number;
  residual: DecimalString;
}

/** How much of the ledger of a wallet is proven. Wallets without a ledger have none. */
export interface WalletProof {
  account: string;
  wallet: string;
  /** The time from the beginning of its ledger on, the sum over all coins, and the part of it that is proven or rounded. Milliseconds. */
  totalMs: number;
  provenMs: number;
  breaks: number;
  /** The exchange's time of the newest entry (epoch ms); null if there is none. */
  newestAt: number | null;
}

/** Reads the verdicts of the reconciliation. */
export interface LedgerReads {
  /** Returns the breaks of an account, by wallet, coin and time. */
  breaks(account: string): LedgerBreak[];
  /** Returns the verdict on the stretch that contains an instant, not as its end; null if there is none. */
  verdictAt(ref: LedgerRef): Verdict | null;
  /** Returns the state of every wallet that has a ledger. */
  proofs(): WalletProof[];
}

/** One coin in one wallet of one account; the coin in any case. */
export interface LedgerChain {
  account: string;
  wallet: string;
  coin: string;
}

/** Selects stretches; undefined selects all. A coin in any case. */
export interface ReconciliationFilter extends Span {
  account: string | undefined;
  wallet: string | undefined;
  coin: string | undefined;
}

/** The columns that identify a position. */
export const positionKey = ["account", "product_type", "symbol", "margin_coin", "hold_side", "margin_mode"] as const;

/** Reads the state of alerts. */
export interface AlertHistory {
  /** Returns the open alerts, oldest first. */
  openAlerts(): OpenAlert[];
  /** Returns the last `limit` notifications, newest first. */
  lastMessages(limit: number): Message[];
  /** Returns the last snapshot, good or failed, of each scope that is still requested on a schedule. */
  lastSnapshots(): StoredSnapshot[];
  /** Returns the rows of a good snapshot, by the column names of its history view. */
  snapshotRows(dataset: Dataset, snapshotId: number): Row[];
}
