/**
 * The part of the store contract in which alerts keep their state, so that a restart continues where the last process was. Each
 * method is atomic by itself and resolves when what it writes is on disk.
 */
import type { DatasetName, DecimalString, Row } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";

/** A snapshot as alerts see it. */
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

export interface OpenAlert {
  /** Of this crossing alone. */
  name: string;
  kind: string;
  account: string;
  /** Tells it from others of its kind and account. */
  subject: string;
  /** The same for people. */
  what: string;
  /** Null where no single scope shows it. */
  scopeId: number | null;
  firedAt: number;
}

/** `closed`: what it was about is gone, or is collected no more. */
export type AlertState = "fired" | "recovered" | "closed";

/** `log` is not sent anywhere; `given up` was too old, one too many, or never accepted. */
export type DeliveryState = "pending" | "log" | "delivered" | "given up";

/** A message in the outbox. Amounts and shares are digits; null where there are none. */
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
  /** Not sent before this. Epoch ms. */
  nextAt: number;
  /** Why the last attempt failed. */
  problem: string | null;
}

/** A message that is not in the outbox yet. */
export type Notification = Omit<Message, "id" | "attempts" | "nextAt" | "problem">;

/** What became of an attempt to send a message. */
export type DeliveryMark = Pick<Message, "delivery" | "attempts" | "nextAt" | "problem">;

/**
 * The last snapshot that alerts have evaluated, by account: ids follow the order of commits within an account, and not
 * necessarily across accounts. Of an account that is missing nothing was evaluated yet.
 */
export type AlertPositions = ReadonlyMap<string, number>;

export interface NewSnapshots {
  /** Those of one account in the order in which they were stored. */
  snapshots: StoredSnapshot[];
  /** Where evaluation is when these snapshots are done, for all accounts. */
  positions: AlertPositions;
  /** True where further snapshots may follow. */
  more: boolean;
}

/** The greatest equity of an account in an hour (epoch ms of its beginning, UTC). */
export interface EquityPeak {
  account: string;
  hour: number;
  equity: DecimalString;
}

/** What an evaluation changes. */
export interface AlertChanges {
  ended: readonly OpenAlert[];
  fired: readonly OpenAlert[];
  messages: readonly Notification[];
  peaks: readonly EquityPeak[];
  /** `from` is the position as it was last read or written, null where there was none. */
  positions: readonly { account: string; from: number | null; to: number }[];
}

export const noChanges: AlertChanges = { ended: [], fired: [], messages: [], peaks: [], positions: [] };

export interface AlertStore {
  /** Returns the stored positions. The first time ever, they are behind everything that is stored so far: that is the past. */
  begin(): Promise<AlertPositions>;
  /** Returns at most so many snapshots behind the positions; those of an import are no news and are left out. */
  newSnapshots(after: AlertPositions, limit: number): Promise<NewSnapshots>;
  /** Returns what a good snapshot holds, by the column names of its history view. */
  rows(dataset: Dataset, snapshotId: number): Promise<Row[]>;
  /** Returns, by scope that is still asked, the last outcome up to a snapshot that is good (null) or one of `codes`. */
  lastOutcomes(upTo: StoredSnapshot, codes: readonly string[]): Promise<{ scopeId: number; code: string | null }[]>;
  open(): Promise<OpenAlert[]>;
  /** Returns those of the scopes that are asked no more, or on no schedule. */
  inactiveScopes(scopeIds: readonly number[]): Promise<number[]>;
  /** Returns the known peaks of the hours from `from` to `to`, both included (epoch ms). */
  peaks(account: string, from: number, to: number): Promise<EquityPeak[]>;
  /** Returns when one of the coins last had a price as a snapshot was stored, not before `from`; null where none had. Epoch ms. */
  pricedUntil(coins: readonly string[], asOf: StoredSnapshot, from: number): Promise<number | null>;
  /** Returns the last price in USDT of each coin as a snapshot was stored; a coin that never had one is left out. */
  lastPrices(coins: readonly string[], asOf: StoredSnapshot): Promise<{ coin: string; price: DecimalString }[]>;
  /**
   * Writes all of the changes or none. False where they were worked out from another state than the stored one: a position has
   * moved, an ended alert is not open, or a fired one is.
   */
  record(changes: AlertChanges): Promise<boolean>;
  /** Returns the message to send next, null where none is pending. */
  nextPending(): Promise<Message | null>;
  mark(messageId: number, as: DeliveryMark): Promise<void>;
}
