/** A report as CSV text, in pieces, or as a chart, for whoever writes them. */
import { setImmediate } from "node:timers/promises";
import type { Chart } from "../output/chart/chart.ts";
import { csvLine } from "../output/csv.ts";
import type { Span } from "../queries/periods.ts";
import type { Source } from "../queries/source.ts";
import { headOf, type Report } from "./report.ts";

/** Reading goes on for so long before others have their turn, such as a commit that waits. Milliseconds. */
const turnMs = 5;

/**
 * Yields a report as CSV, the names of the columns first. `line` writes a row. @throws the reason of `signal` once that is aborted
 */
export async function* csvOf(
  report: Report,
  source: Source,
  span: Span,
  { signal, line = csvLine }: { signal?: AbortSignal | undefined; line?: typeof csvLine } = {},
): AsyncGenerator<string, void> {
  let text = line(headOf(report, span));
  let begun = performance.now();
  for (const row of report.rows(source, span)) {
    if (row) text += line(row);
    if (performance.now() - begun < turnMs) continue;
    if (text !== "") yield text;
    text = "";
    await setImmediate();
    signal?.throwIfAborted();
    begun = performance.now();
  }
  if (text !== "") yield text;
}

/** What there is to draw; null for a report that has no chart. */
export async function chartOf(report: Report, source: Source, span: Span): Promise<Chart | null> {
  const reading = report.chart?.(source, span);
  if (!reading) return null;
  let begun = performance.now();
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
    if (performance.now() - begun < turnMs) continue;
    await setImmediate();
    begun = performance.now();
  }
}
