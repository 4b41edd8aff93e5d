/** What one simulated account holds. */
import type { ProductType } from "../../core/domain.ts";
import type { Amount } from "../market/amount.ts";
import type { Position } from "./position.ts";

export interface Holding {
  available: Amount;
  /** In open orders. */
  frozen: Amount;
  /** Locked up, staked. */
  locked: Amount;
  updatedAt: number;
}

export interface Life {
  spot: Map<string, Holding>;
  funding: Map<string, Amount>;
  /** Futures wallets by product line and margin coin; a line never used has none. */
  wallets: Map<ProductType, Map<string, Amount>>;
  positions: Position[];
  /** The product lines this account ever trades on. */
  lines: readonly ProductType[];
}
