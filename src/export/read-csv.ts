import { Readable } from "node:stream";
import { CsvError, type Info, type Parser, parse } from "csv-parse";
import { parse as parseNow } from "csv-parse/sync";
import { ShapeError } from "../errors.ts";
import { undefused } from "../reports/csv.ts";
import type { HistoryFile, PlacedRow } from "../store/import-rows.ts";
import type { Cell } from "../store/query.ts";

/** RFC 4180, and the line ends of other programs. */
const dialect = { record_delimiter: ["\r\n", "\n"] };

/** What the parser gives with `raw` and `info`. */
interface Parsed {
  record: string[];
  raw: string;
  info: Info;
}

/** `lines` are those of the file, whole ones. @throws ShapeError naming the line that is no CSV */
export async function readCsv(path: string, lines: AsyncIterable<Buffer>): Promise<HistoryFile> {
  const parser = parse({ ...dialect, raw: true, info: true });
  const source = Readable.from(lines);
  // What cannot be read is heard of where the records are.
  source.on("error", (error) => parser.destroy(error));
  const records = recordsOf(path, source.pipe(parser));
  const header = await records.next();
  if (header.done) throw new ShapeError(path, "line 1", "is missing; export writes the names of the columns there");
  const columns = header.value.record;

  async function* rows(): AsyncGenerator<PlacedRow[], void> {
    // The parser tells where a record ends.
    let last = 1;
    for await (const { record, raw, info } of records) {
      yield [{ place: `line ${last + 1}`, cells: cellsOf(record, raw) }];
      last = info.lines;
    }
  }

  return { path, columns, rows: rows() };
}

async function* recordsOf(path: string, parser: Parser): AsyncGenerator<Parsed, void> {
  try {
    for await (const record of parser) yield record as Parsed;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ShapeError(path, `line ${parser.info.lines}`, error.message);
  }
}

/** An empty cell is unknown, `""` an empty text. */
function cellsOf(record: readonly string[], raw: string): Cell[] {
  // Asking the parser for the quotes of each cell takes ten times as long; few records have empty ones.
  const cells = /(^|,)""(,|\r|\n|$)/.test(raw) ? withQuotes(raw) : record.map((cell) => (cell === "" ? null : cell));
  return cells.map((cell) => (cell === null ? null : undefused(cell)));
}

function withQuotes(raw: string): (string | null)[] {
  // The line end may be cut in two.
  const [record = []] = parseNow(raw.replace(/\r?\n?$/, ""), {
    ...dialect,
    cast: (cell, { quoting }) => (cell === "" && !quoting ? null : cell),
  }) as (string | null)[][];
  return record;
}
