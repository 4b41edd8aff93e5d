/** The state of one futures wallet: what its positions tie up, gain and risk. Amounts in its margin coin. */
import type { ProductType } from "../../core/domain.ts";
import { type Amount, larger, over, smaller, times } from "../market/amount.ts";
import type { Market } from "../market/market.ts";
import type { Life } from "./account-state.ts";
import {
  keepRate,
  liquidationPrice,
  maintenance,
  margin,
  orderMargin,
  type Position,
  profit,
  worth,
} from "./position.ts";

export interface Valued {
  position: Position;
  mark: Amount;
  margin: Amount;
  profit: Amount;
  maintenance: Amount;
  value: Amount;
}

export interface Wallet {
  line: ProductType;
  coin: string;
  /** What was paid in, and realised since. */
  balance: Amount;
  /** Kept back for orders that would open. */
  locked: Amount;
  isolatedMargin: Amount;
  crossedMargin: Amount;
  isolatedProfit: Amount;
  crossedProfit: Amount;
  crossedMaintenance: Amount;
  positions: Valued[];
}

export function walletsOf(life: Life, line: ProductType, market: Market, instant: number): Wallet[] {
  return [...(life.wallets.get(line) ?? [])].map(([coin, balance]) => {
    const wallet: Wallet = {
      line,
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
    for (const position of life.positions) {
      if (position.line === line && position.contract.marginCoin === coin) include(wallet, position, market, instant);
    }
    return wallet;
  });
}

function include(wallet: Wallet, position: Position, market: Market, instant: number): void {
  const mark = market.mark(position.contract.coin, instant);
  const valued: Valued = {
    position,
    mark,
    margin: margin(position),
    profit: profit(position, position.size, mark),
    maintenance: maintenance(position, mark),
    value: worth(position, position.size, mark),
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

/** Not tied up by isolated positions and orders. */
export const available = (wallet: Wallet): Amount => wallet.balance - wallet.isolatedMargin - wallet.locked;

export const openable = (wallet: Wallet): Amount =>
  larger(0n, available(wallet) - wallet.crossedMargin + wallet.crossedProfit);

export const transferable = (wallet: Wallet): Amount =>
  larger(0n, available(wallet) - wallet.crossedMargin + smaller(0n, wallet.crossedProfit));

/** What crossed positions need, as a fraction of what they have. */
export function riskRate(wallet: Wallet): Amount {
  const cover = wallet.balance - wallet.isolatedMargin + wallet.crossedProfit;
  return wallet.crossedMaintenance === 0n || cover <= 0n ? 0n : over(wallet.crossedMaintenance, cover);
}

/** An isolated position stands for itself; a crossed one is covered by the whole wallet and its other positions. */
export function liquidationOf(wallet: Wallet, valued: Valued): Amount {
  const { position } = valued;
  if (position.mode === "isolated") return liquidationPrice(position, valued.margin);
  const others = wallet.crossedProfit - valued.profit - (wallet.crossedMaintenance - valued.maintenance);
  return liquidationPrice(position, wallet.balance - wallet.isolatedMargin + others);
}

export function marginRatio(wallet: Wallet, { position, margin: held, profit: gained, value }: Valued): Amount {
  if (position.mode === "crossed") return riskRate(wallet);
  const left = held + gained;
  return left <= 0n ? 0n : over(times(value, keepRate(position)), left);
}
