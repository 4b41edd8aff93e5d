/** Where exported rows come from: the history, snapshot by snapshot. */
import { snakeCase } from "../core/columns.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Form, HistoryReader, Span } from "../store/history.ts";

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
  snapshots<T>(cell: Form<T>["cell"], join?: Form<T>["join"]): Iterable<T[][]>;
}

/** The order depends on nothing but what the rows say, so that the same rows always make the same file. */
export function historyRows(history: HistoryReader, dataset: Dataset, span: Span): HistoryRows {
  const flags = Object.keys(dataset.columns).filter((name) => dataset.columns[name]?.kind === "flag");
  return {
    columns: history.columns(dataset),
    integers: new Set([...flags.map(snakeCase), "snapshot_id", "taken_at_ms"]),
    total: () => history.countRows(dataset, span),
    snapshots: (cell, join) => history.scan(dataset, span, { cell, ...(join && { join }) }),
  };
}
