/** The arithmetic of one futures position. Amounts are in its margin coin, sizes in the coin it follows. */
import type { ProductType } from "../../core/domain.ts";
import { type Amount, amount, divide, multiply, one } from "../market/amount.ts";
import type { Contract } from "../market/futures-products.ts";

export interface Position {
  productType: ProductType;
  contract: Contract;
  side: "long" | "short";
  mode: "crossed" | "isolated";
  leverage: bigint;
  size: Amount;
  entry: Amount;
  /** Part of the size that an open order is about to close. */
  closing: Amount;
  /** Size that an open order is about to add. */
  opening: Amount;
  achieved: Amount;
  /** Paid (negative) or received; null until the first funding. */
  funding: Amount | null;
  fees: Amount;
  takeProfit: Amount | null;
  openedAt: number;
  updatedAt: number;
}

const keepRates: Record<string, Amount> = { BTC: amount("0.004"), ETH: amount("0.005") };
const keepRateOfOthers = amount("0.01");

/** Maintenance margin as a fraction of the position's value. */
export const maintenanceRate = ({ contract }: Position): Amount => keepRates[contract.coin] ?? keepRateOfOthers;

/** What a size is worth at a price: its USD value, or for an inverse contract the size itself. */
export const notionalValue = ({ contract }: Position, size: Amount, price: Amount): Amount =>
  contract.inverse ? size : multiply(size, price);

export function profit(position: Position, size: Amount, price: Amount): Amount {
  const { contract, entry, side } = position;
  const rise = contract.inverse ? divide(multiply(size, price - entry), price) : multiply(size, price - entry);
  return side === "long" ? rise : -rise;
}

/** Reckoned at the entry price, as the exchange does. */
export const margin = (position: Position): Amount =>
  notionalValue(position, position.size, position.entry) / position.leverage;

/** Margin that the order about to add to it keeps back. */
export const orderMargin = (position: Position): Amount =>
  notionalValue(position, position.opening, position.entry) / position.leverage;

export const maintenance = (position: Position, price: Amount): Amount =>
  multiply(notionalValue(position, position.size, price), maintenanceRate(position));

/**
 * The price at which `cover` (what may be lost) is used up but for the maintenance margin. At or below zero for a long
 * that is covered to the last; 0 where an inverse short has no such price.
 */
export function liquidationPrice(position: Position, cover: Amount): Amount {
  const { contract, entry, size, side } = position;
  const keep = maintenanceRate(position);
  const covered = divide(cover, size);
  if (contract.inverse) {
    const ratio = side === "long" ? one + covered - keep : one - covered + keep;
    return ratio <= 0n ? 0n : divide(entry, ratio);
  }
  return side === "long" ? divide(entry - covered, one - keep) : divide(entry + covered, one + keep);
}
