/** Books deposits, withdrawals and transfers as a classic and as a unified account has them. */

import type { AccountState } from "../account/account-state.ts";
import type { Amount } from "../market/amount.ts";
import type { LedgerBook } from "./book.ts";
import type { WalletName } from "./entry.ts";

/** How much earlier a deposit is created than credited, and how much later its record is final. Milliseconds. */
const creationMs = 27_000;
const finalMs = 3_180;
/** How long a deposit of a unified account stays in its funding wallet. Milliseconds. */
const passingMs = 2_282;

/** Books a deposit to the spot wallet, or to the funding wallet of a unified account, which moves it on. */
export function bookDeposit({ book, passing }: AccountState, coin: string, size: Amount, moment: number): void {
  const at = book.timeOf(moment);
  const until = at + passingMs;
  book.add({ wallet: "spot", kind: "deposit", coin, amount: size, at, only: "classic" });
  book.add({ wallet: "funding", kind: "deposit", coin, amount: size, at, only: "unified" });
  book.add({ wallet: "funding", kind: "fundingTransfer", coin, amount: -size, at: until, only: "unified" });
  book.add({ wallet: "spot", kind: "transfer", coin, amount: size, at: until, only: "unified" });
  passing.push({ coin, amount: size, isFrozen: false, until });
  const created = at - creationMs;
  const times = { at: created, visibleAt: at, settledAt: at + finalMs };
  book.payments.push({ type: "deposit", id: book.idAt(created), coin, size, fee: 0n, outcome: "success", ...times });
}

export interface Withdrawal {
  coin: string;
  /** Includes the fee. */
  size: Amount;
  fee: Amount;
  at: number;
  settledAt: number;
  outcome: "success" | "fail";
}

/**
 * Books a withdrawal: a classic account pays when it succeeds; a unified one moves the money to its funding wallet first, and back
 * if the withdrawal fails.
 */
export function bookWithdrawal({ book, passing }: AccountState, withdrawal: Withdrawal): void {
  const { coin, size, fee, at, settledAt, outcome } = withdrawal;
  const unified = { coin, only: "unified" } as const;
  book.add({ wallet: "spot", kind: "transfer", amount: -size, at, ...unified });
  book.add({ wallet: "funding", kind: "pulled", amount: size, at, ...unified });
  passing.push({ coin, amount: size, isFrozen: true, until: settledAt });
  if (outcome === "success") {
    const paid = { kind: "withdrawal", coin, amount: fee - size, fee: -fee, at: settledAt } as const;
    book.add({ wallet: "spot", only: "classic", ...paid });
    book.add({ wallet: "funding", only: "unified", ...paid });
  } else {
    book.add({ wallet: "funding", kind: "fundingTransfer", amount: -size, at: settledAt, ...unified });
    book.add({ wallet: "spot", kind: "transfer", amount: size, at: settledAt, ...unified });
  }
  book.payments.push({
    type: "withdraw",
    id: book.idAt(at),
    coin,
    size,
    fee: -fee,
    at,
    visibleAt: at,
    settledAt,
    outcome,
  });
}

const firstTransferId = 24_930_940;

/** Lists a transfer between two wallets of the account. */
export function bookTransfer(
  book: LedgerBook,
  [from, to]: readonly [WalletName, WalletName],
  { coin, size, at }: { coin: string; size: Amount; at: number },
): void {
  const id = String(firstTransferId + book.nextSerial());
  const booked = book.timeOf(at);
  book.transfers.push({ id, clientId: book.idAt(at), coin, size, from, to, at: booked, visibleAt: booked });
}
