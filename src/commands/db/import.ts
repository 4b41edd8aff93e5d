import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { logOf } from "../../app.ts";
import { systemClock } from "../../core/clock.ts";
import { UsageError } from "../../core/errors.ts";
import { createLog } from "../../core/log.ts";
import { datasets } from "../../datasets/index.ts";
import { readFiles } from "../../output/reading/rows.ts";
import { loadConfig } from "../../settings/config.ts";
import { openStore } from "../../store/open.ts";
import { inspectFile } from "../../store/sqlite/database.ts";
import { lockDatabase } from "../../store/sqlite/lock.ts";
import { importHistory } from "../../store/transfer/import.ts";
import type { Command, CommandInput } from "../command.ts";
import { startTerminalBar } from "../shared/progress.ts";

export const dbImport: Command = {
  examples: ["db import spot-assets.csv.gz positions.parquet", "db import prices.ndjson --rows 1200"],
  details: [
    "Reads files that export wrote; their columns identify the dataset. Imports all of them or none. Exporting again",
    "gives the same bytes. Runs, empty and failed snapshots, missed slots and schedules are not part of an export, so an",
    "imported history lacks them. --rows detects a text file whose last lines are missing.",
  ],
  options: [
    {
      flags: "--rows <count>",
      summary: "how many rows the files have together, as export reported; with any other number nothing is imported",
    },
  ],
  async run({ args, options, env, print }) {
    if (args.length === 0) throw new UsageError("name the files to import");
    const config = loadConfig(env, { credentials: false });
    const path = config.databasePath;
    const expected = rowsOf(options.rows);
    const log = logOf(config);
    const bar = startTerminalBar("importing", "bytes");
    const paths = args.map((file) => resolve(file));
    const files = readFiles(paths, bar.update);
    const lock = lockDatabase(path);
    let isNew = false;
    try {
      isNew = inspectFile(path) === "new";
      // That it was made is said when it stays.
      const store = await openStore({ path, datasets, log: isNew ? silent : log, clock: systemClock });
      store.close();
      const imported = await importHistory(path, datasets, files, expected);
      if (isNew) log.info({ path }, "created a new database");
      isNew = false;
      bar.stop();
      for (const { path: file, dataset, snapshots, rows } of imported)
        print(`${rows} rows of ${snapshots} snapshots of ${dataset.name} were imported from ${file}`);
      for (const file of paths) if (!imported.some((one) => one.path === file)) print(`${file} has no rows`);
      return 0;
    } finally {
      bar.stop();
      // One that was made for files that were no good.
      if (isNew) rmSync(path, { force: true });
      lock.release();
    }
  },
};

const silent = createLog({ level: "silent", format: "json", secrets: [], write: () => {} });

/** @throws UsageError where it is no number of rows */
function rowsOf(text: CommandInput["options"][string]): number | null {
  if (text === undefined) return null;
  if (typeof text !== "string" || !/^\d{1,15}$/.test(text))
    throw new UsageError("--rows is a number of rows, such as 1200");
  return Number(text);
}
