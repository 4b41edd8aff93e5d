/** The type of a report: a name, columns, and rows that are read as they are asked for. */
import type { Paced, Steps } from "../core/async/cooperate.ts";
import type { Cell } from "../core/domain.ts";
import type { Chart } from "../output/chart/chart.ts";
import type { Span } from "../queries/periods.ts";
import type { Source } from "../queries/source.ts";

export interface Report {
  name: string;
  summary: string;
  /** `day` stands for the period, and is `month` where months are asked for. */
  columns: readonly string[];
  rows(source: Source, span: Span): Paced<Cell[]>;
  chart?(source: Source, span: Span): Steps<Chart>;
}

/** The names of the columns, as they stand in the first line. */
export const headerOf = ({ columns }: Report, { by }: Span): string[] =>
  columns.map((name) => (name === "day" ? by : name));
