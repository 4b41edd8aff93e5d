/** Defines a report: a name, columns, and rows that are read lazily. */
import type { Paced, Steps } from "../core/async/cooperate.ts";
import type { Cell } from "../core/domain.ts";
import type { Chart } from "../output/chart/chart.ts";
import type { Span, Step } from "../queries/periods.ts";
import type { Source } from "../queries/source.ts";
import type { HistoryReader } from "../store/history.ts";

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
  /** True if its rows are records or their sums, which the exchange also has of the time before the first run. */
  ofRecords?: true;
  /**
   * Its columns in USDT: values at the close of the period, or at a time in another column, in the order of these times; and sums of what
   * happened during the period.
   */
  money?: {
    atClose?: readonly string[];
    atTimes?: Readonly<Record<string, string>>;
    during?: readonly string[];
  };
  rows(source: Source, span: Span): Paced<Cell[]>;
  chart?(source: Source, span: Span): Steps<Chart>;
}

/** Returns when the rows of a report begin that are wanted from `from` on (epoch ms); null if nothing is recorded. */
export function beginOf({ ofRecords }: Pick<Report, "ofRecords">, history: HistoryReader, from: number): number | null {
  const first = history.firstSlot();
  if (!ofRecords || (first !== null && first <= from)) return first;
  const record = history.firstRecord();
  return first === null || record === null ? (first ?? record) : Math.min(first, record);
}

/** Returns the header: the names of the columns. */
export const headerOf = ({ columns }: Report, { by }: Span): string[] =>
  columns.map((name) => (name === "day" ? by : name));
