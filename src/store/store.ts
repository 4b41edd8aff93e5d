/** The contract that collection writes through. */
import type {
  ApiVersion,
  DatasetName,
  FailedSnapshot,
  Known,
  Reading,
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
  /** Nothing was asked, on purpose. */
  skipped: boolean;
  /** In a word: why it failed, was skipped, was late. Default: the code of the first failure. */
  cause: string | null;
  finishedAt: number;
  requests: number;
  retries: number;
  /** Between the first and the last answer; null with fewer than two. */
  spreadMs: number | null;
  /** Our clock minus the exchange's, as it was known to the run; null where they had not been compared. */
  skewMs: number | null;
}

/** What became of a run: a snapshot that could not be kept as it was is among the failures. */
export interface RunOutcome {
  state: RunState;
  failures: readonly FailedSnapshot[];
  /** Ids of records that had been stored with another content, which is kept beside the new one. */
  changed?: readonly string[];
}

/**
 * What collection needs of a database. A method is atomic by itself and resolves when what it writes is on disk; it rejects with a
 * StorageError where that is not so. The suite in test/store/contract.ts holds every implementation to it.
 */
export interface Store {
  /** The API generation the account last spoke; null if never known. */
  apiVersion(account: string): Promise<ApiVersion | null>;
  /** Each change is kept, with its cause. */
  setApiVersion(account: string, api: ApiVersion, at: number, cause: string): Promise<void>;
  /** Null where it was never scheduled, or is switched off. */
  schedule(account: string, dataset: DatasetName): Promise<ScheduleInForce | null>;
  /** The names of every account there ever was. */
  accounts(): Promise<string[]>;
  /** Puts another pattern (null: off) in force from `at`, which `accountedTo` becomes. */
  setSchedule(account: string, dataset: DatasetName, pattern: string | null, at: number): Promise<void>;
  /** True where the slot has its row in the ledger: a run of any state, or why there was none. */
  hasRun(account: string, dataset: DatasetName, slot: number): Promise<boolean>;
  /** Gives slots that nobody will run any more their final row; those that have a row keep it. */
  closeSlots(account: string, dataset: DatasetName, slots: readonly UnrunSlot[]): Promise<void>;
  /**
   * Claims a slot. Null when it has a row already, unless that is `missed`: the clock may have been set back. A slot of the
   * schedule moves `accountedTo`; a run on demand says nothing about the slots before it.
   */
  begin(
    account: string,
    dataset: DatasetName,
    slot: number,
    startedAt: number,
    trigger?: Trigger,
  ): Promise<RunId | null>;
  /** Stores rows, snapshots and the run's end, all or nothing. A run that has ended keeps its state, which is returned. */
  finish(run: RunId, end: RunEnd): Promise<RunOutcome>;
  /** Runs left `running` by a dead process become `failed`, cause `crashed`; when they ended is unknown. Returns how many. */
  recover(): Promise<number>;
  /** The scopes of an account that are still asked, whether or not there was ever an answer. */
  asked(dataset: Dataset, account: string): Promise<Scope[]>;
  /** Rows of the last good snapshot of every scope still asked, of one account or of all. */
  latest(dataset: Dataset, account?: string): Promise<Known[]>;
  /** How far a scope of an incremental dataset was read; null where it never was. */
  reading(account: string, dataset: DatasetName, scope: Scope): Promise<Reading | null>;
  /** The state of alerts. */
  readonly alerts: AlertStore;
  /** Whether each dataset that is scheduled is up to date, at `now`. */
  freshness(now: number): Promise<Freshness[]>;
  /** Throws a SpaceError where the disk has too little room for another run. */
  requireRoom(): void;
  close(): void;
}
