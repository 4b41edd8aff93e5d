import { QueryError, UsageError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { type QueryResult, runQuery } from "../../store/sql/console.ts";
import { columnHeaders, type DescribedView, describedViews } from "../../store/sql/data-dictionary.ts";
import type { Command, CommandInput } from "../command.ts";
import { formatOption, parseFormat, printRows } from "../shared/format.ts";
import { formatTable } from "../shared/table.ts";
import { didYouMean, knownNames, viewsMeant } from "../terminal/suggest.ts";

export const sql: Command = {
  examples: [
    'sql "select coin, available from spot_assets_latest order by available collate decimal desc"',
    'sql "select decimal_sum(unrealized_pl) as pnl from positions_latest"',
    'sql "select * from gaps" --format csv',
    "sql --schema positions_latest",
  ],
  options: [
    formatOption,
    { flags: "--schema [view]", summary: "print the views, or one of them, with their columns and what they mean" },
  ],
  onPostgres: "mirror",
  readsHistory: ({ schema }) => schema === undefined,
  isPaged: () => true,
  async run(input) {
    const { args, options, env } = input;
    if (options.schema !== undefined) return printSchema(input);
    const [statement] = args;
    if (statement === undefined) throw new UsageError("give a statement in quotes, or --schema to see the views");
    if (args.length > 1) throw new UsageError("give one statement, in quotes");
    const format = parseFormat(options);
    const { databasePath, sqlTimeoutSeconds } = loadConfig(env, { credentials: false });
    // Fails early if the database is missing or unusable; the statement runs in another process.
    openHistory(databasePath).close();
    const run = (text: string) => runQuery(databasePath, text, sqlTimeoutSeconds);
    const result = await run(statement).catch(async (error: unknown) => {
      throw error instanceof QueryError ? await withSuggestion(error, run) : error;
    });
    await printRows(result, format, input);
    return 0;
  },
};

/** Prints what the views are; as a table, one for each. */
async function printSchema(input: CommandInput): Promise<number> {
  const { args, options, write } = input;
  if (args.length > 0) throw new UsageError("--schema takes the name of a view, and no statement");
  const format = parseFormat(options);
  const all = describedViews();
  const views = options.schema === true ? all : [viewNamed(all, String(options.schema))];
  if (format === "table") {
    const texts = views.map(({ name, summary, columns }) =>
      [name, summary, "", ...formatTable(columnHeaders, columns).map((line) => `  ${line}`), ""].join("\n"),
    );
    await write(`${texts.join("\n")}`);
    return 0;
  }
  const rows = views.map(({ name, columns }) => columns.map((cells) => [name, ...cells]));
  await printRows({ columns: ["view", ...columnHeaders], rows }, format, input, Number.POSITIVE_INFINITY);
  return 0;
}

/** @throws UsageError for an unknown view */
function viewNamed(all: readonly DescribedView[], name: string): DescribedView {
  const found = all.find((view) => view.name === name.replace(/_latest$/, "_history"));
  if (found) return { ...found, name };
  const latest = all
    .filter((view) => view.name.endsWith("_history"))
    .map((view) => view.name.replace("history", "latest"));
  throw new UsageError(
    `unknown view "${name}"${knownNames("views", name, [...all.map((view) => view.name), ...latest], viewsMeant)}`,
  );
}

/** Adds the views or columns that an unknown name probably means to the message of SQLite. */
async function withSuggestion(error: QueryError, run: (text: string) => Promise<QueryResult>): Promise<QueryError> {
  const [, what, name = ""] = /^no such (table|column): ([^;]+)/.exec(error.message) ?? [];
  if (what === undefined) return error;
  const views = "select name from sqlite_schema where type = 'view'";
  const columns = `select distinct info.name from (${views}) as view, pragma_table_info(view.name) as info`;
  const known: string[] = [];
  for await (const batch of (await run(what === "table" ? views : columns)).rows)
    known.push(...batch.map(([cell]) => String(cell)));
  const suggested = (what === "table" ? viewsMeant : didYouMean)(name.split(".").at(-1) ?? name, known);
  return suggested === "" ? error : new QueryError(error.message.replace(";", `; ${suggested}`));
}
