/** The holdings of one simulated account. */
import type { IsolatedPair, ProductType } from "../../core/domain.ts";
import { LedgerBook } from "../ledger/book.ts";
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

/** A pair of isolated margin: what it holds by coin, and how much of it is borrowed. */
export interface MarginPair {
  held: Map<string, Amount>;
  /** In USDT. */
  borrowed: Amount;
}

export interface AccountState {
  spot: Map<string, Holding>;
  funding: Map<string, Amount>;
  /** Futures balances by product type and margin coin; an unused product type has none. */
  wallets: Map<ProductType, Map<string, Amount>>;
  positions: Position[];
  /** The product types that this account trades. */
  productTypes: readonly ProductType[];
  book: LedgerBook;
  /** Decimal places of balances, at most 16. Responses have at most 8. */
  places: number;
  /** True for an account that also withdraws, moves money between wallets, converts, and pays fees in BGB. */
  hasCashFlows: boolean;
  /** True for an account in one-way mode, with at most one position per contract. */
  isOneWay: boolean;
  /** The contracts that its plan alone trades; null for an account without a plan. */
  planned: ReadonlySet<string> | null;
  /** Null for an account that does not use isolated margin. */
  margin: Map<IsolatedPair, MarginPair> | null;
  /** Money that a unified account has in its funding wallet, while it is counted here as spot. */
  passing: Passing[];
  /** Changes at a later time, in no particular order. */
  later: { at: number; run(): void }[];
}

export interface Passing {
  coin: string;
  amount: Amount;
  isFrozen: boolean;
  /** From then on it is in the funding wallet no longer. Epoch ms. */
  until: number;
}

/** Returns the state of an account that has nothing. */
export const emptyState = ({
  places = 8,
  hasCashFlows = false,
  usesMargin = false,
  isOneWay = false,
} = {}): AccountState => ({
  spot: new Map(),
  funding: new Map(),
  wallets: new Map(),
  positions: [],
  productTypes: [],
  book: new LedgerBook(),
  places,
  hasCashFlows,
  isOneWay,
  planned: null,
  margin: usesMargin ? new Map() : null,
  passing: [],
  later: [],
});
