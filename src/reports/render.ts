/** Renders a report as CSV text in pieces, or as a chart. */
import { cooperate, nextBytes, nextPiece, type Paced, pause } from "../core/async/cooperate.ts";
import type { Chart } from "../output/chart/chart.ts";
import { csvLine } from "../output/csv.ts";
import type { Span } from "../queries/periods.ts";
import type { Source } from "../queries/source.ts";
import { headerOf, type Report } from "./report.ts";

/** A report yields to the event loop after this time, so that other work, such as a commit, does not wait longer. Milliseconds. */
export const turnMs = 5;

/** The approximate length of a piece of CSV. Characters. */
const pieceSize = 65_536;

/**
 * Yields a report as CSV, beginning with the header. `line` formats a row. @throws the reason of `signal` if that is aborted
 */
export function csvOf(
  report: Report,
  source: Source,
  span: Span,
  { signal, line = csvLine }: { signal?: AbortSignal | undefined; line?: typeof csvLine } = {},
): AsyncGenerator<string, void> {
  return inPieces(csvLines(report, source, span, line), signal);
}

/** Yields the lines of a report as CSV, beginning with the header. */
export function* csvLines(report: Report, source: Source, span: Span, line: typeof csvLine = csvLine): Paced<string> {
  yield line(headerOf(report, span));
  for (const row of report.rows(source, span)) yield row === pause ? pause : line(row);
}

/** Yields lines in pieces, with pauses for other work. @throws the reason of `signal` if that is aborted */
export async function* inPieces(lines: Paced<string>, signal?: AbortSignal | undefined): AsyncGenerator<string, void> {
  try {
    for (;;) {
      const piece = await cooperate(nextPiece(lines, pieceSize), { turnMs, onTurn: () => signal?.throwIfAborted() });
      if (piece === "") return;
      yield piece;
    }
  } finally {
    lines.return();
  }
}

/** Yields the chunks of a file, with pauses for other work. */
export async function* inBytes(chunks: Paced<Uint8Array>): AsyncGenerator<Buffer, void> {
  try {
    for (;;) {
      const piece = await cooperate(nextBytes(chunks, pieceSize), { turnMs });
      if (piece.length === 0) return;
      yield Buffer.from(piece);
    }
  } finally {
    chunks.return();
  }
}

/** Resolves with the chart of a report; null if the report has none. */
export async function chartOf(report: Report, source: Source, span: Span): Promise<Chart | null> {
  const reading = report.chart?.(source, span);
  return reading ? cooperate(reading, { turnMs }) : null;
}
