/** The holdings of one simulated account. */
import type { ProductType } from "../../core/domain.ts";
import type { Amount } from "../market/amount.ts";
import type { Position } from "./position.ts";

export interface Holding {
  available: Amount;
  /** In open orders. */
  frozen: Amount;
  /** Staked or otherwise locked. */
  locked: Amount;
  updatedAt: number;
}

export interface AccountState {
  spot: Map<string, Holding>;
  funding: Map<string, Amount>;
  /** Futures balances by product type and margin coin; an unused product type has none. */
  wallets: Map<ProductType, Map<string, Amount>>;
  positions: Position[];
  /** The product types that this account trades. */
  productTypes: readonly ProductType[];
}
