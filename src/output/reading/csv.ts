import { Readable } from "node:stream";
import { CsvError, type Info, type Options, type Parser, parse } from "csv-parse";
import { parse as parseNow } from "csv-parse/sync";
import type { Cell } from "../../core/domain.ts";
import { ShapeError } from "../../core/errors.ts";
import type { HistoryFile, PlacedRow } from "../../store/transfer/import-rows.ts";
import { unescapeFormula } from "../csv.ts";
import { maxLineBytes, tooLong } from "./lines.ts";

/** What the parser gives with `raw` and `info`. */
interface Parsed {
  record: string[];
  raw: string;
  info: Info;
}

/** How a file is written. What export writes has commas; other programs save it with others. */
interface Dialect {
  separator: string;
  /** Lines before the names of the columns. */
  preamble: number;
  /** Every cell is in quotes, so that an empty text and an unknown cell look the same. */
  isQuotedThroughout: boolean;
}

/** `lines` are those of the file, whole ones. @throws ShapeError naming the line that is no CSV */
export async function readCsv(path: string, lines: AsyncGenerator<Buffer, void>): Promise<HistoryFile> {
  const { value, done } = await lines.next();
  const first = done ? undefined : value;
  const dialect = dialectOf(first?.toString() ?? "");
  const { preamble, isQuotedThroughout } = dialect;
  const options: Options = {
    // RFC 4180, and the line ends of other programs.
    record_delimiter: ["\r\n", "\n"],
    delimiter: dialect.separator,
    from_line: preamble + 1,
    // Told below, in words that say which line it is.
    relax_column_count: true,
    max_record_size: maxLineBytes,
  };
  const parser = parse({ ...options, raw: true, info: true });
  const source = Readable.from(again(first, lines));
  // What cannot be read is heard of where the records are.
  source.on("error", (error) => parser.destroy(error));
  const records = recordsOf(path, source.pipe(parser));
  const header = await records.next();
  const columns = header.done ? [] : header.value.record;
  if (columns.join("") === "")
    throw new ShapeError(path, `line ${preamble + 1}`, "is missing; export writes the names of the columns there");
  if (columns.some((name) => name.includes("\r")))
    throw new ShapeError(path, "line 1", "ends with a CR alone; save the file with LF or CRLF");

  async function* rows(): AsyncGenerator<PlacedRow[], void> {
    // The parser tells where a record ends.
    let last = preamble + 1;
    let isBlank = false;
    for await (const { record, raw, info } of records) {
      if (isBlank) throw new ShapeError(path, `line ${last}`, "is empty, and rows follow");
      isBlank = raw.trim() === "";
      if (!isBlank) yield [{ place: `line ${last + 1}`, cells: cellsIn(record, raw, last + 1) }];
      last = info.lines;
    }
  }

  function cellsIn(record: readonly string[], raw: string, line: number): Cell[] {
    if (record.length === columns.length) return cellsOf(record, raw, options, isQuotedThroughout);
    const wanted = `has ${record.length} cells, and the first line ${columns.length}`;
    throw new ShapeError(path, `line ${line}`, `Invalid Record Length: ${wanted}`);
  }

  return { path, columns, rows: rows(), isQuotedThroughout };
}

async function* again(first: Buffer | undefined, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  if (first) yield first;
  yield* rest;
}

/** As the beginning of the file shows it: no name of a column has a separator or a quote in it. */
function dialectOf(text: string): Dialect {
  const [first = "", second = ""] = text.split("\n", 2);
  const told = /^"?sep=([,;\t|])"?\r?$/i.exec(first)?.[1];
  const header = told ? second : first;
  return {
    separator: told ?? /[,;\t|]/.exec(header)?.[0] ?? ",",
    preamble: told ? 1 : 0,
    isQuotedThroughout: header.startsWith('"'),
  };
}

async function* recordsOf(path: string, parser: Parser): AsyncGenerator<Parsed, void> {
  let last = 0;
  try {
    for await (const record of parser) {
      last = (record as Parsed).info.lines;
      yield record as Parsed;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code === "CSV_MAX_RECORD_SIZE") throw tooLong(path, last + 1);
    throw new ShapeError(path, `line ${parser.info.lines}`, error.message);
  }
}

/** An empty cell is unknown, `""` an empty text. */
function cellsOf(record: readonly string[], raw: string, options: Options, isQuotedThroughout: boolean): Cell[] {
  // Asking the parser for the quotes of each cell takes ten times as long; few records have empty ones.
  const hasEmptyText = !isQuotedThroughout && /(^|[,;\t|])""([,;\t|]|\r|\n|$)/.test(raw);
  const cells = hasEmptyText ? withQuotes(raw, options) : record.map((cell) => (cell === "" ? null : cell));
  if (isQuotedThroughout) return record.map(unescapeFormula);
  return cells.map((cell) => (cell === null ? null : unescapeFormula(cell)));
}

function withQuotes(raw: string, { delimiter, record_delimiter }: Options): (string | null)[] {
  // The line end may be cut in two.
  const [record = []] = parseNow(raw.replace(/\r?\n?$/, ""), {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(record_delimiter === undefined ? {} : { record_delimiter }),
    cast: (cell, { quoting }) => (cell === "" && !quoting ? null : cell),
  }) as (string | null)[][];
  return record;
}
