/** Defines a report: a name, columns, and rows that are read lazily. */
import type { Paced, Steps } from "../core/async/cooperate.ts";
import type { Cell } from "../core/domain.ts";
import type { Chart } from "../output/chart/chart.ts";
import type { Span, Step } from "../queries/periods.ts";
import type { Source } from "../queries/source.ts";

/** A report, as `report` and the daily reports write it. */
export interface Report {
  name: string;
  summary: string;
  /** `day` stands for the period; its header is `month` in reports by month. */
  columns: readonly string[];
  /** The period of its rows unless another is requested; by default a day. */
  by?: Step;
  /** True if it is read from the exchange's ledger, whose last entries of a day are collected after the end of the day. */
  usesLedger?: true;
  /** Its columns in USDT: values at the close of the period, and sums of what happened during it. */
  money?: { atClose?: readonly string[]; during?: readonly string[] };
  rows(source: Source, span: Span): Paced<Cell[]>;
  chart?(source: Source, span: Span): Steps<Chart>;
}

/** Returns the header: the names of the columns. */
export const headerOf = ({ columns }: Report, { by }: Span): string[] =>
  columns.map((name) => (name === "day" ? by : name));
