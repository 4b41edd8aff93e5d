import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, type RowGroup } from "hyparquet";
import type { Cell } from "../../core/domain.ts";
import { ShapeError } from "../../core/errors.ts";
import type { HistoryFile, PlacedRow } from "../../store/transfer/import-rows.ts";
import { checkPages } from "./check-parquet.ts";
import { type OnProgress, sizeOf } from "./lines.ts";

/** What a group of rows may have, for it is in memory as a whole. Export writes 10,000 rows. */
const mostRows = 1_000_000;
const mostBytes = 2 ** 30;

/** Reads a group of rows at a time. @throws ShapeError where it is no Parquet file */
export async function readParquet(path: string, onProgress: OnProgress): Promise<HistoryFile> {
  const size = sizeOf(path);
  const file = await asyncBufferFromFile(path);
  const metadata = await orShapeError(path, "footer", () => parquetMetadataAsync(file));
  const elements = metadata.schema.slice(1);
  if (elements.some(({ num_children, repetition_type }) => num_children || repetition_type === "REPEATED"))
    throw new ShapeError(path, "columns", "are those of no dataset's history: there are lists among them");
  const columns = elements.map(({ name }) => name);

  async function* rows(): AsyncGenerator<PlacedRow[], void> {
    let begin = 0;
    for (const group of metadata.row_groups) {
      const end = begin + Number(group.num_rows);
      const place = `rows ${begin + 1} to ${end}`;
      requireModest(place, group);
      await orShapeError(path, place, () => checkGroup(group));
      const read = await orShapeError(path, place, () => readRows(begin, end));
      if (read.length !== end - begin) throw new ShapeError(path, place, `only ${read.length} are there`);
      yield read.map((cells, at) => ({ place: `row ${begin + at + 1}`, cells }));
      begin = end;
      onProgress(Math.floor((size * end) / Number(metadata.num_rows)), size);
    }
  }

  function requireModest(place: string, { num_rows, total_byte_size }: RowGroup): void {
    if (num_rows <= mostRows && total_byte_size <= mostBytes) return;
    const limits = `${mostRows} rows or ${mostBytes / 2 ** 20} MiB`;
    throw new ShapeError(path, place, `are one group of more than ${limits}; write the file with smaller groups`);
  }

  async function checkGroup({ columns: chunks, num_rows }: RowGroup): Promise<void> {
    for (const [at, { meta_data: column }] of chunks.entries()) {
      const element = metadata.schema[at + 1];
      if (!column || !element) throw new Error("is of a column that is not there");
      const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
      const bytes = await file.slice(start, start + Number(column.total_compressed_size));
      checkPages(bytes, column, element, Number(num_rows));
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
