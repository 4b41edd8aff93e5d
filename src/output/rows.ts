/** Where exported rows come from: the history, snapshot by snapshot. */
import { snakeCase } from "../core/columns.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { historyColumns, type Walk, walk } from "../store/read/scan.ts";
import type { Sqlite } from "../store/sqlite/database.ts";

/** Epoch ms, from `from` on and before `to`. */
export interface Span {
  from: number;
  to: number;
}

export interface HistoryRows {
  columns: string[];
  /** Of those that have an integer; every other cell is text or NULL. */
  integers: ReadonlySet<string>;
  /** Counts the rows, which takes a look at every snapshot. */
  total(): number;
  /**
   * Those of a snapshot at a time, in the order of `snapshot_id`; within one, of their keys, character by character. `cell`
   * says what is made of each cell, `join` what is made of neighbouring cells that change together.
   */
  snapshots<T>(cell: Walk<T>["cell"], join?: Walk<T>["join"]): Iterable<T[][]>;
}

/** The order depends on nothing but what the rows say, so that the same rows always make the same file. */
export function historyRows(sqlite: Sqlite, dataset: Dataset, span: Span): HistoryRows {
  const flags = Object.keys(dataset.columns).filter((name) => dataset.columns[name]?.kind === "flag");
  const total = sqlite
    .prepare<unknown[], number>(
      `select coalesce(sum(n.rows), 0) from snapshot n join scope p on p.id = n.scope_id join series e on e.id = p.series_id
       where e.dataset = ? and n.taken_at >= ? and n.taken_at < ?`,
    )
    .pluck();
  return {
    columns: historyColumns(sqlite, dataset),
    integers: new Set([...flags.map(snakeCase), "snapshot_id", "taken_at_ms"]),
    total: () => total.get(dataset.name, span.from, span.to) ?? 0,
    snapshots: (cell, join) =>
      walk(sqlite, dataset, { ...span, filter: {}, order: "stored", changes: false, cell, ...(join && { join }) }),
  };
}
