/** Defines the interface through which the collector writes to the database. */
import type {
  ApiVersion,
  DatasetName,
  FailedSnapshot,
  KnownRows,
  ReadProgress,
  RecordBatch,
  RunState,
  Scope,
  Snapshot,
  Trigger,
} from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { AnyDataset } from "../datasets/incremental.ts";
import type { AlertStore } from "./alerts/alert-store.ts";
import type { Freshness, LedgerReads, WorkerStatus } from "./history.ts";
import type { ScheduleInForce, UnrunSlot } from "./runs/run-ledger.ts";

/** Identifies a run in the database. */
export type RunId = number;

/** How a run ended. Times are epoch ms, durations milliseconds. */
export interface RunEnd {
  dataset: AnyDataset;
  /** Batches of records for an incremental dataset. The scope of a batch that is incomplete is also among the failures. */
  snapshots: readonly (Snapshot | RecordBatch)[];
  failures: readonly FailedSnapshot[];
  /** True if no request was necessary. */
  skipped: boolean;
  /** Why the run failed, was skipped or was late; null if it did not. The codes of failures take precedence. */
  cause: string | null;
  finishedAt: number;
  requests: number;
  retries: number;
  /** The time between the first and the last response; null with fewer than two. */
  spreadMs: number | null;
  /** The clock of this machine minus the exchange's, as last measured; null if they have not been compared. */
  skewMs: number | null;
}

/** The outcome of a run. A snapshot that could not be stored exactly is among the failures. */
export interface RunOutcome {
  state: RunState;
  failures: readonly FailedSnapshot[];
  /** Ids of records that were stored before with different content. Both versions are kept. */
  changed?: readonly string[];
}

/** A slot of a dataset of an account. Epoch ms. */
export interface SeriesSlot {
  account: string;
  dataset: DatasetName;
  slot: number;
}

/**
 * The database operations of the collector. Each method is atomic, and resolves when its writes are on disk; it rejects with a
 * StorageError if they could not be written. test/store/contract.ts tests every implementation.
 */
export interface Store {
  /** Returns the API version that the account last used; null if it was never determined. */
  apiVersion(account: string): Promise<ApiVersion | null>;
  /** Records a change of the API version with its cause; does nothing if the version is in use already. `at` is epoch ms. */
  setApiVersion(account: string, api: ApiVersion, at: number, cause: string): Promise<void>;
  /** Returns the schedule in force; null if the dataset was never scheduled, or is switched off. */
  schedule(account: string, dataset: DatasetName): Promise<ScheduleInForce | null>;
  /** Returns the names of all accounts ever recorded. */
  accounts(): Promise<string[]>;
  /** Replaces the schedule from `at` (epoch ms) on, to which it sets the watermark. A `pattern` of null switches the dataset off. */
  setSchedule(account: string, dataset: DatasetName, pattern: string | null, at: number): Promise<void>;
  /** Returns true if the slot has a row of any state, also one for a slot that was not executed. */
  hasRun(account: string, dataset: DatasetName, slot: number): Promise<boolean>;
  /** Writes the final rows of slots that will not be executed, and moves the watermark to the last one. Slots with a row keep it. */
  closeSlots(account: string, dataset: DatasetName, slots: readonly UnrunSlot[]): Promise<void>;
  /**
   * Claims a slot for one of several concurrent callers, and begins its run. Returns null if the slot already has a row, unless its
   * state is `missed`, because the clock may have been set back. A scheduled run moves the watermark; a manual run does not. If the
   * claim of a scheduled run cannot be written, the next write closes the slot as missed.
   */
  begin(
    account: string,
    dataset: DatasetName,
    slot: number,
    startedAt: number,
    trigger?: Trigger,
  ): Promise<RunId | null>;
  /**
   * Stores rows, snapshots and the end of the run, all or nothing. A run that has ended already keeps its state, which is returned.
   * After a StorageError the run is still open and the call may be repeated; after any other error the next write ends it as failed.
   */
  finish(run: RunId, end: RunEnd): Promise<RunOutcome>;
  /** Fails the runs of a process that ended without finishing them, with the cause `crashed`. Returns their number. */
  recover(): Promise<number>;
  /** Returns the scopes of an account that are still requested, with or without a response so far. */
  requestedScopes(dataset: AnyDataset, account: string): Promise<Scope[]>;
  /** Returns the rows of the last good snapshot of every scope that is still requested, of one account or of all. */
  latest(dataset: Dataset, account?: string): Promise<KnownRows[]>;
  /** Returns how far a scope of an incremental dataset was read; null if it never was. */
  reading(account: string, dataset: DatasetName, scope: Scope): Promise<ReadProgress | null>;
  /** The reconciliation of the exchange's ledger. */
  readonly ledger?: StoreLedger;
  /** The state of alerts. */
  readonly alerts: AlertStore;
  /** Returns the state of every scheduled series at `now` (epoch ms). */
  freshness(now: number): Promise<Freshness[]>;
  /** Throws a SpaceError if the disk has too little space for another run. */
  requireDiskSpace(): void;
  /**
   * Of a store that several processes record into: how they share its slots. Such a process does not end the schedules of accounts that
   * it does not have.
   */
  readonly sharing?: SlotSharing;
  close(): void;
}

/** Reads the verdicts of the reconciliation, from a file or a server. */
type LedgerVerdicts = {
  [Name in keyof LedgerReads]: (...asked: Parameters<LedgerReads[Name]>) => Promise<ReturnType<LedgerReads[Name]>>;
};

/** Reconciles the exchange's ledger, and reads the result. */
export interface StoreLedger extends LedgerVerdicts {
  /**
   * Brings the reconciliation of an account's ledger up to date; `now` is epoch ms.
   * @throws StorageError if the result cannot be stored
   */
  reconcile(account: string, now: number): Promise<void>;
}

/** Decides which of several processes claims a slot, and when. */
export interface SlotSharing {
  /** How many runs a process may have in flight. Slots that wait for one of these to end stay claimable by others. */
  readonly maxRuns: number;
  /** Returns how long after a slot of an account this process may claim it, milliseconds. 0: it is the first one for the account. */
  delayMs(account: string): number;
  /** Returns whether this process is to close the slots of an account, because no live process has its key. */
  isAbandoned(account: string): boolean;
  /** Returns whether other processes are live. */
  hasOthers(): boolean;
  /** Lets the other processes claim slots before this one for `ms`. */
  pause(ms: number): void;
  /** Returns whether each of these slots has a row with its final state. */
  areEnded(slots: readonly SeriesSlot[]): Promise<boolean>;
}

/** A store that was opened at a known place. */
export interface OpenedStore extends Store {
  /** The path of the database file, or server, database and schema in PostgreSQL. */
  readonly path: string;
  /** Whether `path` is a file. */
  readonly isFile: boolean;
  /** Of a store that several processes record into: says that this one has ended, so that the others take its slots over at once. */
  leave?(): Promise<void>;
  /** Of such a store: returns all processes that record into it, by name. */
  workers?(): Promise<WorkerStatus[]>;
  /** Of such a store: returns the processes that have the key of an account, also those that are gone, by name. */
  holders?(account: string): Promise<KeyHolder[]>;
  /**
   * Of such a store: calls `work` while no process that has the key of an account is live, and none can start.
   * @throws LockedError naming one that is live
   */
  withoutHolders?(account: string, work: () => Promise<void>): Promise<void>;
}

/** A process that has the key of an account, and how long ago it was last seen, milliseconds. */
export interface KeyHolder {
  name: string;
  isLive: boolean;
  ageMs: number;
}
