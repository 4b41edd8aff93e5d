import { UsageError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { runQuery } from "../../store/sql/console.ts";
import type { Command } from "../command.ts";
import { formatOption, parseFormat, printRows } from "../shared/format.ts";

export const sql: Command = {
  examples: [
    'sql "select coin, available from spot_assets_latest order by available collate decimal desc"',
    'sql "select decimal_sum(unrealized_pl) as pnl from positions_latest"',
    'sql "select * from gaps" --format csv',
  ],
  options: [formatOption],
  onPostgres: "mirror",
  async run(input) {
    const { args, options, env } = input;
    const statement = args[0] ?? "";
    if (args.length > 1) throw new UsageError("give one statement, in quotes");
    const format = parseFormat(options);
    const { databasePath, sqlTimeoutSeconds } = loadConfig(env, { credentials: false });
    // Fails early if the database is missing or unusable; the statement runs in another process.
    openHistory(databasePath).close();
    await printRows(await runQuery(databasePath, statement, sqlTimeoutSeconds), format, input);
    return 0;
  },
};
