/** Defines the interface through which collection writes. */
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
import type { Freshness } from "./history.ts";
import type { ScheduleInForce, UnrunSlot } from "./runs/run-ledger.ts";

export type RunId = number;

/** How a run ended. Times are epoch ms, durations milliseconds. */
export interface RunEnd {
  dataset: AnyDataset;
  /** Of an incremental dataset batches of records; one that was cut short has its scope among the failures as well. */
  snapshots: readonly (Snapshot | RecordBatch)[];
  failures: readonly FailedSnapshot[];
  /** No request was made, on purpose. */
  skipped: boolean;
  /** A word for why it failed, was skipped or was late; the codes of failures take its place. */
  cause: string | null;
  finishedAt: number;
  requests: number;
  retries: number;
  /** Between the first and the last response; null with fewer than two. */
  spreadMs: number | null;
  /** Our clock minus the exchange's, as it was known to the run; null where they had not been compared. */
  skewMs: number | null;
}

/** The outcome of a run: a snapshot that could not be stored unchanged is among the failures. */
export interface RunOutcome {
  state: RunState;
  failures: readonly FailedSnapshot[];
  /** Ids of records that had been stored with another content, which is kept beside the new one. */
  changed?: readonly string[];
}

/**
 * The database operations that collection needs. A method is atomic by itself and resolves when what it writes is on disk; it rejects with a
 * StorageError where it could not be written. The suite in test/store/contract.ts holds every implementation to it.
 */
export interface Store {
  /** Returns the API version the account last used; null where that was never known. */
  apiVersion(account: string): Promise<ApiVersion | null>;
  /** Keeps each change, with its cause; the version that is in use already is none. `at` is epoch ms. */
  setApiVersion(account: string, api: ApiVersion, at: number, cause: string): Promise<void>;
  /** Returns null where it was never scheduled, or is switched off. */
  schedule(account: string, dataset: DatasetName): Promise<ScheduleInForce | null>;
  /** Returns the names of all accounts ever recorded. */
  accounts(): Promise<string[]>;
  /** Puts another pattern (null: off) in force from `at` (epoch ms), which `processedThrough` becomes. */
  setSchedule(account: string, dataset: DatasetName, pattern: string | null, at: number): Promise<void>;
  /** Returns true where the slot has a row: a run of any state, or why there was none. */
  hasRun(account: string, dataset: DatasetName, slot: number): Promise<boolean>;
  /** Gives slots that will not be run any more their final row; those that have a row keep it. Moves `processedThrough` up to the last one. */
  closeSlots(account: string, dataset: DatasetName, slots: readonly UnrunSlot[]): Promise<void>;
  /**
   * Claims a slot, of concurrent callers for one. Returns null when it has a row already, unless that is `missed`: the clock may have
   * been set back. A slot of the schedule moves `processedThrough`; a manual run does not affect the slots before it. Where a claim of
   * the schedule cannot be written, the next write closes the slot as missed.
   */
  begin(
    account: string,
    dataset: DatasetName,
    slot: number,
    startedAt: number,
    trigger?: Trigger,
  ): Promise<RunId | null>;
  /**
   * Stores rows, snapshots and the run's end, all or nothing. A run that has ended keeps its state, which is returned. On a StorageError
   * the run continues and the call may be repeated; on any other error the next write ends the run as failed.
   */
  finish(run: RunId, end: RunEnd): Promise<RunOutcome>;
  /** Fails runs that a dead process left `running`, with the cause `crashed`; when they ended is unknown. Returns how many. */
  recover(): Promise<number>;
  /** Returns the scopes of an account that are still requested, whether or not there was ever a response. */
  requestedScopes(dataset: Dataset, account: string): Promise<Scope[]>;
  /** Returns the rows of the last good snapshot of every scope that is still requested, of one account or of all. */
  latest(dataset: Dataset, account?: string): Promise<KnownRows[]>;
  /** Returns how far a scope of an incremental dataset was read; null where it never was. */
  reading(account: string, dataset: DatasetName, scope: Scope): Promise<ReadProgress | null>;
  /** The state of alerts. */
  readonly alerts: AlertStore;
  /** Returns whether each dataset that is scheduled is up to date, at `now` (epoch ms). */
  freshness(now: number): Promise<Freshness[]>;
  /** Throws a SpaceError where the disk has too little room for another run. */
  requireDiskSpace(): void;
  close(): void;
}
