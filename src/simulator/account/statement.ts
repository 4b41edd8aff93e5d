/**
 * Formats an account at one instant as decimal strings, from which every API version builds its response, so that the
 * versions differ in field names and never in values.
 */
import type { ProductType } from "../../core/domain.ts";
import type { ListFaults } from "../list-faults.ts";
import { type Amount, digits, divide, multiply, one, padded, total, truncate } from "../market/amount.ts";
import { liveProducts } from "../market/futures-products.ts";
import { coinNamed, coins, type Market } from "../market/market.ts";
import type { ReadPermission } from "../permissions.ts";
import type { AccountState, Passing } from "./account-state.ts";
import type { Bill } from "./bill.ts";
import { maintenanceRate, type Position } from "./position.ts";
import {
  available,
  equity,
  liquidationOf,
  marginRatio,
  openable,
  riskRate,
  transferable,
  unrealized,
  type ValuedPosition,
  type Wallet,
  walletsOf,
} from "./wallet.ts";

/** A sub-account as reported to its main account. */
export interface SimulatedSubAccount {
  /** The exchange's user id, digits only. */
  uid: string;
  name: string;
  label?: string;
  mode: "classic" | "unified";
  /** Default: virtual. */
  type?: "virtual" | "common";
  /** Default: normal. */
  state?: "normal" | "freeze" | "del";
  /** True if it holds nothing and has no futures accounts. */
  isEmpty?: boolean;
}

export interface SubView {
  facts: SimulatedSubAccount;
  view(): AccountView;
}

/** The state of an account and its market at `instant`. */
export interface AccountView {
  uid: string;
  /** The user id of the main account; null for a main account. */
  parent: string | null;
  /** The IP whitelist of the key; "" for none. */
  addresses: string;
  /** The sub-accounts in the order of their creation. */
  subAccounts: readonly SubView[];
  mayTrade: boolean;
  /** The read permissions of the key. */
  reads: readonly ReadPermission[];
  mode: "classic" | "unified";
  /** Since when the account has this mode: ledgers of a unified account list nothing older. Epoch ms. */
  since: number;
  state: AccountState;
  market: Market;
  instant: number;
  /** The exchange's clock, epoch ms. */
  now: number;
  /** The bills that the user of the simulator supplied for the account; if there are any, its own ones are not listed. */
  bills: readonly Bill[];
  /** What is wrong with the lists. */
  listFaults: ListFaults;
}

export interface Balance {
  coinId: number;
  coin: string;
  available: string;
  frozen: string;
  locked: string;
  updatedAt: number;
  isZero: boolean;
}

/** Returns the balances of all coins of the exchange, held or not, in its order, and of other coins that are held. */
export function spotBalances({ state }: AccountView): Balance[] {
  const others = [...state.spot.keys()].filter((name) => !coins.some((coin) => coin.name === name)).map(coinNamed);
  return [...coins, ...others].map(({ id, name }) => {
    const held = state.spot.get(name);
    const { available: free = 0n, frozen = 0n, locked = 0n, updatedAt = 0 } = held ?? {};
    return {
      coinId: id,
      coin: name,
      available: padded(free, 8),
      frozen: padded(frozen, 8),
      locked: padded(locked, 8),
      updatedAt,
      isZero: free + frozen + locked === 0n,
    };
  });
}

export interface FundingBalance {
  coin: string;
  available: string;
  /** Sent empty for coins that cannot be frozen. */
  frozen: string;
  usdtValue: string;
}

/** Returns what a unified account has in its funding wallet only for some seconds or minutes. */
export const passingOf = ({ mode, state, instant }: AccountView): Passing[] =>
  mode === "unified" ? state.passing.filter(({ until }) => until > instant) : [];

export function fundingBalances(view: AccountView): FundingBalance[] {
  const { state, market, instant } = view;
  const held = new Map([...state.funding].map(([coin, available]) => [coin, { available, frozen: 0n }]));
  for (const { coin, amount, isFrozen } of passingOf(view)) {
    const { available, frozen } = held.get(coin) ?? { available: 0n, frozen: 0n };
    held.set(coin, isFrozen ? { available, frozen: frozen + amount } : { available: available + amount, frozen });
  }
  return [...held]
    .filter(([, { available, frozen }]) => available + frozen !== 0n)
    .map(([coin, { available, frozen }]) => ({
      coin,
      available: digits(available),
      frozen: coin === "BGB" ? "" : digits(frozen),
      usdtValue: digits(truncate(multiply(available + frozen, market.price(coin, instant) ?? 0n), 8)),
    }));
}

export interface FuturesAccount {
  marginCoin: string;
  locked: string;
  available: string;
  openable: string;
  transferable: string;
  equity: string;
  usdtEquity: string;
  btcEquity: string;
  riskRate: string;
  /** Null without positions. */
  unrealized: string | null;
  isolatedMargin: string | null;
  crossedMargin: string | null;
  isolatedUnrealized: string | null;
  crossedUnrealized: string | null;
}

/** Returns the price of a coin in USDT; a demo coin has the value of the coin it stands for. */
const inUsdt = ({ market, instant }: AccountView, coin: string): Amount =>
  coin === "SUSDT" ? one : (market.price(coin, instant) ?? 0n);

