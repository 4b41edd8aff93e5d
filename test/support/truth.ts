/** Compares stored history with the simulated exchange's own record of what it sent. */
import type Database from "better-sqlite3";
import { expect } from "vitest";
import type { DatasetName } from "../../src/core/domain.ts";
import { snapshotDatasetNamed } from "../../src/datasets/index.ts";
import type { ServedSnapshot, TrueRow } from "../../src/simulator/simulator.ts";
import { asViewed, keyOf, keysOf, viewOf } from "./declared.ts";

export interface StoredSnapshot {
  snapshot_id: number;
  account: string;
  dataset: string;
  product_type: string | null;
  taken_at: string;
  rows: number;
}

/** Identifies an item across scopes: the same key may occur in several product types. */
const itemOf = (dataset: DatasetName, row: TrueRow): string => `${row.product_type} ${keyOf(dataset, row)}`;

const sorted = (dataset: string, rows: readonly TrueRow[]): TrueRow[] =>
  [...rows].sort((a, b) => (itemOf(dataset, a) < itemOf(dataset, b) ? -1 : 1));

/** Returns the final row of a removed coin: zeros, and null where the value was unknown. */
function zeroRow(dataset: string, row: TrueRow): TrueRow {
  const isKey = (name: string) => name === "product_type" || keysOf(dataset).includes(name);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, isKey(name) ? value : value && "0"]));
}

export const goodSnapshots = (database: Database.Database): StoredSnapshot[] =>
  database.prepare("select * from snapshots where state = 'ok' order by snapshot_id").all() as StoredSnapshot[];

/**
 * Compares every row of every view with the record; returns the number of rows compared. Datasets in `computed` are
 * calculated by the program (equity of v1 and v3) and are skipped where the record has no such response.
 */
export function expectTruth(
  database: Database.Database,
  record: readonly ServedSnapshot[],
  computed: readonly DatasetName[] = [],
): number {
  const last = new Map<string, TrueRow[]>();
  let compared = 0;
  for (const snapshot of goodSnapshots(database)) {
    const { dataset, account, product_type, taken_at } = snapshot;
    const served = record.filter(
      (one) =>
        one.dataset === dataset &&
        one.account === account &&
        one.scope === product_type &&
        new Date(one.takenAt).toISOString() === taken_at,
    );
    const truth = served[0]?.rows.map((row) => asViewed(dataset, row));
    if (truth === undefined) {
      expect(computed, `${account} ${dataset} ${product_type} at ${taken_at} was never sent`).toContain(dataset);
      continue;
    }
    const columns = Object.keys(truth[0] ?? {});
    const stored = database
      .prepare(`select * from ${viewOf(dataset)} where snapshot_id = ?`)
      .all(snapshot.snapshot_id) as TrueRow[];
    const series = `${account} ${dataset} ${product_type}`;
    const now = new Set(truth.map((row) => itemOf(dataset, row)));
    const removed =
      snapshotDatasetNamed(dataset).onRemoval === "end"
        ? []
        : (last.get(series) ?? []).filter((row) => !now.has(itemOf(dataset, row))).map((row) => zeroRow(dataset, row));
    const held = new Set(stored.map((row) => itemOf(dataset, row)));
    const expected =
      dataset === "prices" ? truth.filter((row) => held.has(itemOf(dataset, row))) : [...truth, ...removed];
    const shown = dataset === "prices" ? stored.filter((row) => row.price !== null) : stored;
    const only = columns.length > 0 ? columns : Object.keys(removed[0] ?? {});
    const comparable = shown.map((row) => Object.fromEntries(only.map((name) => [name, row[name] ?? null])) as TrueRow);
    expect(sorted(dataset, comparable), `${series} at ${taken_at}`).toEqual(sorted(dataset, expected));
    expect(stored.length).toBe(snapshot.rows);
    last.set(series, truth);
    compared += stored.length;
  }
  return compared;
}
