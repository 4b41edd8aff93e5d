/** Computes the expected results of history queries from the exchange's record. */
import type { DatasetName, Scope } from "../../../src/core/domain.ts";
import type { TrueRow } from "../../../src/simulator/simulator.ts";
import type { Filter, ScopeAsOf } from "../../../src/store/history.ts";
import { keyOf, keysOf } from "../../support/declared.ts";
import { periodAt } from "./simulate.ts";
import type { TrueSnapshot, Truth } from "./truth.ts";

interface Named {
  account: string;
  scope: Scope;
}

const scopesOf = (truth: Truth, dataset: DatasetName): readonly Named[] =>
  truth.scopes.filter((one) => one.dataset === dataset);

/** Returns the rows of the last good snapshot of every scope that is still requested. */
export const latest = (truth: Truth, dataset: DatasetName): TrueRow[] =>
  scopesOf(truth, dataset)
    .filter(({ account, scope }) => truth.retiredAt(account, dataset, scope) === Infinity)
    .flatMap(({ account, scope }) => truth.of(account, dataset, scope).at(-1)?.rows ?? []);

/** Returns the last snapshot taken at or before a time; null where there is none. */
export const lastAt = (snapshots: readonly TrueSnapshot[], instant: number): TrueSnapshot | null =>
  snapshots.findLast(({ takenAt }) => takenAt <= instant) ?? null;

/** Returns the state at a time. `everAsked` includes scopes that were no longer requested by then, which SQL alone cannot exclude. */
export function knownAt(
  truth: Truth,
  dataset: DatasetName,
  instant: number,
  { everAsked = false } = {},
): { scopes: ScopeAsOf[]; rows: TrueRow[] } {
  const rows: TrueRow[] = [];
  const asked = scopesOf(truth, dataset).filter(
    ({ account, scope }) => everAsked || truth.retiredAt(account, dataset, scope) > instant,
  );
  const scopes = asked.map(({ account, scope }): ScopeAsOf => {
    const last = lastAt(truth.of(account, dataset, scope), instant);
    const maxAgeMs = last ? 2 * periodAt(instant) : null;
    const ageMs = last ? instant - last.takenAt : null;
    const known = last !== null && instant - last.slot <= 2 * periodAt(instant);
    if (last && known) rows.push(...last.rows);
    return {
      account,
      productType: scope,
      takenAt: last?.takenAt ?? null,
      slot: last?.slot ?? null,
      ageMs,
      maxAgeMs,
      known,
    };
  });
  return { scopes, rows };
}

/** A row with the metadata of its snapshot. */
export interface TakenRow {
  takenAt: number;
  account: string;
  scope: Scope;
  row: TrueRow;
}

/** Returns all rows by time, within a snapshot by key. */
export function rowsInOrder(truth: Truth, dataset: DatasetName): TakenRow[] {
  const name = (row: TrueRow): string =>
    keysOf(dataset)
      .map((key) => row[key])
      .join("\0");
  return truth.snapshots
    .filter((one) => one.dataset === dataset)
    .sort((a, b) => a.takenAt - b.takenAt || a.id - b.id)
    .flatMap((one) =>
      [...one.rows].sort((a, b) => (name(a) < name(b) ? -1 : 1)).map((row): TakenRow => ({ ...one, row })),
    );
}

export const chosen = (
  rows: readonly TakenRow[],
  filter: Filter,
  { from, to }: { from: number; to: number },
): TrueRow[] =>
  rows
    .filter(({ takenAt, account, scope, row }) => {
      if (takenAt < from || takenAt >= to) return false;
      const named: TrueRow = { account, product_type: scope };
      return Object.entries(filter).every(([name, value]) => (named[name] ?? row[name]) === value);
    })
    .map(({ row }) => row);

/**
 * Returns the rows that differ from the previous one of their item. The record does not have all columns; the others are
 * taken from `shown`, the rows of the view.
 */
export function changesOf(truth: Truth, dataset: DatasetName, shown: readonly TrueRow[]): Set<TrueRow> {
  const views = new Map(shown.map((row) => [`${row.snapshot_id} ${keyOf(dataset, row)}`, row]));
  const changed = new Set<TrueRow>();
  for (const { account, scope } of scopesOf(truth, dataset)) {
    let before = new Map<string, string>();
    for (const { id, rows } of truth.of(account, dataset, scope)) {
      const now = new Map<string, string>();
      for (const row of rows) {
        const key = keyOf(dataset, row);
        const full = { ...views.get(`${id} ${key}`), ...row, taken_at: null, taken_at_ms: null, snapshot_id: null };
        now.set(key, JSON.stringify(Object.entries(full).sort()));
        if (now.get(key) !== before.get(key)) changed.add(row);
      }
      before = now;
    }
  }
  return changed;
}
