/** Defines a table that is declared once and served as HTML, JSON and CSV. */
import { type Paced, pause, type Steps } from "../../core/async/cooperate.ts";
import type { HistoryReader, HistoryRow } from "../../store/history.ts";

/** How a page formats a cell; JSON and CSV contain the value as it is: a duration is in milliseconds. A share of 0.0421 is shown as 4.21 %. */
export type Kind = "text" | "amount" | "change" | "share" | "instant" | "count" | "duration";

/** A column of a table; `label` is its header on pages, `name` that in JSON and CSV. */
export interface Column {
  name: string;
  label: string;
  kind: Kind;
}

/** Describes what a page or table shows, with validated parameters. */
export interface View {
  history: HistoryReader;
  /** Null selects all accounts. */
  account: string | null;
  /** The shown instant, epoch ms. */
  at: number;
  /** False when the user chose the instant. */
  isNow: boolean;
  timezone: string;
  /** Parameters of particular tables, by name. */
  params: Readonly<Record<string, string>>;
}

export interface DataTable {
  name: string;
  /** What the rows are, for the documentation. */
  summary: string;
  columns: readonly Column[];
  /** Required parameters. */
  needs?: readonly string[];
  /** Returns the rows, keyed by column name; null is unknown. */
  rows(view: View): Paced<HistoryRow>;
}

export const text = (name: string, label: string): Column => ({ name, label, kind: "text" });
export const amount = (name: string, label: string): Column => ({ name, label, kind: "amount" });
export const change = (name: string, label: string): Column => ({ name, label, kind: "change" });
export const share = (name: string, label: string): Column => ({ name, label, kind: "share" });
export const instant = (name: string, label: string): Column => ({ name, label, kind: "instant" });
export const duration = (name: string, label: string): Column => ({ name, label, kind: "duration" });
export const count = (name: string, label: string): Column => ({ name, label, kind: "count" });

/** Returns every row, or the first `limit` rows. */
export function* allRows(table: DataTable, view: View, limit = Number.POSITIVE_INFINITY): Steps<HistoryRow[]> {
  const rows: HistoryRow[] = [];
  for (const row of table.rows(view)) {
    if (row !== pause) rows.push(row);
    if (rows.length >= limit) break;
    yield pause;
  }
  return rows;
}
