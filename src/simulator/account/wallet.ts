/** The state of one futures wallet: margin, profit and risk of its positions. Amounts are in its margin coin. */
import type { ProductType } from "../../core/domain.ts";
import { type Amount, divide, max, min, multiply } from "../market/amount.ts";
import type { Market } from "../market/market.ts";
import type { AccountState } from "./account-state.ts";
import {
  liquidationPrice,
  maintenance,
  maintenanceRate,
  margin,
  notionalValue,
  orderMargin,
  type Position,
  profit,
} from "./position.ts";

export interface ValuedPosition {
  position: Position;
  mark: Amount;
  margin: Amount;
  profit: Amount;
  maintenance: Amount;
  value: Amount;
}

export interface Wallet {
  productType: ProductType;
  coin: string;
  /** Deposits and realised profit. */
  balance: Amount;
  /** Reserved for orders that would add to positions. */
  locked: Amount;
  isolatedMargin: Amount;
  crossedMargin: Amount;
  isolatedProfit: Amount;
  crossedProfit: Amount;
  crossedMaintenance: Amount;
  positions: ValuedPosition[];
}

export function walletsOf(state: AccountState, productType: ProductType, market: Market, instant: number): Wallet[] {
  return [...(state.wallets.get(productType) ?? [])].map(([coin, balance]) => {
    const wallet: Wallet = {
      productType,
      coin,
      balance,
      locked: 0n,
      isolatedMargin: 0n,
      crossedMargin: 0n,
      isolatedProfit: 0n,
      crossedProfit: 0n,
      crossedMaintenance: 0n,
      positions: [],
    };
    for (const position of state.positions) {
      if (position.productType === productType && position.contract.marginCoin === coin)
        include(wallet, position, market, instant);
    }
    return wallet;
  });
}

function include(wallet: Wallet, position: Position, market: Market, instant: number): void {
  const mark = market.mark(position.contract.coin, instant);
  const valued: ValuedPosition = {
    position,
    mark,
    margin: margin(position),
    profit: profit(position, position.size, mark),
    maintenance: maintenance(position, mark),
    value: notionalValue(position, position.size, mark),
  };
  wallet.positions.push(valued);
  wallet.locked += orderMargin(position);
  if (position.mode === "isolated") {
    wallet.isolatedMargin += valued.margin;
    wallet.isolatedProfit += valued.profit;
  } else {
    wallet.crossedMargin += valued.margin;
    wallet.crossedProfit += valued.profit;
    wallet.crossedMaintenance += valued.maintenance;
  }
}

export const unrealized = (wallet: Wallet): Amount => wallet.isolatedProfit + wallet.crossedProfit;

export const equity = (wallet: Wallet): Amount => wallet.balance + unrealized(wallet);

/** Returns the balance that is not used by isolated positions; like on the exchange, it contains what is reserved for orders. */
export const available = (wallet: Wallet): Amount => wallet.balance - wallet.isolatedMargin;

const free = (wallet: Wallet): Amount => available(wallet) - wallet.locked - wallet.crossedMargin;

export const openable = (wallet: Wallet): Amount => max(0n, free(wallet) + wallet.crossedProfit);

export const transferable = (wallet: Wallet): Amount => max(0n, free(wallet) + min(0n, wallet.crossedProfit));

/** Returns the maintenance margin of crossed positions as a fraction of their cover; 0 without positions or cover. */
export function riskRate(wallet: Wallet): Amount {
  const cover = wallet.balance - wallet.isolatedMargin + wallet.crossedProfit;
  return wallet.crossedMaintenance === 0n || cover <= 0n ? 0n : divide(wallet.crossedMaintenance, cover);
}

/** Returns the liquidation price: an isolated position is covered by its margin, a crossed one by the whole wallet. */
export function liquidationOf(wallet: Wallet, valued: ValuedPosition): Amount {
  const { position } = valued;
  if (position.mode === "isolated") return liquidationPrice(position, valued.margin);
  const others = wallet.crossedProfit - valued.profit - (wallet.crossedMaintenance - valued.maintenance);
  return liquidationPrice(position, wallet.balance - wallet.isolatedMargin + others);
}

export function marginRatio(wallet: Wallet, { position, margin: held, profit: gained, value }: ValuedPosition): Amount {
  if (position.mode === "crossed") return riskRate(wallet);
  const left = held + gained;
  return left <= 0n ? 0n : divide(multiply(value, maintenanceRate(position)), left);
}
