/**
 * Defines the interface through which the dashboard, reports, exports and commands read the history of one database file, with a file per
 * subject. Amounts are decimal strings, times are epoch ms UTC, and null is unknown, unless stated otherwise.
 */
import type { ApiVersion, DecimalString, Row } from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Message, OpenAlert, Published, StoredSnapshot } from "./alerts/alert-store.ts";
import type { EpisodeHistory } from "./history/episodes.ts";
import type { LedgerHistory } from "./history/ledger.ts";
import type { RunHistory } from "./history/runs.ts";
import type { SnapshotHistory } from "./history/snapshots.ts";

export * from "./history/episodes.ts";
export type * from "./history/ledger.ts";
export * from "./history/runs.ts";
export type * from "./history/series.ts";
export type * from "./history/snapshots.ts";
export type * from "./history/span.ts";

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

/** The newest link of the chain. */
export interface ChainEnd {
  /** SHA-256, in hexadecimal digits. */
  digest: string;
  /** When the newest run ended that has a link, by the clock of the machine that ran it (epoch ms); null if no run has one. */
  at: number | null;
}

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

/** Reads the state of alerts. */
export interface AlertHistory {
  /** Returns the open alerts, oldest first. */
  openAlerts(): OpenAlert[];
  /** Returns the last `limit` notifications that are selected, newest first. */
  lastMessages(limit: number, selected?: SelectedMessages): Message[];
  /** Returns the last snapshot, good or failed, of each scope that is still requested on a schedule. */
  lastSnapshots(): StoredSnapshot[];
  /** Returns the settings of the processes that evaluate alerts, each as of its last start; empty where none has stored them. */
  publishedSettings(): Published[];
  /** Returns the rows of a good snapshot, by the column names of its history view. */
  snapshotRows(dataset: Dataset, snapshotId: number): Row[];
}

/** Which notifications are read: up to an instant (epoch ms), and those of an account and of the public data. Null selects all. */
export interface SelectedMessages {
  until?: number | null;
  account?: string | null;
}
