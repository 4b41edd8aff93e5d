/** The verdict on the ledger of one coin in one wallet over a stretch of time. */
import { add } from "../core/decimal.ts";
import type { DecimalString, TimeRange } from "../core/domain.ts";

/**
 * proven: the entries explain the change of the balance to the last digit. rounded: except for digits that a snapshot does not have.
 * open: too early to judge. break: they do not explain it. gap: the ledger was not collected there. unprovable: the exchange has no
 * ledger with balances for this wallet.
 */
export type Verdict = "proven" | "rounded" | "open" | "break" | "gap" | "unprovable";

/**
 * The version of the rules by which ledgers are reconciled. A change that gives another result for any history needs the next number:
 * what was stored by another one is computed again. test/store/ledger/rules.test.ts notices some of them.
 */
export const rulesVersion = 1;

/** Why a stretch has its verdict, where that is not the cause of a gap. */
export const reasons = {
  /** Not long enough ago, or the ledger has not been read up to it. */
  young: "entries may be late",
  /** The entries known so far explain it, but later ones were not read. */
  unread: "bills were not read up to here",
  /** The balance may be ahead of the ledger or behind it. */
  funding: "a funding is being booked",
  noSnapshot: "no snapshot since",
  /** Entries are missing, or were stored that did not happen. */
  balance: "the balance changed by more or less than the entries",
  /** A balance does not follow from the one before, but the sum is right. */
  order: "entries do not follow from each other",
  noLedger: "the exchange has no ledger with balances for this wallet",
} as const;

/** A stretch of time without a ledger, and why. */
export interface Hole extends TimeRange {
  cause: string;
}

/** Returns the verdict on a stretch that overlaps a hole. */
export const verdictIn = ({ cause }: Hole): Verdict => (cause === reasons.noLedger ? "unprovable" : "gap");

/** A stretch of time with one verdict. */
export interface Interval {
  /** Where it begins and ends: snapshots, or the first and the last entry. Epoch ms. */
  from: number;
  to: number;
  opening: DecimalString;
  /** The sum of what the entries in it changed, and their number. */
  change: DecimalString;
  entries: number;
  closing: DecimalString;
  /** closing - opening - change. */
  residual: DecimalString;
  verdict: Verdict;
  cause: string | null;
}

/** Joins neighbours with the same verdict and cause. */
export function merged(intervals: Iterable<Interval>): Interval[] {
  const all: Interval[] = [];
  for (const interval of intervals) {
    const last = all.at(-1);
    if (last && last.to === interval.from && last.verdict === interval.verdict && last.cause === interval.cause)
      all[all.length - 1] = joined(last, interval);
    else all.push(interval);
  }
  return all;
}

const joined = (one: Interval, next: Interval): Interval => ({
  ...one,
  to: next.to,
  change: plus(one.change, next.change),
  entries: one.entries + next.entries,
  closing: next.closing,
  residual: plus(one.residual, next.residual),
});

/** Most stretches change nothing. */
const plus = (one: DecimalString, other: DecimalString): DecimalString => (other === "0" ? one : add(one, other));
