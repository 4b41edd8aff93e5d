/** Records what the exchange sent: every response as the rows that a correct history must show. */
import { divide } from "../core/decimal.ts";
import type { DatasetName, ProductType, Scope } from "../core/domain.ts";
import type { Balance, FundingBalance, FuturesAccount, OpenPosition } from "./account/statement.ts";
import type { UnifiedAsset } from "./account/unified.ts";
import { type Mode, typeOf } from "./ledger/entry.ts";
import type { LedgerWallet, Posted } from "./ledger/ledger.ts";
import { digits } from "./market/amount.ts";
import type { Ticker } from "./market/tickers.ts";

/**
 * Columns of the history view, without account, taken_at and snapshot_id. Amounts are digits as sent, times epoch ms, and null
 * means that the API version has no such field. Zero balances and zero positions have no row.
 */
export type TrueRow = Record<string, string | number | null>;

/** The rows that one response must add to the history. */
export interface Truth {
  dataset: DatasetName;
  scope: Scope;
  /** The requested rows: all of the scope, or those of one coin, margin coin or symbol. */
  rows: TrueRow[];
  /** The user id of the sub-account whose rows these are. Default: the rows are those of the account itself. */
  subAccount?: string;
}

/** One data response. A response of v3/assets contains three datasets and makes three entries; prices have the account "public". */
export interface ServedSnapshot extends Truth {
  account: string;
  /** The `requestTime` that was sent. Epoch ms. */
  takenAt: number;
  /** True if a fault changed the response; `rows` is empty then. */
  edited?: true;
}

export const spotRows = (balances: readonly Balance[]): TrueRow[] =>
  balances
    .filter(({ isZero }) => !isZero)
    .map(({ coin, available, frozen, locked }) => ({ coin, available, frozen, locked }));

export const fundingRows = (balances: readonly FundingBalance[]): TrueRow[] =>
  balances.map(({ coin, available, frozen }) => ({ coin, available, frozen: frozen === "" ? null : frozen }));

export const accountRows = (productType: ProductType, accounts: readonly FuturesAccount[]): TrueRow[] =>
  accounts.map((account) => ({
    product_type: productType,
    margin_coin: account.marginCoin,
    available: account.available,
    locked: account.locked,
    equity: account.equity,
    usdt_equity: account.usdtEquity,
    btc_equity: account.btcEquity,
    unrealized_pl: account.unrealized,
    cross_risk_rate: account.riskRate,
  }));

/** Returns the expected rows of positions; `unrealized_plr` is the exchange's ratio in v3, else unrealized_pl / margin to 16 places. */
export const positionRows = (
  version: "v1" | "v2" | "v3",
  productType: ProductType,
  positions: readonly OpenPosition[],
) =>
  positions.map(
    (position): TrueRow => ({
      product_type: productType,
      symbol: position.symbol,
      margin_coin: position.marginCoin,
      hold_side: position.side,
      margin_mode: position.mode,
      open_delegate_count: version === "v3" ? null : position.opening,
      margin: position.margin,
      available: position.available,
      locked: position.locked,
      total: position.total,
      leverage: position.leverage,
      achieved_profits: position.achieved,
      unrealized_pl: position.unrealized,
      unrealized_plr: version === "v3" ? position.profitRate : divide(position.unrealized, position.margin),
      liquidation_price: position.liquidationPrice,
      keep_margin_rate: position.maintenanceRate,
      mark_price: position.mark,
      average_open_price: position.entry,
      opened_at: position.openedAt,
      total_funding: version === "v1" ? null : position.funding,
      deducted_fee: version === "v2" ? position.fees : null,
      open_fee_total: version === "v3" ? paid(position.fees) : null,
      close_fee_total: version === "v3" ? "0" : null,
    }),
  );

/** Returns fees as API v3 sends them: negative when paid. */
export const paid = (fees: string): string => (fees === "0" ? "0" : `-${fees}`);

/** Returns the unified wallet as spot balances: `locked` of v3 is `frozen` in the other versions. */
export const unifiedSpotRows = (assets: readonly UnifiedAsset[]): TrueRow[] =>
  assets.map(({ coin, available, locked, equity }) => ({ coin, available, frozen: locked, locked: null, equity }));

export const unifiedAccountRows = (assets: readonly UnifiedAsset[]): TrueRow[] =>
  assets.map(({ coin, available, locked, equity }) => ({
    product_type: "unified",
    margin_coin: coin,
    available,
    locked,
    equity,
    usdt_equity: null,
    btc_equity: null,
    unrealized_pl: null,
    cross_risk_rate: null,
  }));

/** Returns the prices of all coins with a USDT pair, held or not. */
export const priceRows = (all: readonly Ticker[]): TrueRow[] =>
  all
    .filter(({ symbol }) => symbol.endsWith("USDT"))
    .map(({ symbol, last }) => ({ coin: symbol.slice(0, -"USDT".length), quote: "USDT", price: last }));

/** An entry of an account's ledger, amounts as digits with all their places, times epoch ms. */
export interface TrueEntry {
  wallet: LedgerWallet;
  coin: string;
  id: string;
  at: number;
  /** When the exchange lists it first. */
  visibleAt: number;
  type: string;
  /** Without the fee. */
  amount: string;
  /** Negative when paid. */
  fee: string;
  /** What the balance changed by. */
  change: string;
  balance: string;
}

export const trueEntry = (
  mode: Mode,
  wallet: LedgerWallet,
  { id, at, visibleAt, balance, entry }: Posted,
): TrueEntry => ({
  ...{ wallet, coin: entry.coin, id, at, visibleAt, type: typeOf(entry, mode) },
  amount: digits(entry.amount),
  fee: digits(entry.fee),
  change: digits(entry.change),
  balance: digits(balance),
});
