/** What `runs` and `gaps` have in common: their options, and how their rows are printed. */
import { type Cell, cellText } from "../../core/domain.ts";
import { loadConfig } from "../../settings/config.ts";
import { withHistory } from "../../store/read/open-history.ts";
import type { Command, CommandInput } from "../command.ts";
import { formatOption, isForScreen, maxTableRows, parseFormat, printRows } from "../shared/format.ts";
import { Times, timezoneOption } from "../shared/instant.ts";
import { limitOf, parseDataset, recordedAccount } from "../shared/option.ts";
import { type NarrowTable, narrowed } from "../shared/table.ts";

export const listOptions: NonNullable<Command["options"]> = [
  { flags: "--account <name>", summary: "only this account" },
  { flags: "--dataset <name>", summary: "only this dataset" },
  { flags: "--from <time>", summary: "from this time on" },
  { flags: "--to <time>", summary: "before this time" },
  timezoneOption,
  formatOption,
  { flags: "--limit <n>", summary: "only the newest n rows (default: 50 in a table or records, else all)" },
  { flags: "--wide", summary: "a table of all columns" },
];

/** A column of the table; `isTime`: an instant in ISO 8601, shown in the time zone. */
export interface ListColumn {
  name: string;
  isTime?: true;
  /** Whether it is left out on a narrow terminal, the last one first. */
  isOptional?: true;
}

/** Prints the rows of a view that the options select. `columns` are those of the table without --wide. */
export async function printList(
  view: "runs" | "gaps",
  columns: readonly ListColumn[],
  input: CommandInput,
  state?: string,
): Promise<void> {
  const { options, env, printError } = input;
  const format = parseFormat(options);
  const times = new Times(options);
  const dataset = options.dataset === undefined ? undefined : parseDataset(options.dataset);
  const limit = limitOf(options);
  const maxRows = limit ?? (isForScreen(format) ? maxTableRows : Number.POSITIVE_INFINITY);
  const { databasePath } = loadConfig(env, { credentials: false });
  const found = withHistory(databasePath, (history) =>
    history.list(view, { account: recordedAccount(history, options), dataset, state, ...times.span() }, maxRows + 1),
  );
  const rows = found.rows.slice(-maxRows);
  if (format === "table" && !options.wide)
    await printTable(tableOf(found.columns, rows, columns, times), columns, input);
  else await printRows({ columns: found.columns, rows: [rows] }, format, input, maxRows);
  if (rows.length === 0) printError(`No ${view} match these options.`);
  if (found.rows.length > rows.length && limit === undefined)
    printError(`The newest ${maxRows} rows; there are more. --limit N shows N, --format csv prints all.`);
}

/** Prints a table that fits the terminal, or records where none does. */
async function printTable(
  { headers, rows }: Pick<NarrowTable, "headers" | "rows">,
  columns: readonly ListColumn[],
  input: CommandInput,
): Promise<void> {
  const { isTerminal, width, printError } = input;
  const optional = columns.flatMap(({ name, isOptional }) => (isOptional ? [name] : [])).reverse();
  const table = narrowed(headers, rows, { width: isTerminal ? width : Number.POSITIVE_INFINITY, optional });
  const shown = table ?? { headers, rows, hidden: 0 };
  await printRows({ columns: shown.headers, rows: [shown.rows] }, table ? "table" : "record", input, rows.length);
  if (shown.hidden > 0 && rows.length > 0) printError(`+${shown.hidden} columns: a wider terminal, or --wide`);
}

function tableOf(names: readonly string[], rows: readonly Cell[][], columns: readonly ListColumn[], times: Times) {
  const indexes = columns.map(({ name }) => names.indexOf(name));
  const textOf = (cell: Cell, isTime: boolean): string => {
    if (typeof cell !== "string") return cellText(cell);
    return isTime ? times.text(Date.parse(cell)) : cell;
  };
  return {
    headers: columns.map(({ name, isTime }) => (isTime ? `${name} (${times.timezone})` : name)),
    rows: rows.map((row) => columns.map(({ isTime }, at) => textOf(row[indexes[at] ?? -1] ?? null, isTime === true))),
  };
}
