/** Defines how snapshots and records are read: as of an instant, over time, and by item. */
import type { Paced } from "../../core/async/cooperate.ts";
import type { Cell, DatasetName } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import type { HistoryRow, Span } from "./span.ts";

/** Reads snapshots: as of an instant, over time, and by item; and records, each with its own time. */
export interface SnapshotHistory {
  /** Returns the fields that are kept in `extra` because no column is for them. */
  unknownFields(): UnknownField[];
  /** Returns the column names of a dataset's history view. */
  columns(dataset: AnyDataset): string[];
  /** Returns the column names of the rows that `scan` yields. */
  exportedColumns(dataset: AnyDataset): string[];
  /** Returns the state of a dataset as of an instant. Takes a few index lookups per scope and item. */
  asOf(dataset: Dataset, filter: Filter, instant: number): AsOf;
  /** Returns when the last good snapshot of a slot of a series was taken; null if there is none. Epoch ms. */
  takenOfSlot(dataset: Dataset, account: string, slot: number): number | null;
  /** Returns when the first snapshot of a scope, good or failed, was taken; null if there is none. */
  firstTaken(dataset: Dataset, account: string, productType: string | null): number | null;
  /**
   * Yields rows of the history view in ascending order of time. With `changes`, yields only rows that differ from the previous row of
   * the same item, which records never have; with `newest`, only that many of the last rows.
   */
  rows(
    dataset: AnyDataset,
    filter: Filter,
    span: Span,
    only?: { newest?: number; changes?: boolean },
  ): Iterable<Cell[]>;
  /**
   * Yields the rows of one snapshot at a time, by `snapshot_id`; the rows of a snapshot by their keys, in character order. Records are
   * selected by the time when they were first seen.
   */
  scan<T>(dataset: AnyDataset, span: Span, form: RowFormat<T>): Iterable<T[][]>;
  /** Returns the number of rows that `scan` yields. Reads every snapshot of the span, but no rows. */
  countRows(dataset: AnyDataset, span: Span): number;
  /**
   * Yields the rows of an item, newest first, at which it was new or had changed. `filter` selects the item by product type and key
   * columns; `columns` that are steady do not include those that change with the mark price. @throws RangeError if it contains another
   * column
   */
  latestChanges(
    dataset: Dataset,
    account: string | null,
    filter: ColumnValues,
    span: Span,
    columns?: "all" | "steady",
  ): Paced<HistoryRow>;
  /** Returns the recorded items with these values in their key columns; empty if there is none. */
  items(dataset: Dataset, account: string, productType: string | null, keys: ColumnValues): ItemRef[];
  /**
   * Yields one point for each good snapshot of the item's scope by `taken_at`, whether or not it lists the item. `valueFrom` converts
   * the cells of `columns`; it is called only when they change.
   */
  points<T>(
    dataset: Dataset,
    item: ItemRef,
    span: Span,
    columns: readonly string[],
    valueFrom: (cells: ItemCells) => T,
  ): Generator<ItemPoint<T>, void>;
  /** Returns the coins or symbols that were ever recorded in a dataset, sorted. */
  itemNames(dataset: Dataset, column: "coin" | "symbol"): string[];
  /** Returns the midnights (UTC) of the days of an account of which snapshots were pruned. */
  prunedDays(dataset: Dataset, account: string): number[];
}

/** A field of the exchange without a column, and when the first and the last new value of it were taken. Epoch ms. */
export interface UnknownField {
  dataset: DatasetName;
  field: string;
  firstAt: number;
  lastAt: number;
}

/** Values of columns of a history view by which rows are selected. */
export type Filter = Readonly<Partial<Record<FilterColumn, string>>>;

export type FilterColumn = "account" | "coin" | "symbol" | "product_type" | "wallet" | "type" | "kind";

/** Values, keyed by column name of the history view. */
export type ColumnValues = Readonly<Record<string, string>>;

/** The state of one scope as of an instant. */
export interface ScopeAsOf {
  account: string;
  /** Null for the whole account. */
  productType: string | null;
  /** The time of the last good snapshot before the instant, and its age in milliseconds; null if there is none. */
  takenAt: number | null;
  ageMs: number | null;
  /** The slot of its run; null if there is none. Epoch ms. */
  slot: number | null;
  /** Two periods of the schedule in force at that snapshot. Milliseconds; null without a schedule or snapshot. */
  maxAgeMs: number | null;
  /** False if there is no such snapshot, or if it is older than two periods; then the scope has no rows. */
  known: boolean;
}

/** The state of a dataset as of an instant: its scopes, and the rows of the known ones. */
export interface AsOf {
  columns: string[];
  scopes: ScopeAsOf[];
  rows: Cell[][];
}

/** Converts the cells of scanned rows, for example to the text of a file format. */
export interface RowFormat<T> {
  /** Converts a cell; called only when the cell changes. */
  cell(cell: Cell, column: string): T;
  /** Joins adjacent cells that change together into one. Without it, cells are not joined. */
  join?: (cells: readonly T[]) => T;
}

/** An item in a scope. */
export interface ItemRef {
  /** Null if no such item was ever recorded. */
  itemId: number | null;
  scopeId: number;
  seriesId: number;
}

/** The cells of an item in the order of the requested columns; null if the snapshot does not list the item. */
export type ItemCells = readonly Cell[] | null;

/** The value of an item in one snapshot. */
export interface ItemPoint<T> {
  /** The slot of the run, and the time of the snapshot by the exchange's clock. */
  slot: number;
  at: number;
  value: T;
}
