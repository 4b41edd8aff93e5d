import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, type RowGroup } from "hyparquet";
import type { Cell } from "../../core/domain.ts";
import { ShapeError } from "../../core/errors.ts";
import type { HistoryFile, PlacedRow } from "../../store/transfer/import-rows.ts";
import { checkPages } from "./check-parquet.ts";
import { type OnProgress, sizeOf } from "./lines.ts";

/** Limits of a row group, which is held in memory as a whole. `export` writes groups of 10,000 rows. */
const maxGroupRows = 1_000_000;
const maxGroupBytes = 2 ** 30;

/** Reads a Parquet file, one row group at a time. @throws ShapeError if the file is not valid */
export async function readParquet(path: string, onProgress: OnProgress): Promise<HistoryFile> {
  const size = sizeOf(path);
  const file = await asyncBufferFromFile(path);
  const metadata = await orShapeError(path, "footer", () => parquetMetadataAsync(file));
  const elements = metadata.schema.slice(1);
  if (elements.some(({ num_children, repetition_type }) => num_children || repetition_type === "REPEATED"))
    throw new ShapeError(path, "columns", "do not belong to a dataset: some are lists");
  const columns = elements.map(({ name }) => name);

  async function* rows(): AsyncGenerator<PlacedRow[], void> {
    let begin = 0;
    for (const group of metadata.row_groups) {
      const end = begin + Number(group.num_rows);
      const place = `rows ${begin + 1} to ${end}`;
      requireWithinLimits(place, group);
      await orShapeError(path, place, () => checkGroup(group));
      const read = await orShapeError(path, place, () => readRows(begin, end));
      if (read.length !== end - begin) throw new ShapeError(path, place, `only ${read.length} were found`);
      yield read.map((cells, at) => ({ place: `row ${begin + at + 1}`, cells }));
      begin = end;
      onProgress(Math.floor((size * end) / Number(metadata.num_rows)), size);
    }
  }

  function requireWithinLimits(place: string, { num_rows, total_byte_size }: RowGroup): void {
    if (num_rows <= maxGroupRows && total_byte_size <= maxGroupBytes) return;
    const limits = `${maxGroupRows} rows or ${maxGroupBytes / 2 ** 20} MiB`;
    throw new ShapeError(
      path,
      place,
      `are one row group of more than ${limits}; write the file with smaller row groups`,
    );
  }

  async function checkGroup({ columns: chunks, num_rows }: RowGroup): Promise<void> {
    for (const [at, { meta_data: column }] of chunks.entries()) {
      const element = metadata.schema[at + 1];
      if (!column || !element) throw new Error("has a column that is not in the schema");
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
      // The default decoder drops a byte order mark at the beginning of a text.
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

/** Turns errors of hyparquet, which are all about the file, into a ShapeError. */
async function orShapeError<T>(path: string, place: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new ShapeError(path, place, (error as Error).message);
  }
}
