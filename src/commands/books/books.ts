import { writeAtomically } from "../../output/atomic-file.ts";
import { zipOf } from "../../output/zip.ts";
import { inBytes } from "../../reports/render.ts";
import { beginOf } from "../../reports/report.ts";
import { booksOf, fileName } from "../../reports/statement/books.ts";
import { loadConfig } from "../../settings/config.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { requireForeignFile } from "../../store/responses/own-files.ts";
import type { Command } from "../command.ts";
import { ownAccount, textOption } from "../shared/option.ts";
import { monthOf, requireRecorded } from "./month.ts";
import { outputPath } from "./output-path.ts";

export const books: Command = {
  examples: ["books", "books 2026-10 --account main", "books 2026-10 --timezone Europe/Berlin --out october.zip"],
  details: [
    "The ZIP file has, of one month: balances at the close, equity, profit and ledger of each day, coverage, the",
    "reconciliation, and for each account a statement to print. Without a month it is the last complete one.",
    "The file is books-2026-10.zip in this folder unless --out names another.",
  ],
  options: [
    { flags: "--account <name>", summary: "only this account" },
    { flags: "--timezone <name>", summary: "time zone of the month, such as Europe/Berlin (default: TIMEZONE)" },
    { flags: "--out <path>", summary: "write to this file; its folder must exist" },
  ],
  onPostgres: "mirror",
  async run(input) {
    const { options, env, printError } = input;
    const config = loadConfig(env, { credentials: false });
    const now = Date.now();
    const month = monthOf(input, { timezone: config.timezone, now });
    const history = openHistory(config.databasePath);
    try {
      const account = ownAccount(history, options) ?? null;
      requireRecorded(beginOf({ ofRecords: true }, history, month.period.from), month);
      const { period, timezone } = month;
      const name = `books-${account === null ? "" : `${fileName(account)}-`}${period.name}.zip`;
      const path = outputPath(textOption(options, "out") ?? name);
      requireForeignFile(path, config.databasePath);
      const files = booksOf({ history, account, now }, period, timezone);
      await writeAtomically(path, inBytes(zipOf(files, now)));
      printError(`${path} was written`);
      return 0;
    } finally {
      history.close();
    }
  },
};
