/** Derives the rows to store from the result of a reconciliation, so that the same history always gives the same rows. */
import { normalize } from "../../core/decimal.ts";
import type { Step } from "../../reconciliation/chain.ts";
import { byTime } from "../../reconciliation/entry.ts";
import type { Balance, Snapshots } from "../../reconciliation/snapshots.ts";
import type { Interval } from "../../reconciliation/verdict.ts";
import type { StoredEntry } from "./entries.ts";
import type { StepRow } from "./ledger-rows.ts";
import { changesIn } from "./wallets.ts";

/** Returns the changes that snapshots show within stretches for which the ledger says nothing, and the balance at the beginning of the first one if it is the first stretch of all. */
export const uncoveredBalances = (snapshots: Snapshots, intervals: readonly Interval[]): Balance[] =>
  changesIn(snapshots).filter(({ at }, index) =>
    intervals.some(
      ({ from, to, verdict }) =>
        (verdict === "gap" || verdict === "unprovable") &&
        (from < at || (from === at && index === 0 && from === intervals[0]?.from)) &&
        at <= to,
    ),
  );

/** Returns true if a row says more than its entry: the change is not the amount, or the place is not given by time and id. */
export const saysMore = ({ position, change, amount }: StepRow): boolean =>
  position !== null || change !== normalize(amount);

/** Yields a row for each entry. */
export function* stepRows(steps: readonly Step<StoredEntry>[]): Generator<StepRow> {
  const natural = steps.map(({ entry }) => entry).sort(byTime);
  let bookedAt = Number.NEGATIVE_INFINITY;
  let movedUntil = Number.NEGATIVE_INFINITY;
  let position = 0;
  for (const [index, { entry, change }] of steps.entries()) {
    position = entry.at > bookedAt ? 1 : position + 1;
    bookedAt = Math.max(bookedAt, entry.at);
    const isMoved = natural[index] !== entry;
    // What follows a moved entry in the same moment keeps its place after it.
    if (isMoved) movedUntil = bookedAt;
    const place = isMoved || entry.at <= movedUntil ? { bookedAt, position } : { bookedAt: null, position: null };
    yield { scopeId: entry.scopeId, billId: entry.id, change, amount: entry.amount, ...place };
  }
}
