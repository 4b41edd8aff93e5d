/** Reads the equity of an account at a close: complete, or its known part and what is missing. */

import { parse } from "lossless-json";
import { decimalIn, subtract, sumOf } from "../core/decimal.ts";
import type { Cell, DecimalString } from "../core/domain.ts";
import type { HistoryRow } from "../store/history.ts";
import type { Close } from "./close.ts";

/** Returns the complete equity in USDT; null if any part is unknown. */
export function equityOf(close: Pick<Close, "rows"> | undefined): DecimalString | null {
  const row = close?.rows[0];
  return isComplete(row) ? decimalIn(row, "usdt_equity") : null;
}

/**
 * Returns the sum of the known parts in USDT; null if none is known. Rows older than the column `priced_usdt` have that sum in
 * `usdt_equity`.
 */
export const pricedPartOf = (row: HistoryRow | undefined): DecimalString | null =>
  decimalIn(row, "priced_usdt") ?? decimalIn(row, "usdt_equity");

/**
 * Returns the part of the equity that is in wallets with a ledger, whose changes its entries explain: spot and futures, or all of a
 * unified account; null if it is unknown. Unit: USDT.
 */
export function ledgerPartOf(row: HistoryRow | undefined): DecimalString | null {
  if (isUnified(row)) return isComplete(row) ? decimalIn(row, "usdt_equity") : null;
  return sumOf(["spot_usdt", "futures_usdt"].map((name) => decimalIn(row, name)));
}

/**
 * Returns the part of the equity that has no ledger: Earn, bots and margin of an account that is not unified, and its funding wallet
 * unless `withoutFunding`; null if it is unknown. Unit: USDT.
 */
export function otherPartOf(row: HistoryRow | undefined, withoutFunding: boolean): DecimalString | null {
  const [whole, own] = [equityOf({ rows: row ? [row] : [] }), ledgerPartOf(row)];
  const funding = withoutFunding ? (decimalIn(row, "funding_usdt") ?? "0") : "0";
  return whole && own && subtract(subtract(whole, own), isUnified(row) ? "0" : funding);
}

const isUnified = (row: HistoryRow | undefined): boolean => decimalIn(row, "unified_usdt") !== null;

const isComplete = (row: HistoryRow | undefined): boolean => Number(row?.complete) === 1;

/** Returns the coins without a price and their amounts, such as "AIRDROP 0.00000001; NEWCOIN 12"; null if there are none. */
export function unpricedText(row: HistoryRow | undefined): string | null {
  const coins = Object.entries(parsed(row?.unpriced) as Record<string, string>);
  return coins.length > 0 ? coins.map(([coin, amount]) => `${coin} ${amount}`).join("; ") : null;
}

/** Returns the datasets or wallets missing from the equity, such as "funding-assets, prices"; null if there are none. */
export function missingText(row: HistoryRow | undefined): string | null {
  const names = Object.values(parsed(row?.missing) as string[]);
  return names.length > 0 ? names.join(", ") : null;
}

/** Parses the JSON of a cell; returns an empty object if it is not JSON. */
function parsed(cell: Cell | undefined): unknown {
  try {
    return typeof cell === "string" ? parse(cell) : {};
  } catch {
    return {};
  }
}
