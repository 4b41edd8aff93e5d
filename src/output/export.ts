/** A dataset's whole history as one file. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Dataset } from "../datasets/dataset.ts";
import type { HistoryReader, RowFormat, Span } from "../store/history.ts";
import { writeAtomically } from "./atomic-file.ts";
import { csvCell, csvLine } from "./csv.ts";
import { kindOf } from "./file-kind.ts";
import { jsonMember } from "./ndjson.ts";
import { parquetChunks } from "./parquet.ts";

export interface Exporting {
  span: Span;
  /** Ends it, leaving nothing behind; its reason is thrown. */
  signal: AbortSignal;
  /** Called with the rows read and in all. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Writes every row of the dataset's history view into a file, in the format that its name says, reading the database as it
 * was at the beginning. Memory does not grow with the rows. Returns how many there were.
 * @throws UsageError for a name of no known format; StorageError where the file cannot be written
 */
export async function exportHistory(
  history: HistoryReader,
  dataset: Dataset,
  path: string,
  { span, signal, onProgress }: Exporting,
): Promise<number> {
  const { format, zipped } = kindOf(path);
  let done = 0;
  const release = history.hold();
  try {
    const columns = history.columns(dataset);
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
  } finally {
    release();
  }
}

/** Characters in a piece, or somewhat more. */
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

/** gzip without name and time: the same pieces always make the same bytes. */
async function* compressed(pieces: Iterable<string | Buffer>): AsyncGenerator<Buffer, void> {
  const gzip = createGzip();
  const fed = pipeline(Readable.from(pieces), gzip);
  // What ends the pieces early ends the reading below as well, which is where it is heard of.
  fed.catch(() => {});
  yield* gzip;
}
