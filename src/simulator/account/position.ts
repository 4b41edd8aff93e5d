/** The arithmetic of one futures position. Amounts are in the margin coin, sizes in the underlying coin. */
import type { ProductType } from "../../core/domain.ts";
import { type Amount, amount, divide, multiply, one } from "../market/amount.ts";
import type { Contract } from "../market/futures-products.ts";

export interface Position {
  /** The exchange's id of the position. */
  id: string;
  productType: ProductType;
  contract: Contract;
  side: "long" | "short";
  mode: "crossed" | "isolated";
  isOneWay: boolean;
  leverage: bigint;
  size: Amount;
  entry: Amount;
  /** The part of the size that an open order would close. */
  closing: Amount;
  /** The size that an open order would add. */
  opening: Amount;
  achieved: Amount;
  /** Paid (negative) or received; null until the first funding. */
  funding: Amount | null;
  fees: Amount;
  takeProfit: Amount | null;
  openedAt: number;
  updatedAt: number;
  booked: Booked;
}

/** What the ledger has of a position, fees negative. */
export interface Booked {
  opened: Amount;
  closed: Amount;
  /** The closed sizes at their prices. */
  closeValue: Amount;
  profit: Amount;
  openFees: Amount;
  closeFees: Amount;
}

export const nothingBooked = (): Booked => ({
  opened: 0n,
  closed: 0n,
  closeValue: 0n,
  profit: 0n,
  openFees: 0n,
  closeFees: 0n,
});

/** Returns how v2 and v3 name the mode of a position. */
export const holdModeOf = ({ isOneWay }: { isOneWay: boolean }): string => (isOneWay ? "one_way_mode" : "hedge_mode");

const maintenanceRates: Record<string, Amount> = { BTC: amount("0.004"), ETH: amount("0.005") };
const defaultMaintenanceRate = amount("0.01");

/** Returns the maintenance margin as a fraction of the position's value. */
export const maintenanceRate = ({ contract }: Position): Amount =>
  maintenanceRates[contract.coin] ?? defaultMaintenanceRate;

/** Returns the value of a size at a price: its USD value, or the size itself for an inverse contract. */
export const notionalValue = ({ contract }: Position, size: Amount, price: Amount): Amount =>
  contract.inverse ? size : multiply(size, price);

export function profit(position: Position, size: Amount, price: Amount): Amount {
  const { contract, entry, side } = position;
  const rise = contract.inverse ? divide(multiply(size, price - entry), price) : multiply(size, price - entry);
  return side === "long" ? rise : -rise;
}

/** Returns the margin at the entry price, as the exchange computes it. */
export const margin = (position: Position): Amount =>
  notionalValue(position, position.size, position.entry) / position.leverage;

/** Returns the margin that is reserved for the order that would add to the position. */
export const orderMargin = (position: Position): Amount =>
  notionalValue(position, position.opening, position.entry) / position.leverage;

export const maintenance = (position: Position, price: Amount): Amount =>
  multiply(notionalValue(position, position.size, price), maintenanceRate(position));

/**
 * Returns the price at which the loss reaches `cover` minus the maintenance margin. Zero or less for a fully covered long
 * position; 0 if an inverse short position has no such price.
 */
export function liquidationPrice(position: Position, cover: Amount): Amount {
  const { contract, entry, size, side } = position;
  const rate = maintenanceRate(position);
  const covered = divide(cover, size);
  if (contract.inverse) {
    const ratio = side === "long" ? one + covered - rate : one - covered + rate;
    return ratio <= 0n ? 0n : divide(entry, ratio);
  }
  return side === "long" ? divide(entry - covered, one - rate) : divide(entry + covered, one + rate);
}
