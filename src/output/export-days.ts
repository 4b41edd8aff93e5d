/** Exports the history of a dataset to one file per UTC day. */
import { dayMs, startOfDay } from "../core/time.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { HistoryReader, Span } from "../store/history.ts";
import { requireForeignFile } from "../store/responses/own-files.ts";
import { requirePlainFile } from "./atomic-file.ts";
import { type Exporting, exportHeld } from "./export.ts";

/** The file of a day. */
export interface DayFile {
  path: string;
  rows: number;
}

/**
 * Writes the rows of each UTC day that begins in the span to a file of its own: `positions-2026-11-01.parquet` for
 * `positions.parquet`. Only whole days are written, those to which nothing will be added: every slot up to the end of the day, which is
 * not after `now`, has its final row. A day without rows gets no file; the others replace what has their name. All have the state of the
 * database at the start. Yields each file when it is complete; `onProgress` is called with days.
 * @throws UsageError and StorageError like `exportHistory`
 */
export async function* exportDays(
  history: HistoryReader,
  dataset: Dataset,
  path: string,
  { span, signal, onProgress, now }: Exporting & { now: number },
): AsyncGenerator<DayFile, void> {
  const release = history.hold();
  try {
    const days = finishedDays(history, dataset, span, now);
    for (const [at, day] of days.entries()) {
      const ofDay = { from: day, to: day + dayMs };
      if (hasRows(history, dataset, ofDay)) {
        const file = pathOfDay(path, day);
        requirePlainFile(file);
        requireForeignFile(file, history.path);
        yield { path: file, rows: await exportHeld(history, dataset, file, { span: ofDay, signal }) };
      }
      onProgress?.(at + 1, days.length);
    }
  } finally {
    release();
  }
}

/** Returns the days that may have rows and will have no others, as their midnights. */
function finishedDays(history: HistoryReader, dataset: Dataset, span: Span, now: number): number[] {
  const series = history.series(null).filter((one) => one.dataset === dataset.name);
  const first = Math.min(...series.map(({ firstAt }) => firstAt));
  // By the exchange's clock, which gives a snapshot its day, it may have been taken on the day before its slot or after.
  const open = history.firstOpenSlot(series.map(({ id }) => id)) - 1;
  const end = startOfDay(Math.min(now, open));
  const days: number[] = [];
  for (let day = startOfDay(Math.max(span.from, first - dayMs)); day < Math.min(span.to, end); day += dayMs)
    days.push(day);
  return days;
}

function hasRows(history: HistoryReader, dataset: Dataset, span: Span): boolean {
  for (const _ of history.scan(dataset, span, { cell: () => null })) return true;
  return false;
}

/** Puts a day before the extension: `a/b.csv.gz` -> `a/b-2026-11-01.csv.gz`. */
function pathOfDay(path: string, day: number): string {
  const [ending = ""] = /\.[a-z]+(\.gz)?$/i.exec(path) ?? [];
  return `${path.slice(0, path.length - ending.length)}-${new Date(day).toISOString().slice(0, 10)}${ending}`;
}
