/** Rows on stdout: as a table for people, as CSV and JSON for programs. */

import { type Cell, cellText } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { visible } from "../../core/text.ts";
import { csvLine, csvLineForTerminal } from "../../output/csv.ts";
import { objectText } from "../../output/ndjson.ts";
import type { CommandInput } from "../command.ts";
import { formatTable } from "./table.ts";

const formats = ["table", "csv", "json", "ndjson"] as const;
export type Format = (typeof formats)[number];

export const formatOption = {
  flags: "--format <format>",
  summary: "table (the default; at most 50 rows), csv, json or ndjson",
};

/** @throws UsageError for a format that is none */
export function parseFormat({ format = "table" }: CommandInput["options"]): Format {
  const found = formats.find((one) => one === format);
  if (!found) throw new UsageError(`--format "${format}" is none of ${formats.join(", ")}`);
  return found;
}

export interface Rows {
  columns: readonly string[];
  rows: AsyncIterable<readonly Cell[][]> | Iterable<readonly Cell[][]>;
}

/** Rows that a table shows unless told otherwise; a person reads no more. */
export const maxTableRows = 50;

/** Resolves when all is written, or nobody reads any more. What is left out of a table is said on stderr. */
export async function printRows(rows: Rows, format: Format, input: CommandInput, most = maxTableRows): Promise<void> {
  const { write, printError, isTerminal } = input;
  if (format !== "table") {
    for await (const text of formatRows(rows, format, isTerminal)) if (!(await write(text))) return;
    return;
  }
  const shown: Cell[][] = [];
  for await (const batch of rows.rows) {
    shown.push(...batch);
    if (shown.length > most) break;
  }
  const lines = formatTable(
    rows.columns,
    shown.slice(0, most).map((row) => row.map((cell) => (typeof cell === "string" ? cell : cellText(cell)))),
  );
  await write(`${lines.join("\n")}\n`);
  if (shown.length > most)
    printError(`The first ${most} rows; there are more. --format csv, json or ndjson prints them all.`);
}

type TextStream = AsyncGenerator<string>;

/** To a file or a pipe byte for byte. A terminal shows control characters as escapes, which in JSON mean the same. */
async function* formatRows(
  { columns, rows }: Rows,
  format: "csv" | "json" | "ndjson",
  isTerminal: boolean,
): TextStream {
  if (format === "csv") {
    const line = isTerminal ? csvLineForTerminal : csvLine;
    // With the first rows, so that a query that fails before them prints nothing.
    let head = line(columns);
    for await (const batch of rows) {
      yield head + batch.map(line).join("");
      head = "";
    }
    return;
  }
  const exact = objectText(columns);
  const object = isTerminal ? (row: readonly Cell[]) => visible(exact(row)) : exact;
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
