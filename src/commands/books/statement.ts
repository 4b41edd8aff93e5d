import { cooperate } from "../../core/async/cooperate.ts";
import { UsageError } from "../../core/errors.ts";
import { writeAtomically } from "../../output/atomic-file.ts";
import { turnMs } from "../../reports/render.ts";
import { beginOf } from "../../reports/report.ts";
import { type Form, forms, statementIn } from "../../reports/statement/books.ts";
import { loadConfig } from "../../settings/config.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { requireForeignFile } from "../../store/responses/own-files.ts";
import type { Command } from "../command.ts";
import { choiceOf, ownAccount, textOption } from "../shared/option.ts";
import { monthOf, requireRecorded } from "./month.ts";
import { outputPath } from "./output-path.ts";

export const statement: Command = {
  examples: [
    "statement --out october.html",
    "statement 2026-10 --account main --out october.html",
    "statement 2026-10 --out books/october.csv",
  ],
  details: [
    "One HTML sheet to print: equity at the opening and the close, what was paid in and out, profit, fees, balances,",
    "coverage, and the chain head. Without a month it is that of the last complete one. Where a line is not known as a",
    "whole, it says what is known, and of how many days. As CSV it has the lines of equity and profit, with every digit.",
  ],
  options: [
    { flags: "--account <name>", summary: "the account; needed where there are several" },
    { flags: "--timezone <name>", summary: "time zone of the month, such as Europe/Berlin (default: TIMEZONE)" },
    { flags: "--format <format>", summary: `${forms.join(" or ")} (default: by the ending of --out, else html)` },
    { flags: "--out <path>", summary: "write to this file instead of stdout; its folder must exist" },
  ],
  onPostgres: "mirror",
  async run(input) {
    const { options, env, write, printError } = input;
    const config = loadConfig(env, { credentials: false });
    const now = Date.now();
    const month = monthOf(input, { timezone: config.timezone, now });
    const history = openHistory(config.databasePath);
    try {
      const accounts = history.accounts();
      const account = ownAccount(history, options) ?? accounts[0];
      requireRecorded(beginOf({ ofRecords: true }, history, month.period.from), month);
      if (account === undefined || (textOption(options, "account") === undefined && accounts.length > 1))
        throw new UsageError(`a statement is of one account; add --account with ${accounts.join(" or ")}`);
      const { period, timezone } = month;
      const given = textOption(options, "out");
      const form = choiceOf(options, "format", forms) ?? formOf(given);
      const text = await cooperate(statementIn(form, { history, account, now }, account, period, timezone), { turnMs });
      if (given === undefined) {
        await write(text);
        return 0;
      }
      const path = outputPath(given);
      requireForeignFile(path, config.databasePath);
      await writeAtomically(path, [text]);
      printError(`${path} was written`);
      return 0;
    } finally {
      history.close();
    }
  },
};

/** Returns the form of a file by its name. */
const formOf = (path = ""): Form => (path.toLowerCase().endsWith(".csv") ? "csv" : "html");
