/** Prints the rows of a history view with the columns that the options choose. */
import type { Cell, DatasetName } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import type { HistoryReader } from "../../store/history.ts";
import type { CommandInput } from "../command.ts";
import { moreRows, parseFormat, printRows } from "../shared/format.ts";
import { Times } from "../shared/instant.ts";
import { textOption } from "../shared/option.ts";
import { fittedTable } from "./history-table.ts";
import { knownNames } from "./suggest.ts";

type Batches = Iterable<readonly Cell[][]>;

/**
 * Returns a function that prints rows of the view with these columns: those of --columns, or all, or in a table those that fit.
 * @throws UsageError for an unknown column
 */
export function printerOf(
  history: HistoryReader,
  name: DatasetName,
  columns: readonly string[],
  input: CommandInput,
): (rows: Batches, maxRows: number) => Promise<void> {
  const { options, printError, width } = input;
  const format = parseFormat(options);
  const { timezone } = new Times(options);
  const chosen = chosenColumns(options, columns);
  return async (batches, maxRows) => {
    if (chosen) {
      const indexes = chosen.map((column) => columns.indexOf(column));
      const rows = mapBatches(batches, (row) => indexes.map((index) => row[index] ?? null));
      return printRows({ columns: chosen, rows }, format, input, maxRows);
    }
    const all = format === "table" && options.wide !== true ? [...batches].flat() : null;
    const shown = all?.slice(0, maxRows);
    const table =
      shown && fittedTable(name, columns, shown, { width, hasAccounts: history.accounts().length > 1, timezone });
    if (!table) return printRows({ columns, rows: all ? [all] : batches }, format, input, maxRows);
    await printRows({ columns: table.columns, rows: [table.rows] }, format, input, maxRows);
    if (all && all.length > maxRows) printError(moreRows(maxRows));
    if (table.rows.length > 0 && table.hidden > 0) printError(`+${table.hidden} columns, and all digits: --wide`);
  };
}

function* mapBatches(batches: Batches, change: (row: Cell[]) => Cell[]): Generator<Cell[][]> {
  for (const batch of batches) yield batch.map(change);
}

/** Returns the columns of --columns; null without it. @throws UsageError for one that the view does not have, or beside --wide */
function chosenColumns(options: CommandInput["options"], columns: readonly string[]): string[] | null {
  const text = textOption(options, "columns");
  if (text === undefined) return null;
  if (options.wide) throw new UsageError("--columns and --wide cannot be combined");
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !columns.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`unknown column "${unknown}"${knownNames("columns", unknown, columns)}`);
  return names;
}
