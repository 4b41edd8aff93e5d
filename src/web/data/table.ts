/** A table that people see as HTML, programs read as JSON and spreadsheets as CSV. It is declared once, for all three. */
import { type Paced, pause, type Steps } from "../../core/async/cooperate.ts";
import type { HistoryReader, HistoryRow } from "../../store/history.ts";

/** How a cell is written for people; JSON and CSV have it as it is. A share of 0.0421 is 4.21 %. */
export type Kind = "text" | "amount" | "change" | "share" | "instant" | "count";

export interface Column {
  name: string;
  label: string;
  kind: Kind;
}

/** What is asked for, checked. */
export interface View {
  history: HistoryReader;
  /** Null: all of them. */
  account: string | null;
  /** The instant that is shown, epoch ms. */
  at: number;
  /** False where a person chose the instant. */
  isNow: boolean;
  timezone: string;
  /** Parameters that only some tables know, by their names. */
  params: Readonly<Record<string, string>>;
}

export interface DataTable {
  name: string;
  /** What one row is. */
  summary: string;
  columns: readonly Column[];
  /** Parameters it cannot do without. */
  needs?: readonly string[];
  /** By the names of the columns; null is unknown. */
  rows(view: View): Paced<HistoryRow>;
}

export const text = (name: string, label: string): Column => ({ name, label, kind: "text" });
export const amount = (name: string, label: string): Column => ({ name, label, kind: "amount" });
export const change = (name: string, label: string): Column => ({ name, label, kind: "change" });
export const share = (name: string, label: string): Column => ({ name, label, kind: "share" });
export const instant = (name: string, label: string): Column => ({ name, label, kind: "instant" });
export const count = (name: string, label: string): Column => ({ name, label, kind: "count" });

/** Returns every row, or the first so many. */
export function* allRows(table: DataTable, view: View, limit = Number.POSITIVE_INFINITY): Steps<HistoryRow[]> {
  const rows: HistoryRow[] = [];
  for (const row of table.rows(view)) {
    if (row !== pause) rows.push(row);
    if (rows.length >= limit) break;
    yield pause;
  }
  return rows;
}
