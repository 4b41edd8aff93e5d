/** Reads the exchange's ledger by period: its entries, and whether it is complete. */
import { absolute, compare, subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import type { LedgerEntry, Span, WalletLedger } from "../store/history.ts";

/** Why a ledger is not complete although nothing of it is lost. */
export const notRead = "not read up to here";

/** Returns why the entries of a span may be incomplete; null if they are complete, or if the wallet did not exist then. */
export function ledgerCause({ holes, through, ...wallet }: WalletLedger, span: Span): string | null {
  const from = Math.max(span.from, wallet.from);
  const to = Math.min(span.to, wallet.to);
  if (from >= to) return null;
  const hole = holes.find((one) => one.from < to && one.to > from);
  return hole ? hole.cause : through < to ? notRead : null;
}

/**
 * Returns the part of an entry's change that is a fee, negative if paid. The funding wallet's entry of a withdrawal has its fee in
 * the change only. Null if it is unknown.
 */
export function feeOf({ kind, amount, fee, change }: LedgerEntry): DecimalString | null {
  if (fee === null) {
    if (kind !== "withdrawal") return "0";
    return amount === null || change === null ? null : subtract(change, amount);
  }
  const isPaid = amount !== null && change !== null && compare(change, subtract(amount, absolute(fee))) === 0;
  return isPaid ? subtract("0", absolute(fee)) : fee;
}

/** Groups entries that come in the order of time: returns a function that gives those up to `to` (exclusive, epoch ms). */
export function createEntries(entries: Iterable<LedgerEntry>): (to: number) => Generator<LedgerEntry, void> {
  const all = entries[Symbol.iterator]();
  let next = all.next();
  return function* (to) {
    for (; !next.done && next.value.at < to; next = all.next()) yield next.value;
  };
}
