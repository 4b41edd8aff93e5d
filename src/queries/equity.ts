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

/** The parts of an account in words, by the names of datasets and of wallets that API versions use for them. */
const partWords: Readonly<Record<string, string>> = {
  ...{ "spot-assets": "spot wallet", spot: "spot wallet" },
  ...{ "funding-assets": "funding wallet", funding: "funding wallet" },
  ...{ "mix-accounts": "futures accounts", futures: "futures accounts" },
  ...{ unified: "unified wallet", earn: "Earn", bots: "bots", margin: "margin", other: "other wallets" },
};

/**
 * Returns what the equity of a row lacks in words, such as "funding wallet, prices": a part has the same name for every kind of account.
 * Returns null if it lacks nothing but prices of coins that have none.
 */
export function missingWords(row: HistoryRow | undefined): string | null {
  const names = Object.values(parsed(row?.missing) as string[]);
  if (names.length > 0) return [...new Set(names.map((name) => partWords[name] ?? name))].join(", ");
  if (unpricedText(row) !== null || isComplete(row)) return null;
  // Older rows have no list: only their parts show what is unknown.
  const parts = isUnified(row) ? { other_usdt: "funding" } : { spot_usdt: "spot", futures_usdt: "futures" };
  const lost = Object.entries(parts).flatMap(([column, name]) =>
    decimalIn(row, column) === null ? partWords[name] : [],
  );
  const others = !isUnified(row) && decimalIn(row, "other_usdt") === null ? ["funding, earn, bots, margin"] : [];
  return [...lost, ...others].join(", ") || "unknown part";
}

/** Parses the JSON of a cell; returns an empty object if it is not JSON. */
function parsed(cell: Cell | undefined): unknown {
  try {
    return typeof cell === "string" ? parse(cell) : {};
  } catch {
    return {};
  }
}