export function futuresAccounts(view: AccountView, productType: ProductType): FuturesAccount[] {
  const { state, market, instant } = view;
  return walletsOf(state, productType, market, instant).map((exact) => {
    const wallet = { ...exact, balance: truncate(exact.balance, 8) };
    const isolated = wallet.positions.some(({ position }) => position.mode === "isolated");
    const crossed = wallet.positions.some(({ position }) => position.mode === "crossed");
    const usdt = multiply(equity(wallet), inUsdt(view, wallet.coin));
    return {
      marginCoin: wallet.coin,
      locked: digits(wallet.locked),
      available: digits(available(wallet)),
      openable: digits(openable(wallet)),
      transferable: digits(transferable(wallet)),
      equity: digits(equity(wallet)),
      usdtEquity: digits(usdt),
      btcEquity: digits(divide(usdt, inUsdt(view, "BTC"))),
      riskRate: digits(riskRate(wallet)),
      unrealized: isolated || crossed ? digits(unrealized(wallet)) : null,
      isolatedMargin: isolated ? digits(wallet.isolatedMargin) : null,
      crossedMargin: crossed ? digits(wallet.crossedMargin) : null,
      isolatedUnrealized: isolated ? digits(wallet.isolatedProfit) : null,
      crossedUnrealized: crossed ? digits(wallet.crossedProfit) : null,
    };
  });
}

export interface OpenPosition {
  symbol: string;
  marginCoin: string;
  side: Position["side"];
  mode: Position["mode"];
  isOneWay: boolean;
  leverage: string;
  opening: string;
  margin: string;
  available: string;
  locked: string;
  total: string;
  achieved: string;
  unrealized: string;
  profitRate: string;
  liquidationPrice: string;
  maintenanceRate: string;
  mark: string;
  entry: string;
  breakEven: string;
  marginRatio: string;
  /** Null before the first funding. */
  funding: string | null;
  fees: string;
  takeProfit: string | null;
  takeProfitId: string | null;
  openedAt: number;
  updatedAt: number;
}

/** Returns the open positions of a product type, newest first. */
export function openPositions({ state, market, instant }: AccountView, productType: ProductType): OpenPosition[] {
  return walletsOf(state, productType, market, instant)
    .flatMap((wallet) => wallet.positions.map((valued) => openPosition(wallet, valued)))
    .sort((a, b) => b.openedAt - a.openedAt);
}

function openPosition(wallet: Wallet, valued: ValuedPosition): OpenPosition {
  const { position, mark, margin, profit } = valued;
  const { contract, side, size, entry, closing, fees } = position;
  const feePart = divide(multiply(fees, contract.inverse ? entry : one), size);
  return {
    symbol: contract.symbol,
    marginCoin: contract.marginCoin,
    side,
    mode: position.mode,
    isOneWay: position.isOneWay,
    leverage: position.leverage.toString(),
    opening: digits(position.opening),
    margin: digits(margin),
    available: digits(size - closing),
    locked: digits(closing),
    total: digits(size),
    achieved: digits(position.achieved),
    unrealized: digits(profit),
    profitRate: digits(divide(profit, margin)),
    liquidationPrice: digits(liquidationOf(wallet, valued)),
    maintenanceRate: digits(maintenanceRate(position)),
    mark: digits(mark),
    entry: digits(entry),
    breakEven: digits(side === "long" ? entry + feePart : entry - feePart),
    marginRatio: digits(marginRatio(wallet, valued)),
    funding: position.funding === null ? null : digits(position.funding),
    fees: digits(fees),
    takeProfit: position.takeProfit === null ? null : digits(position.takeProfit),
    takeProfitId: position.takeProfit === null ? null : `130000${position.updatedAt}`,
    openedAt: position.openedAt,
    updatedAt: position.updatedAt,
  };
}

/** Returns the exchange's valuation of each wallet in USDT, without demo money and coins without a price. */
export function walletValues(view: AccountView): { accountType: string; usdtBalance: string }[] {
  const { state, market, instant } = view;
  const price = (coin: string) => market.price(coin, instant) ?? 0n;
  const spot = [...state.spot].map(([coin, held]) => multiply(held.available + held.frozen + held.locked, price(coin)));
  const funding = [...state.funding].map(([coin, held]) => multiply(held, price(coin)));
  const margin = [...(state.margin?.values() ?? [])].map(
    ({ held, borrowed }) => total([...held].map(([coin, amount]) => multiply(amount, price(coin)))) - borrowed,
  );
  const futures = liveProducts
    .flatMap(({ code }) => walletsOf(state, code, market, instant))
    .map((wallet) => multiply(equity(wallet), price(wallet.coin)));
  const wallets: Record<string, Amount> = {
    spot: total(spot),
    futures: total(futures),
    funding: total(funding),
    earn: 0n,
    bots: 0n,
    margin: total(margin),
  };
  return Object.entries(wallets).map(([accountType, value]) => ({
    accountType,
    usdtBalance: digits(truncate(value, 12)),
  }));
}
