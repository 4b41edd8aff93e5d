/** Exports the history of a dataset to one file per UTC day. */
import { maxOffsetMs } from "../bitget/clock-check.ts";
import { dayMs, startOfDay } from "../core/time.ts";
import type { AnyDataset } from "../datasets/incremental.ts";
import type { HistoryReader, Span } from "../store/history.ts";
import { requireForeignFile } from "../store/responses/own-files.ts";
import { requirePlainFile } from "./atomic-file.ts";
import { type Exporting, exportHeld } from "./export.ts";

/** A written file. */
export interface DayFile {
  path: string;
  rows: number;
}

/**
 * Writes the rows of each UTC day that begins in the span to a separate file, such as `positions-2026-11-01.parquet` for
 * `positions.parquet`. Writes only days that are final: the day has ended by `now`, and every slot up to ten minutes after its end,
 * whose snapshots may belong to it by the exchange's clock, has its final row. A day without rows gets no file; existing files are replaced. All files have the state of the database at the start. Yields each file
 * when it is complete. `onProgress` is called with the number of days written so far, and the total.
 * @throws UsageError and StorageError like `exportHistory`
 */
export async function* exportDays(
  history: HistoryReader,
  dataset: AnyDataset,
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

/** Returns the midnights (epoch ms) of the final days that may have rows. */
function finishedDays(history: HistoryReader, dataset: AnyDataset, span: Span, now: number): number[] {
  const series = history.series(null).filter((one) => one.dataset === dataset.name);
  const first = Math.min(...series.map(({ firstAt }) => firstAt));
  // The day of a snapshot is by the exchange's clock, so it may be the day before or after that of its slot.
  const open = history.firstOpenSlot(series.map(({ id }) => id)) - 1 - maxOffsetMs;
  const end = startOfDay(Math.min(now, open));
  const days: number[] = [];
  for (let day = startOfDay(Math.max(span.from, first - dayMs)); day < Math.min(span.to, end); day += dayMs)
    days.push(day);
  return days;
}

function hasRows(history: HistoryReader, dataset: AnyDataset, span: Span): boolean {
  for (const _ of history.scan(dataset, span, { cell: () => null })) return true;
  return false;
}

/** Puts a day before the extension: `a/b.csv.gz` -> `a/b-2026-11-01.csv.gz`. */
function pathOfDay(path: string, day: number): string {
  const [ending = ""] = /\.[a-z]+(\.gz)?$/i.exec(path) ?? [];
  return `${path.slice(0, path.length - ending.length)}-${new Date(day).toISOString().slice(0, 10)}${ending}`;
}
