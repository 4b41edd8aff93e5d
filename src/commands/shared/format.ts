/** Prints rows on stdout as a table, as records, or as CSV, JSON or NDJSON. */

import { type Cell, cellText } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { escapeControlChars } from "../../core/text.ts";
import { csvLine, csvLineForTerminal } from "../../output/csv.ts";
import { objectText } from "../../output/ndjson.ts";
import type { CommandInput } from "../command.ts";
import { paint } from "../terminal/colour.ts";
import { knownNames } from "../terminal/suggest.ts";
import { formatRecords, formatTable } from "./table.ts";

export const formats = ["table", "record", "csv", "json", "ndjson"] as const;
export type Format = (typeof formats)[number];

export const formatOption = {
  flags: "--format <format>",
  summary: "table (the default) or record (a line per column), at most 50 rows; csv, json or ndjson",
};

/** Returns the value of --format. @throws UsageError for an unknown format */
export function parseFormat({ format = "table" }: CommandInput["options"]): Format {
  const found = formats.find((one) => one === format);
  if (!found) throw new UsageError(`unknown --format "${format}"${knownNames("formats", String(format), formats)}`);
  return found;
}

/** Rows to print, in batches that are read as they are printed. */
export interface Rows {
  columns: readonly string[];
  rows: AsyncIterable<readonly Cell[][]> | Iterable<readonly Cell[][]>;
}

/** The number of rows that a table, or records, show without --limit. */
export const maxTableRows = 50;

/** Returns whether a format is for reading on a screen, and therefore limited. */
export const isForScreen = (format: Format): format is "table" | "record" => format === "table" || format === "record";

/** Prints rows; resolves when all are written or the reader has closed the pipe. If a table or records omit rows, prints a line on stderr. */
export async function printRows(
  rows: Rows,
  format: Format,
  input: CommandInput,
  maxRows = maxTableRows,
): Promise<void> {
  const { write, printError, isTerminal } = input;
  if (!isForScreen(format)) {
    for await (const text of formatRows(rows, format, isTerminal)) if (!(await write(text))) return;
    return;
  }
  const shown: Cell[][] = [];
  for await (const batch of rows.rows) {
    shown.push(...batch);
    if (shown.length > maxRows) break;
  }
  const [head = "", ...lines] = (format === "table" ? formatTable : formatRecords)(
    rows.columns,
    shown.slice(0, maxRows).map((row) => row.map((cell) => (typeof cell === "string" ? cell : cellText(cell)))),
  );
  const isHead = format === "table" && input.isColoured;
  await write(`${[isHead ? paint("head", head) : head, ...lines].join("\n")}\n`);
  if (shown.length > maxRows) printError(moreRows(maxRows));
}

/** Returns what is printed where rows are omitted. */
export const moreRows = (maxRows: number): string =>
  `The first ${maxRows} rows; there are more. --format csv, json or ndjson prints them all.`;

type TextStream = AsyncGenerator<string>;

/** Yields the text of each batch: unchanged for a file or pipe, with control characters escaped for a terminal (equivalent in JSON). */
async function* formatRows(
  { columns, rows }: Rows,
  format: "csv" | "json" | "ndjson",
  isTerminal: boolean,
): TextStream {
  if (format === "csv") {
    const line = isTerminal ? csvLineForTerminal : csvLine;
    // Printed with the first rows, so that a query that fails before them prints nothing.
    let header = line(columns);
    for await (const batch of rows) {
      yield header + batch.map(line).join("");
      header = "";
    }
    return;
  }
  const exact = objectText(columns);
  const object = isTerminal ? (row: readonly Cell[]) => escapeControlChars(exact(row)) : exact;
  if (format === "ndjson") {
    for await (const batch of rows) yield batch.map((row) => `${object(row)}\n`).join("");
    return;
  }
  let separator = "[\n";
  for await (const batch of rows) {
    if (batch.length === 0) continue;
    yield separator + batch.map(object).join(",\n");
    separator = ",\n";
  }
  yield separator === "[\n" ? "[]\n" : "\n]\n";
}
