import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { logOf } from "../app.ts";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { datasets } from "../datasets/index.ts";
import { UsageError } from "../errors.ts";
import { readFiles } from "../export/read.ts";
import { importHistory } from "../store/import.ts";
import { lockDatabase } from "../store/lock.ts";
import { openStore } from "../store/store.ts";
import type { Command } from "./command.ts";
import { terminalBar } from "./progress.ts";

export const dbImport: Command = {
  name: "db import",
  args: "<files...>",
  summary: "build a history from exported files, in a database that holds nothing of their datasets",
  example: "db import spot-assets.csv.gz positions.parquet",
  details: [
    "Files are what export writes; their columns tell the dataset. All of them are imported or none. Exporting again",
    "gives the same bytes. Runs, empty and failed snapshots, missed slots and schedules are in no export: what is",
    "imported does not have them.",
  ],
  async run({ args, env, out }) {
    if (args.length === 0) throw new UsageError("name the files to import");
    const config = loadConfig(env, { credentials: false });
    const path = config.databasePath;
    const bar = terminalBar("importing", "bytes");
    const paths = args.map((file) => resolve(file));
    const files = readFiles(paths, bar.update);
    const lock = lockDatabase(path);
    let isNew = false;
    try {
      const store = await openStore({ path, datasets, log: logOf(config), clock: systemClock });
      isNew = store.opening === "created";
      store.close();
      const imported = await importHistory(path, datasets, files);
      isNew = false;
      bar.stop();
      for (const { path: file, dataset, snapshots, rows } of imported)
        out(`${rows} rows of ${snapshots} snapshots of ${dataset.name} were imported from ${file}`);
      for (const file of paths) if (!imported.some((one) => one.path === file)) out(`${file} has no rows`);
      return 0;
    } finally {
      bar.stop();
      // One that was made for files that were no good.
      if (isNew) rmSync(path, { force: true });
      lock.release();
    }
  },
};
