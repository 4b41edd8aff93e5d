/** What the exchange lists beside its ledgers. Amounts in the units of `market/amount.ts`, times epoch ms, ids as text. */

import type { Position } from "../account/position.ts";
import type { Listed } from "../list-faults.ts";
import type { Amount } from "../market/amount.ts";
import type { WalletName } from "./entry.ts";

export interface Fill extends Listed {
  wallet: WalletName;
  orderId: string;
  symbol: string;
  side: "buy" | "sell";
  /** Null for spot. */
  trade: { side: "open" | "close"; position: "long" | "short" } | null;
  price: Amount;
  size: Amount;
  /** Negative when paid. */
  fee: Amount;
  feeCoin: string;
  /** True if the fee was paid in BGB instead of the received coin. */
  isDeduction: boolean;
  /** True for a futures trade in one-way mode. */
  isOneWay: boolean;
  /** The realised profit before the fee; null for spot. */
  profit: Amount | null;
}

/** A position from its opening to its last close. */
export interface ClosedPosition extends Listed {
  wallet: WalletName;
  position: Position;
  closePrice: Amount;
}

/** A deposit or withdrawal. */
export interface Payment extends Listed {
  type: "deposit" | "withdraw";
  coin: string;
  /** Includes the fee. */
  size: Amount;
  /** Negative when paid; zero for deposits. */
  fee: Amount;
  /** When its state is final; `at` is its creation. */
  settledAt: number;
  outcome: "success" | "fail";
}

/** A transfer between wallets of the account; its id is a short number, not a time. */
export interface Transfer extends Listed {
  clientId: string;
  coin: string;
  size: Amount;
  from: WalletName;
  to: WalletName;
}
