/** Defines a line of the books: one change of a balance. */
import type { Cell, DecimalString } from "../../core/domain.ts";
import { instantText } from "../../queries/close.ts";

/** Where a line of the books was read. */
export type EntrySource = "bills" | "deposits" | "withdrawals" | "transfers" | "fills";

/** One change of a balance. `change` is the sum of `amount` and `fee`; null is unknown. */
export interface BookEntry {
  /** Epoch ms. */
  at: number;
  account: string;
  wallet: string;
  /** The list that it is in: the wallet, or a category of the unified wallet such as `unified/SPOT`. */
  category: string;
  kind: string;
  /** The exchange's own text for what happened. */
  type: string;
  coin: string;
  /** Signed, without the fee. */
  amount: DecimalString | null;
  /** Negative if paid. */
  fee: DecimalString | null;
  change: DecimalString | null;
  /** The balance after it. */
  balance: DecimalString | null;
  symbol: string | null;
  orderId: string | null;
  /** The exchange's id in the list where it was read. */
  id: string;
  source: EntrySource;
}

export const entryColumns = [
  ...["at", "account", "wallet", "kind", "type", "coin", "amount", "fee", "change", "balance"],
  ...["symbol", "order_id", "id", "source"],
];

/** Returns the cells of `entryColumns`. */
export const entryCells = (entry: BookEntry): Cell[] => [
  ...[instantText(entry.at), entry.account, entry.wallet, entry.kind, entry.type, entry.coin],
  ...[entry.amount, entry.fee, entry.change, entry.balance, entry.symbol, entry.orderId, entry.id, entry.source],
];
