import { Readable } from "node:stream";
import { CsvError, type Info, type Options, type Parser, parse } from "csv-parse";
import { parse as parseNow } from "csv-parse/sync";
import type { Cell } from "../../core/domain.ts";
import { ShapeError } from "../../core/errors.ts";
import type { HistoryFile, PlacedRow } from "../../store/transfer/import-rows.ts";
import { unescapeFormula } from "../csv.ts";
import { maxLineBytes, tooLong } from "./lines.ts";

/** A record of the parser with the options `raw` and `info`. */
interface Parsed {
  record: string[];
  raw: string;
  info: Info;
}

/** How a file is written. `export` writes commas; other programs may save it with other separators. */
interface Dialect {
  separator: string;
  /** The number of lines before the header. */
  preamble: number;
  /** Every cell is quoted, so that an empty text cannot be distinguished from an unknown cell. */
  isQuotedThroughout: boolean;
}

/** Reads a CSV file. `lines`: blocks of complete lines. @throws ShapeError naming the line that is not valid CSV */
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
    // Checked below, with a message that names the line.
    relax_column_count: true,
    max_record_size: maxLineBytes,
  };
  const parser = parse({ ...options, raw: true, info: true });
  const source = Readable.from(prepend(first, lines));
  // Read errors are thrown by reading the records.
  source.on("error", (error) => parser.destroy(error));
  const records = recordsOf(path, source.pipe(parser));
  const header = await records.next();
  const columns = header.done ? [] : header.value.record;
  if (columns.join("") === "")
    throw new ShapeError(path, `line ${preamble + 1}`, "is missing; it must contain the names of the columns");
  if (columns.some((name) => name.includes("\r")))
    throw new ShapeError(path, "line 1", "ends with CR only; save the file with LF or CRLF");

  async function* rows(): AsyncGenerator<PlacedRow[], void> {
    // The parser reports the line in which a record ends.
    let last = preamble + 1;
    let isBlank = false;
    for await (const { record, raw, info } of records) {
      if (isBlank) throw new ShapeError(path, `line ${last}`, "is empty, but rows follow");
      isBlank = raw.trim() === "";
      if (!isBlank) yield [{ place: `line ${last + 1}`, cells: cellsIn(record, raw, last + 1) }];
      last = info.lines;
    }
  }

  function cellsIn(record: readonly string[], raw: string, line: number): Cell[] {
    if (record.length === columns.length) return cellsOf(record, raw, options, isQuotedThroughout);
    throw new ShapeError(path, `line ${line}`, `has ${record.length} cells instead of ${columns.length}`);
  }

  return { path, columns, rows: rows(), isQuotedThroughout };
}

async function* prepend(first: Buffer | undefined, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  if (first) yield first;
  yield* rest;
}

/** Detects the dialect from the beginning of the file: names of columns contain neither separators nor quotes. */
function dialectOf(text: string): Dialect {
  const [first = "", second = ""] = text.split("\n", 2);
  const declared = /^"?sep=([,;\t|])"?\r?$/i.exec(first)?.[1];
  const header = declared ? second : first;
  return {
    separator: declared ?? /[,;\t|]/.exec(header)?.[0] ?? ",",
    preamble: declared ? 1 : 0,
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

/** Returns the cells of a record: an empty cell is unknown (null), `""` an empty text. */
function cellsOf(record: readonly string[], raw: string, options: Options, isQuotedThroughout: boolean): Cell[] {
  // Parsing with the quotes of each cell takes ten times as long; few records contain an empty text.
  const hasEmptyText = !isQuotedThroughout && /(^|[,;\t|])""([,;\t|]|\r|\n|$)/.test(raw);
  const cells = hasEmptyText ? withQuotes(raw, options) : record.map((cell) => (cell === "" ? null : cell));
  if (isQuotedThroughout) return record.map(unescapeFormula);
  return cells.map((cell) => (cell === null ? null : unescapeFormula(cell)));
}

function withQuotes(raw: string, { delimiter, record_delimiter }: Options): (string | null)[] {
  // The raw record may end with half of a line end.
  const [record = []] = parseNow(raw.replace(/\r?\n?$/, ""), {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(record_delimiter === undefined ? {} : { record_delimiter }),
    cast: (cell, { quoting }) => (cell === "" && !quoting ? null : cell),
  }) as (string | null)[][];
  return record;
}
