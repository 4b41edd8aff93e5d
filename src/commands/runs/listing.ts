/** What `runs` and `gaps` have in common: their options, and how their rows are printed. */
import type { Cell } from "../../core/domain.ts";
import { loadConfig } from "../../settings/config.ts";
import { withHistory } from "../../store/read/open-history.ts";
import type { Command, CommandInput } from "../command.ts";
import { formatOption, isForScreen, maxTableRows, parseFormat, printRows } from "../shared/format.ts";
import { Times, timezoneOption } from "../shared/instant.ts";
import { limitOf, parseDataset, recordedAccount } from "../shared/option.ts";

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
    await printRows(tableOf(found.columns, rows, columns, times), format, input, maxRows);
  else await printRows({ columns: found.columns, rows: [rows] }, format, input, maxRows);
  if (rows.length === 0) printError(`No ${view} match these options.`);
  if (found.rows.length > rows.length && limit === undefined)
    printError(`The newest ${maxRows} rows; there are more. --limit N shows N, --format csv prints all.`);
}

function tableOf(names: readonly string[], rows: readonly Cell[][], columns: readonly ListColumn[], times: Times) {
  const indexes = columns.map(({ name }) => names.indexOf(name));
  const shown = rows.map((row) =>
    columns.map(({ isTime }, at): Cell => {
      const cell = row[indexes[at] ?? -1] ?? null;
      return isTime && typeof cell === "string" ? times.text(Date.parse(cell)) : cell;
    }),
  );
  const headers = columns.map(({ name, isTime }) => (isTime ? `${name} (${times.timezone})` : name));
  return { columns: headers, rows: [shown] };
}
