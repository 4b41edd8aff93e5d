/** Reads exported files of any format back as columns and rows. */

import type { Cell } from "../../core/domain.ts";
import { ShapeError, UsageError } from "../../core/errors.ts";
import { isOpenHere } from "../../store/files/connections.ts";
import type { HistoryFile, PlacedRow } from "../../store/transfer/import-rows.ts";
import { type FileKind, kindOf } from "../file-kind.ts";
import { readCsv } from "./csv.ts";
import { linesOf, type OnProgress, sizeOf } from "./lines.ts";
import { readParquet } from "./parquet.ts";

/**
 * Yields the files one after the other, each with its rows as they are read. Skips NDJSON files without a row, whose dataset cannot be
 * determined.
 * @throws UsageError at once if a file does not exist or its extension is unknown; ShapeError while reading if the content does not
 * match the extension
 */
export function readFiles(paths: readonly string[], onProgress: OnProgress): AsyncGenerator<HistoryFile, void> {
  const files = paths.map((path) => ({ path, kind: kindOf(path), size: sizeOf(path) }));
  const total = files.reduce((sum, { size }) => sum + size, 0);

  async function* read() {
    let before = 0;
    for (const { path, kind, size } of files) {
      const file = await readFile(path, kind, (done) => onProgress(before + done, total));
      if (file.columns.length > 0) yield file;
      before += size;
    }
  }

  return read();
}

async function readFile(path: string, { format, zipped }: FileKind, onProgress: OnProgress): Promise<HistoryFile> {
  // Closing it would drop the locks that this process has on the database.
  if (isOpenHere(path)) throw new UsageError(`${path} is the database itself. Choose a file written by \`export\`.`);
  if (format === "parquet") return readParquet(path, onProgress);
  const lines = linesOf(path, zipped, onProgress);
  return format === "csv" ? readCsv(path, lines) : readNdjson(path, lines);
}

async function readNdjson(path: string, lines: AsyncGenerator<Buffer, void>): Promise<HistoryFile> {
  const first = await lines.next();
  if (first.done) return { path, columns: [], rows: lines as AsyncGenerator<never, void> };
  const [line = ""] = first.value.toString().split("\n", 1);
  const columns = Object.keys(objectIn(path, line, 1));

  async function* rows(): AsyncGenerator<PlacedRow[], void> {
    let number = 0;
    let blank = 0;
    const read = (block: Buffer): PlacedRow[] =>
      block
        .toString()
        .replace(/\n$/, "")
        .split("\n")
        .flatMap((line) => {
          number += 1;
          if (blank > 0 && line.trim() !== "") throw new ShapeError(path, `line ${blank}`, "is empty, but rows follow");
          if (line.trim() === "") blank = number;
          if (blank > 0) return [];
          return { place: `line ${number}`, cells: cellsOf(objectIn(path, line, number), number) };
        });
    if (!first.done) yield read(first.value);
    for await (const block of lines) yield read(block);
  }

  function cellsOf(object: Record<string, unknown>, number: number): Cell[] {
    const names = Object.keys(object);
    if (names.length !== columns.length || names.some((name, at) => name !== columns[at]))
      throw new ShapeError(path, `line ${number}`, "has other columns than the first line");
    return names.map((name) => {
      const value = object[name];
      if (value === null || typeof value === "string" || typeof value === "number") return value;
      throw new ShapeError(path, `line ${number}, ${name}`, "is neither a text nor a number");
    });
  }

  return { path, columns, rows: rows() };
}

function objectIn(path: string, line: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // The message of the JSON parser names a character position, which does not help.
  }
  throw new ShapeError(path, `line ${number}`, "is not a JSON object");
}
