/**
 * Defines the part of the store that keeps the state of alerts, so that a restart continues where the last process ended. Each
 * method is atomic, and resolves when its writes are on disk.
 */
import type { DatasetName, DecimalString, Row } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";

/** A stored snapshot without its rows. */
export interface StoredSnapshot {
  id: number;
  account: string;
  dataset: DatasetName;
  scopeId: number;
  productType: string | null;
  takenAt: number;
  /** Null for a good snapshot. */
  errorCode: string | null;
}

/** An alert that has fired and has not recovered. */
export interface OpenAlert {
  /** Identifies this crossing of the limit. */
  name: string;
  kind: string;
  account: string;
  /** Identifies what it is about, among others of its kind and account. */
  subject: string;
  /** The subject for display. */
  what: string;
  /** Null if it is not about a single scope. */
  scopeId: number | null;
  firedAt: number;
}

/** The state that a message reports. `closed`: the subject is no longer listed, or no longer collected. */
export type AlertState = "fired" | "recovered" | "closed";

/** The state of a message. `log`: it is only logged, since there is no webhook. `given up`: it was too old, one too many, or rejected. */
export type DeliveryState = "pending" | "log" | "delivered" | "given up";

/** A message in the outbox. `value` and `threshold` are decimal strings, null if the rule has none. */
export interface Message {
  /** The order in which messages are sent. */
  id: number;
  /** The name of the alert. */
  alert: string;
  kind: string;
  account: string;
  what: string;
  state: AlertState;
  at: number;
  value: DecimalString | null;
  threshold: DecimalString | null;
  sentence: string;
  delivery: DeliveryState;
  attempts: number;
  /** The time of the next attempt. Epoch ms. */
  nextAt: number;
  /** Why the last attempt failed; null if it did not. */
  problem: string | null;
}

/** A message that is not in the outbox yet. */
export type Notification = Omit<Message, "id" | "attempts" | "nextAt" | "problem">;

/** The outcome of an attempt to send a message. */
export type DeliveryMark = Pick<Message, "delivery" | "attempts" | "nextAt" | "problem">;

/**
 * The id of the last evaluated snapshot, by account. Ids follow the order of commits within an account, but not necessarily across
 * accounts. An account that is missing has not been evaluated yet.
 */
export type AlertPositions = ReadonlyMap<string, number>;

/** A batch of snapshots to evaluate. */
export interface NewSnapshots {
  /** In the order in which they were stored, within each account. */
  snapshots: StoredSnapshot[];
  /** The positions of all accounts once these snapshots have been evaluated. */
  positions: AlertPositions;
  /** True if more snapshots may be left. */
  more: boolean;
}

/** The highest equity of an account in an hour (`hour` is its start in epoch ms, UTC). USDT. */
export interface EquityPeak {
  account: string;
  hour: number;
  equity: DecimalString;
}

/** The changes that result from an evaluation. */
export interface AlertChanges {
  ended: readonly OpenAlert[];
  fired: readonly OpenAlert[];
  messages: readonly Notification[];
  peaks: readonly EquityPeak[];
  /** The id of the last snapshot of the equity whose drawdown was evaluated, by account. */
  drawdowns: readonly { account: string; to: number }[];
  /** `from` is the position as last read or written, null if there was none. */
  positions: readonly { account: string; from: number | null; to: number }[];
}

/** The settings that a process has published. */
export interface Published {
  /** Its name among those that record into one PostgreSQL; "" without. */
  worker: string;
  /** What it has published, which may be from another version. */
  settings: unknown;
}

export const noChanges: AlertChanges = { ended: [], fired: [], messages: [], peaks: [], drawdowns: [], positions: [] };

/** Reads and writes the state of alerts. */
export interface AlertStore {
  /**
   * Of a store that several processes record into: returns whether this one evaluates an account. For the others it returns no
   * snapshots, and leaves their positions as they are. Usually one process evaluates an account; for a short time it may be two.
   */
  isOwn?(account: string): boolean;
  /** Returns the stored positions. The first call sets them to the newest snapshot, so that older ones are not evaluated. */
  begin(): Promise<AlertPositions>;
  /** Returns at most `limit` snapshots after the positions, without imported ones. */
  newSnapshots(after: AlertPositions, limit: number): Promise<NewSnapshots>;
  /** Returns the rows of a good snapshot, by the column names of its history view. */
  rows(dataset: Dataset, snapshotId: number): Promise<Row[]>;
  /** Returns, for each requested scope, the last outcome up to a snapshot that is either good (null) or one of `codes`. */
  lastOutcomes(upTo: StoredSnapshot, codes: readonly string[]): Promise<{ scopeId: number; code: string | null }[]>;
  open(): Promise<OpenAlert[]>;
  /** Returns those of the scopes that are no longer requested, or have no schedule. */
  inactiveScopes(scopeIds: readonly number[]): Promise<number[]>;
  /** Returns the stored peaks of the hours from `from` to `to`, both included (epoch ms). */
  peaks(account: string, from: number, to: number): Promise<EquityPeak[]>;
  /**
   * Returns the id of the last snapshot of the equity whose drawdown was evaluated, by account, without accounts whose snapshots never
   * waited for the exchange's ledger.
   */
  drawdownsTo(): Promise<ReadonlyMap<string, number>>;
  /** Returns the good snapshots of the equity of an account after the one with an id, up to the stored position of the account. */
  waitingEquities(account: string, after: number): Promise<StoredSnapshot[]>;
  /** Returns when one of the coins last had a price, at or after `from` and as of a snapshot (epoch ms); null if none had. */
  pricedUntil(coins: readonly string[], asOf: StoredSnapshot, from: number): Promise<number | null>;
  /** Returns the last price of each coin in USDT as of a snapshot, without coins that never had one. */
  lastPrices(coins: readonly string[], asOf: StoredSnapshot): Promise<{ coin: string; price: DecimalString }[]>;
  /**
   * Writes all of the changes or none. Returns false if they were computed from an outdated state: a position has moved, an ended
   * alert is not open, or a fired one already is.
   */
  record(changes: AlertChanges): Promise<boolean>;
  /** Stores the settings of this process, for those that only show them. Writes nothing where they are stored. */
  publish(settings: object): Promise<void>;
  /** Returns the next message to send; null if none is pending. */
  nextPending(): Promise<Message | null>;
  mark(messageId: number, as: DeliveryMark): Promise<void>;
}
