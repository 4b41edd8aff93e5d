/**
 * Puts entries into the order in which they changed the balance. Times and ids are close to it, but several entries share a
 * millisecond, and some carry the time at which they were due and not that at which they were booked.
 */
import { normalize, subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { balancesBefore, byTime, conventionFor, type Entry } from "./entry.ts";

/** How far the time of an entry can be from its place in the order. Milliseconds. */
export const disorderMs = 15_000;

/** The search for an order gives up after this many attempts, which only many entries with equal balances can need. */
const maxAttempts = 50_000;

/**
 * Returns the entries in their order: by time and id, except where another order within a few seconds makes each balance follow
 * from the one before. `before` is the balance before the first one, null if it is unknown.
 */
export function inOrder<E extends Entry>(entries: readonly E[], before: DecimalString | null): E[] {
  const ordered = [...entries].sort(byTime);
  const balanceAfter = (at: number): DecimalString | null => (at < 0 ? before : (ordered[at]?.balance ?? null));
  let searchedTo = 0;
  for (const [at, entry] of ordered.entries()) {
    if (at < searchedTo || canFollow(entry, balanceAfter(at - 1))) continue;
    let from = at;
    while (from > 0 && entry.at - (ordered[from - 1]?.at ?? 0) <= disorderMs) from -= 1;
    let to = at + 1;
    while (to < ordered.length && (ordered[to]?.at ?? 0) - entry.at <= disorderMs) to += 1;
    const near = ordered.slice(from, to);
    const found = closingOrder(near, balanceAfter(from - 1));
    ordered.splice(from, near.length, ...(found ?? closingGroups(near, balanceAfter(from - 1))));
    // Another search over the same entries would end in the same way.
    searchedTo = to;
  }
  return ordered;
}

/** Returns false if an entry cannot have changed the balance from `balance` to its own. Unknown balances exclude nothing. */
const canFollow = (entry: Entry, balance: DecimalString | null): boolean =>
  balance === null || entry.balance === null || conventionFor(entry, subtract(entry.balance, balance)) !== null;

/** Orders each group of entries with one time separately; a group for which no order closes keeps its own. */
function closingGroups<E extends Entry>(near: readonly E[], before: DecimalString | null): E[] {
  const ordered: E[] = [];
  for (let from = 0; from < near.length; ) {
    let to = from + 1;
    while (to < near.length && near[to]?.at === near[from]?.at) to += 1;
    const group = near.slice(from, to);
    const balance = from === 0 ? before : (ordered.at(-1)?.balance ?? null);
    ordered.push(...(closingOrder(group, balance) ?? closingOrder(group, null) ?? group));
    from = to;
  }
  return ordered;
}

/**
 * Returns an order in which each balance follows from the one before; null if there is none, or if a balance is unknown. `before` is
 * the balance at its beginning, null for any.
 */
function closingOrder<E extends Entry>(near: readonly E[], before: DecimalString | null): E[] | null {
  if (near.length === 1) return null;
  const possible = new Map<DecimalString, E[]>();
  for (const entry of near) {
    if (entry.balance === null) return null;
    for (const balance of balancesBefore(entry, entry.balance))
      possible.set(balance, [...(possible.get(balance) ?? []), entry]);
  }
  const path: E[] = [];
  const used = new Set<E>();
  const unused = (all: readonly E[]) => all.filter((entry) => !used.has(entry));
  const after = ({ balance }: E) => unused(possible.get(normalize(balance ?? "0")) ?? []);
  // For each place of the path and the next one, the entries that were not tried there.
  const untried = [before === null ? [...near] : unused(possible.get(normalize(before)) ?? [])];
  for (let attempts = 0; attempts < maxAttempts; attempts++) {
    const entry = untried.at(-1)?.shift();
    if (entry) {
      path.push(entry);
      used.add(entry);
      if (path.length === near.length) return path;
      untried.push(after(entry));
      continue;
    }
    untried.pop();
    const last = path.pop();
    if (!last) return null;
    used.delete(last);
  }
  return null;
}
