import { QueryError, UsageError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { type QueryResult, runQuery } from "../../store/sql/console.ts";
import type { Command } from "../command.ts";
import { formatOption, parseFormat, printRows } from "../shared/format.ts";
import { didYouMean } from "../terminal/suggest.ts";

export const sql: Command = {
  examples: [
    'sql "select coin, available from spot_assets_latest order by available collate decimal desc"',
    'sql "select decimal_sum(unrealized_pl) as pnl from positions_latest"',
    'sql "select * from gaps" --format csv',
  ],
  options: [formatOption],
  onPostgres: "mirror",
  isPaged: () => true,
  async run(input) {
    const { args, options, env } = input;
    const statement = args[0] ?? "";
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

/** Adds the views or columns that an unknown name probably means to the message of SQLite. */
async function withSuggestion(error: QueryError, run: (text: string) => Promise<QueryResult>): Promise<QueryError> {
  const [, what, name = ""] = /^no such (table|column): ([^;]+)/.exec(error.message) ?? [];
  if (what === undefined) return error;
  const views = "select name from sqlite_schema where type = 'view'";
  const columns = `select distinct info.name from (${views}) as view, pragma_table_info(view.name) as info`;
  const known: string[] = [];
  for await (const batch of (await run(what === "table" ? views : columns)).rows)
    known.push(...batch.map(([cell]) => String(cell)));
  const suggested = didYouMean(name.split(".").at(-1) ?? name, known);
  return suggested === "" ? error : new QueryError(error.message.replace(";", `; ${suggested}`));
}
