/**
 * Reads a ledger whose balances leave out what is frozen or locked. The exchange does not document whether those of the spot wallet do; if
 * they do, they also change without an entry, when money is frozen or released.
 */
import { absolute, add, compare, isZero, subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { byTime, conventionFor, type Entry } from "./entry.ts";
import { disorderMs } from "./order.ts";
import { firstAfter, type Snapshots, snapshotBefore } from "./snapshots.ts";

/** How the finding is stored, with the coin in place of a type. */
export const availableOnly = "balance without frozen and locked";

/**
 * Returns true if balances are shown to leave out what is frozen: more often than not, the first snapshot after an entry has the balance
 * of the entry and what was frozen, which was the same before the entry.
 */
export function showsAvailable(
  entries: readonly Entry[],
  { snapshots, frozen, tolerance }: { snapshots: Snapshots; frozen: Snapshots; tolerance: DecimalString },
): boolean {
  if (frozen.versions.every(({ balance }) => balance === null || isZero(balance))) return false;
  const ordered = [...entries].sort(byTime);
  let difference = 0;
  for (const [index, { at, balance }] of ordered.entries()) {
    const next = snapshots.times[firstAfter(snapshots.times, at)];
    // Entries near the snapshot may belong on its other side.
    const isLast =
      next !== undefined &&
      next - at > disorderMs &&
      (ordered[index + 1]?.at ?? next + disorderMs + 1) > next + disorderMs;
    const [amount, same] = frozenAround(frozen, at);
    const whole = isLast ? (snapshotBefore(snapshots, next)?.balance ?? null) : null;
    if (balance === null || whole === null || !amount || isZero(amount) || same !== amount) continue;
    const isNear = (other: DecimalString) => compare(absolute(subtract(whole, other)), tolerance) <= 0;
    if (isNear(add(balance, amount))) difference += 1;
    else if (isNear(balance)) difference -= 1;
  }
  return difference > 0;
}

/**
 * Returns the entries with what was frozen added to their balances, by time. `frozen` says how much that was at each snapshot; an entry
 * between two that differ gets the one with which its balance follows from the entry before. Where it is unknown, so is the balance: there
 * is no snapshot before. `before` is the whole balance before the first entry, null if it is unknown.
 */
export function withFrozen<E extends Entry>(
  entries: readonly E[],
  frozen: Snapshots,
  before: DecimalString | null,
): E[] {
  let whole = before;
  return [...entries].sort(byTime).map((entry) => {
    const { balance } = entry;
    const possible = balance === null ? [] : frozenAround(frozen, entry.at).map((amount) => add(balance, amount));
    const follows = (one: DecimalString) => whole !== null && conventionFor(entry, subtract(one, whole)) !== null;
    whole = possible.find(follows) ?? possible[0] ?? null;
    return { ...entry, balance: whole };
  });
}

/** Returns what was frozen at the snapshots before and after an instant; nothing if it is unknown at the one before. */
function frozenAround({ times, versions }: Snapshots, instant: number): DecimalString[] {
  const next = firstAfter(times, instant);
  const at = (index: number) =>
    index < 0 || index >= times.length ? null : (versions.findLast(({ since }) => since <= index)?.balance ?? null);
  const last = at(next - 1);
  return last === null ? [] : [last, at(next) ?? last];
}
