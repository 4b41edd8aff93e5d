/** Exports the history of a dataset to one file. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { AnyDataset } from "../datasets/incremental.ts";
import type { HistoryReader, RowFormat, Span } from "../store/history.ts";
import { writeAtomically } from "./atomic-file.ts";
import { csvCell, csvLine } from "./csv.ts";
import { kindOf } from "./file-kind.ts";
import { jsonMember } from "./ndjson.ts";
import { parquetChunks } from "./parquet.ts";

export interface Exporting {
  span: Span;
  /** Aborts the export, which leaves no file; its reason is thrown. */
  signal: AbortSignal;
  /** Called with the number of rows read so far, and the total. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Writes every row of the dataset's history view to a file, in the format given by its extension, from the state of the database at
 * the start. Memory does not grow with the number of rows. Returns the number of rows.
 * @throws UsageError for an unknown extension; StorageError if the file cannot be written
 */
export async function exportHistory(
  history: HistoryReader,
  dataset: AnyDataset,
  path: string,
  options: Exporting,
): Promise<number> {
  const release = history.hold();
  try {
    return await exportHeld(history, dataset, path, options);
  } finally {
    release();
  }
}

/** Exports like `exportHistory` while the caller holds the history. */
export async function exportHeld(
  history: HistoryReader,
  dataset: AnyDataset,
  path: string,
  { span, signal, onProgress }: Exporting,
): Promise<number> {
  const { format, zipped } = kindOf(path);
  let done = 0;
  const columns = history.exportedColumns(dataset);
  const total = onProgress ? history.countRows(dataset, span) : 0;
  function* snapshots<T>(form: RowFormat<T>): Generator<T[][], void> {
    for (const rows of history.scan(dataset, span, form)) {
      yield rows;
      signal.throwIfAborted();
      done += rows.length;
      onProgress?.(done, total);
    }
  }
  const pieces =
    format === "parquet"
      ? parquetChunks(dataset, columns, snapshots({ cell: (cell) => cell }))
      : lines(columns, format, snapshots({ cell: format === "csv" ? csvCell : jsonMember, join: commas }));
  await writeAtomically(path, zipped ? compressed(pieces) : pieces);
  return done;
}

/** The minimum length of a piece. Characters. */
const pieceLength = 262_144;

const commas = (cells: readonly string[]): string => cells.join(",");

function* lines(
  columns: readonly string[],
  format: "csv" | "ndjson",
  snapshots: Iterable<string[][]>,
): Generator<string, void> {
  const isCsv = format === "csv";
  let piece = isCsv ? csvLine(columns) : "";
  for (const rows of snapshots) {
    for (const runs of rows) piece += isCsv ? `${runs.join(",")}\r\n` : `{${runs.join(",")}}\n`;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}

/** Compresses with gzip, without name and time in the header: the same pieces always give the same bytes. */
async function* compressed(pieces: Iterable<string | Buffer>): AsyncGenerator<Buffer, void> {
  const gzip = createGzip();
  const fed = pipeline(Readable.from(pieces), gzip);
  // An error in the pieces also ends `gzip`, and is thrown by reading it.
  fed.catch(() => {});
  yield* gzip;
}
