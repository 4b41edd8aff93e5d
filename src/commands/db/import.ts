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
  examples: [
    "db import spot-assets.csv.gz positions.parquet",
    "db import prices.ndjson --rows 1200",
    "db import archive/positions-2026-10.parquet",
  ],
  details: [
    "Reads files written by export; their columns identify the dataset. Imports all of them or none. Exporting again",
    "gives the same bytes. Runs, empty and failed snapshots, missed slots and schedules are not part of an export, so an",
    "imported history lacks them. --rows detects a truncated text file.",
  ],
  options: [
    {
      flags: "--rows <count>",
      summary: "the number of rows of all files together, as export reported it; if it differs, nothing is imported",
    },
  ],
  onPostgres: { instead: "Import into a new file (DATABASE_URL=file:…), and copy that with db ship." },
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
      // A new database is logged only after a successful import; on failure it is deleted.
      const store = await openStore({ path, datasets, log: isNew ? silentLog : log, clock: systemClock });
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
      if (isNew) rmSync(path, { force: true });
      lock.release();
    }
  },
};

const silentLog = createLog({ level: "silent", format: "json", secrets: [], write: () => {} });

/** Returns the value of --rows; null if it is not given. @throws UsageError if it is not a number */
function rowsOf(text: CommandInput["options"][string]): number | null {
  if (text === undefined) return null;
  if (typeof text !== "string" || !/^\d{1,15}$/.test(text))
    throw new UsageError("--rows needs a number of rows, as in --rows 1200");
  return Number(text);
}
