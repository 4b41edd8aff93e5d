/** What an account was worth at a close: in whole, or as far as it is known and without what. */

import { parse } from "lossless-json";
import { decimalIn } from "../core/decimal.ts";
import type { Cell, DecimalString } from "../core/domain.ts";
import type { HistoryRow } from "../store/history.ts";
import type { Close } from "./close.ts";

/** Null where a part is unknown: the sum of some parts only is no value of the account. */
export function equityOf(closing: Pick<Close, "rows"> | undefined): DecimalString | null {
  const row = closing?.rows[0];
  return isComplete(row) ? decimalIn(row, "usdt_equity") : null;
}

/** The sum of what is known; null where nothing is. Rows from before `priced_usdt` have it in `usdt_equity`. */
export const pricedPartOf = (row: HistoryRow | undefined): DecimalString | null =>
  decimalIn(row, "priced_usdt") ?? decimalIn(row, "usdt_equity");

const isComplete = (row: HistoryRow | undefined): boolean => Number(row?.complete) === 1;

/** "AIRDROP 0.00000001; NEWCOIN 12": what has no price, and how much of it. Null where there is nothing. */
export function unpricedText(row: HistoryRow | undefined): string | null {
  const coins = Object.entries(parsed(row?.unpriced) as Record<string, string>);
  return coins.length > 0 ? coins.map(([coin, amount]) => `${coin} ${amount}`).join("; ") : null;
}

/** "funding-assets, prices": what did not tell its part. Null where all did. */
export function missingText(row: HistoryRow | undefined): string | null {
  const names = Object.values(parsed(row?.missing) as string[]);
  return names.length > 0 ? names.join(", ") : null;
}

/** Nothing for a cell that is no JSON. */
function parsed(cell: Cell | undefined): unknown {
  try {
    return typeof cell === "string" ? parse(cell) : {};
  } catch {
    return {};
  }
}
