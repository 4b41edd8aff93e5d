/** Defines spans of time and rows, as all readers of the history return them. */
import type { Cell } from "../../core/domain.ts";

/** The time from `from` (inclusive) to `to` (exclusive). Epoch ms. */
export interface Span {
  from: number;
  to: number;
}

/** A row of a view, keyed by column name. */
export type HistoryRow = Readonly<Record<string, Cell>>;
