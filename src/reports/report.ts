/** The type of a report: a name, columns, and rows that are read as they are asked for. */
import type { Cell } from "../store/query.ts";
import type { Sqlite } from "../store/sqlite.ts";
import type { Chart } from "./chart.ts";
import type { Span } from "./days.ts";

export interface Source {
  /** Read only. */
  sqlite: Sqlite;
  /** Of this account alone; null: of all. */
  account: string | null;
  /** A day or month that is not over by then is `going on`. Epoch ms. */
  now: number;
}

export interface Report {
  name: string;
  summary: string;
  /** `day` stands for the period, and is `month` where months are asked for. */
  columns: readonly string[];
  /** A null is no row: long reading goes on after it, and others may have their turn. */
  rows(source: Source, span: Span): Generator<Cell[] | null, void>;
  /** Others may have their turn at each null. */
  chart?(source: Source, span: Span): Generator<null, Chart>;
}

/** The names of the columns, as they stand in the first line. */
export const headOf = ({ columns }: Report, { by }: Span): string[] =>
  columns.map((name) => (name === "day" ? by : name));
