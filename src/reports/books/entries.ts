/**
 * Reads the books: every change of a balance, once. The exchange's ledger has all of them. Where it was not collected, deposits,
 * withdrawals, transfers and fills stand in for it, and nowhere else.
 */
import { amountOf } from "../../queries/flows.ts";
import { feeOf, ledgerCause } from "../../queries/ledger.ts";
import type { Source } from "../../queries/source.ts";
import type { DetailedEntry, Span, WalletLedger } from "../../store/history.ts";
import type { BookEntry } from "./entry.ts";
import { recordsIn } from "./records.ts";

/** Yields the entries of a span, oldest first. */
export function* bookEntries({ history, account }: Source, span: Span): Generator<BookEntry, void> {
  const ledgers = history.ledgers(account);
  const accounts = account === null ? history.accounts() : [account];
  const from = Math.min(...accounts.map((name) => firstGap(of(name, ledgers), span)));
  const records = from < span.to ? recordsIn(history, account, { from, to: span.to }) : [];
  const others = [...records].filter((entry) => !isCovered(of(entry.account, ledgers), entry));
  others.sort((one, other) => one.at - other.at);
  let next = 0;
  for (const entry of history.detailedEntries(account, span)) {
    for (let other = others[next]; other && other.at < entry.at; other = others[next]) {
      yield other;
      next += 1;
    }
    yield fromLedger(entry);
  }
  yield* others.slice(next);
}

/** Returns the ledgers of an account whose balances are collected. */
const of = (account: string, ledgers: readonly WalletLedger[]): WalletLedger[] =>
  ledgers.filter((ledger) => ledger.account === account && !ledger.wallet.startsWith("margin-"));

/** Returns from when entries may be missing in the ledgers of an account; the end of the span if none are. */
const firstGap = (own: readonly WalletLedger[], { from, to }: Span): number =>
  own.length === 0
    ? from
    : Math.max(
        from,
        Math.min(
          to,
          ...own.flatMap(({ holes, through }) => [
            through,
            ...holes.filter((hole) => hole.to > from).map((hole) => hole.from),
          ]),
        ),
      );

/** Returns true if the ledger of the entry's wallet was collected at its time, so that the entry is in it. */
function isCovered(own: readonly WalletLedger[], { wallet, at, source }: BookEntry): boolean {
  const isRead = (ledger: WalletLedger) => ledgerCause(ledger, { from: at, to: at + 1 }) === null;
  const itsOwn = own.filter((ledger) => ledger.wallet === wallet);
  // The list of transfers does not use the names of the ledgers.
  return itsOwn.length > 0 ? itsOwn.some(isRead) : source === "transfers" && own.length > 0 && own.every(isRead);
}

function fromLedger(entry: DetailedEntry): BookEntry {
  const fee = feeOf(entry);
  // An entry that is a fee as a whole has no other amount.
  if (entry.kind === "fee" && entry.change !== null)
    return { ...entry, amount: "0", fee: entry.change, source: "bills" };
  return { ...entry, amount: amountOf(entry), fee, source: "bills" };
}
