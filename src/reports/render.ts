/** A report as CSV text, in pieces, or as a chart, for whoever writes them. */
import { cooperate, nextPiece, type Paced, pause } from "../core/async/cooperate.ts";
import type { Chart } from "../output/chart/chart.ts";
import { csvLine } from "../output/csv.ts";
import type { Span } from "../queries/periods.ts";
import type { Source } from "../queries/source.ts";
import { headerOf, type Report } from "./report.ts";

/** A commit that waits, say, waits no longer than this. Milliseconds. */
const turnMs = 5;

/** Characters. */
const pieceSize = 65_536;

/**
 * Yields a report as CSV, the names of the columns first. `line` writes a row. @throws the reason of `signal` once that is aborted
 */
export async function* csvOf(
  report: Report,
  source: Source,
  span: Span,
  { signal, line = csvLine }: { signal?: AbortSignal | undefined; line?: typeof csvLine } = {},
): AsyncGenerator<string, void> {
  function* lines(): Paced<string> {
    yield line(headerOf(report, span));
    for (const row of report.rows(source, span)) yield row === pause ? pause : line(row);
  }
  const texts = lines();
  try {
    for (;;) {
      const piece = await cooperate(nextPiece(texts, pieceSize), { turnMs, onTurn: () => signal?.throwIfAborted() });
      if (piece === "") return;
      yield piece;
    }
  } finally {
    texts.return();
  }
}

/** What there is to draw; null for a report that has no chart. */
export async function chartOf(report: Report, source: Source, span: Span): Promise<Chart | null> {
  const reading = report.chart?.(source, span);
  return reading ? cooperate(reading, { turnMs }) : null;
}
