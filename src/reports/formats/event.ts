/** Defines what a tax program imports: one event of an account, with what was received, sent and paid as a fee. */
import type { DecimalString } from "../../core/domain.ts";
import type { BookEntry } from "../books/entry.ts";

/** What happened. Everything but a trade has either `received` or `sent`. */
export type EventKind =
  | "trade"
  /** From or to outside the exchange. */
  | "deposit"
  | "withdrawal"
  /** From or to another account, or a wallet without a ledger such as a bot or Earn. */
  | "transfer"
  /** A realised result of futures before fees, in the margin coin. */
  | "result"
  /** A fee of futures, or its rebate. */
  | "futures fee"
  | "funding"
  | "fee"
  | "interest"
  | "borrow"
  | "repay"
  | "reward"
  /** The exchange's type is not known. */
  | "other";

/** A positive amount of a coin. */
export interface Money {
  coin: string;
  amount: DecimalString;
}

export interface BookEvent {
  kind: EventKind;
  /** Epoch ms. */
  at: number;
  account: string;
  received: Money | null;
  sent: Money | null;
  /** Beside what was received and sent: both are without it. */
  fee: Money | null;
  /** The exchange's own text, the instrument and the id of the first entry. */
  type: string;
  symbol: string | null;
  id: string;
}

/** Entries that no event contains, and why. */
export interface LeftOut {
  reason: string;
  entries: readonly BookEntry[];
}

export const isLeftOut = (one: BookEvent | LeftOut): one is LeftOut => "reason" in one;
