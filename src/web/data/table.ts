/** Defines a table that is declared once and served as HTML, JSON and CSV. */
import { type Paced, pause, type Steps } from "../../core/async/cooperate.ts";
import type { Cut } from "../../output/shown.ts";
import type { HistoryReader, HistoryRow } from "../../store/history.ts";
import type { DaemonState } from "../daemon-state.ts";

/**
 * How a page formats a cell; JSON and CSV contain the value as it is: a duration is in milliseconds. A `change` is of a quantity and no
 * gain or loss, unlike a `profit`; a share of 0.0421 is shown as 4.21 %.
 */
export type Kind = "text" | "amount" | "change" | "profit" | "price" | "share" | "instant" | "count" | "duration";

/** A column of a table; `label` is its header on pages, `name` that in JSON and CSV. */
export interface Column {
  name: string;
  label: string;
  kind: Kind;
  /** The column that names the coin of an amount; a symbol in it is no money. `usdt`: the amount is in USDT. */
  coin?: string;
  /** The places of a price beyond those of the column `mark_price`. */
  morePlaces?: number;
  /** Which way a share is cut; away from zero where a larger one is the greater danger. Default: "down". */
  cut?: Cut;
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
  /** The present time, epoch ms. */
  now: number;
  /** The state of the process that collects, now. */
  daemon: DaemonState;
  timezone: string;
  /** Whether figures have every digit, instead of the places of their kind. */
  isExact: boolean;
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
  /**
   * Columns that are known also in a row with last known values: those that identify the row, and those that do not depend on its age.
   * Required in tables with `lastKnownColumns`.
   */
  alwaysKnown?: readonly string[];
  /**
   * Returns the rows, keyed by column name; null is unknown. A row with a time in `last_known_at` is unknown at present and has the
   * values of that time: pages show them with their age, JSON and CSV by `servedRow`.
   */
  rows(view: View): Paced<HistoryRow>;
}

/** As the column of an amount's coin: the amount is in USDT. */
export const usdt = "";

export const text = (name: string, label: string): Column => ({ name, label, kind: "text" });
export const amount = (name: string, label: string, coin = usdt): Column => ({ name, label, kind: "amount", coin });
export const change = (name: string, label: string, coin = usdt): Column => ({ name, label, kind: "change", coin });
export const profit = (name: string, label: string, coin = usdt): Column => ({ name, label, kind: "profit", coin });
export const price = (name: string, label: string, morePlaces = 0): Column => ({
  ...{ name, label, kind: "price", morePlaces },
});
export const share = (name: string, label: string, cut: Cut = "down"): Column => ({ name, label, kind: "share", cut });
export const instant = (name: string, label: string): Column => ({ name, label, kind: "instant" });
export const duration = (name: string, label: string): Column => ({ name, label, kind: "duration" });
export const count = (name: string, label: string): Column => ({ name, label, kind: "count" });

/** The columns that a table of the present has after its own. */
export const lastKnownColumns = [text("last_known", "Last known"), instant("last_known_at", "Last known at")];

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
