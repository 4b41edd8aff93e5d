import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from "hyparquet";
import { ShapeError } from "../errors.ts";
import type { HistoryFile, PlacedRow } from "../store/import-rows.ts";
import type { Cell } from "../store/query.ts";
import { type OnProgress, sizeOf } from "./lines.ts";

/** Reads a group of rows at a time. @throws ShapeError where it is no Parquet file */
export async function readParquet(path: string, onProgress: OnProgress): Promise<HistoryFile> {
  const size = sizeOf(path);
  const file = await asyncBufferFromFile(path);
  const metadata = await orShapeError(path, "footer", () => parquetMetadataAsync(file));
  const columns = metadata.schema.slice(1).map(({ name }) => name);

  async function* rows(): AsyncGenerator<PlacedRow[], void> {
    let begin = 0;
    for (const group of metadata.row_groups) {
      const end = begin + Number(group.num_rows);
      const read = await orShapeError(path, `rows ${begin + 1} to ${end}`, () => readRows(begin, end));
      yield read.map((cells, at) => ({ place: `row ${begin + at + 1}`, cells }));
      begin = end;
      onProgress(Math.floor((size * end) / Number(metadata.num_rows)), size);
    }
  }

  async function readRows(rowStart: number, rowEnd: number): Promise<Cell[][]> {
    let found: Cell[][] = [];
    await parquetRead({
      file,
      metadata,
      rowStart,
      rowEnd,
      // Its own decoder drops a byte order mark at the beginning of a text.
      parsers: { stringFromBytes: (bytes) => decoder.decode(bytes) },
      onComplete(complete) {
        found = complete;
      },
    });
    return found;
  }

  return { path, columns, rows: rows() };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whatever its reader throws is about the file. */
async function orShapeError<T>(path: string, place: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new ShapeError(path, place, (error as Error).message);
  }
}
