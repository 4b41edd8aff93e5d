import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { datasetNamed, datasetNames } from "../../datasets/index.ts";
import { requirePlainFile } from "../../output/atomic-file.ts";
import { exportHistory } from "../../output/export.ts";
import { type DayFile, exportDays } from "../../output/export-days.ts";
import { kindOf } from "../../output/file-kind.ts";
import { loadConfig } from "../../settings/config.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { requireForeignFile } from "../../store/responses/own-files.ts";
import type { Command } from "../command.ts";
import { untilStopped } from "../run/signals.ts";
import { Times, timezoneOption } from "../shared/instant.ts";
import { parseOnlyDataset } from "../shared/option.ts";
import { startTerminalBar } from "../shared/progress.ts";

export const exportCommand: Command = {
  examples: [
    "export positions --out positions.parquet",
    "export spot-assets --out spot-assets.csv.gz --from 2026-11-01 --to 2026-12-01",
    "export prices --out archive/prices.parquet --by day --from -7d",
  ],
  details: [
    `Datasets: ${datasetNames.join(", ")}.`,
    "Files: .csv, .ndjson, .csv.gz, .ndjson.gz and .parquet. An existing file is replaced when the new one is complete.",
    "--by day writes a file for each whole UTC day, prices-2026-11-01.parquet for prices.parquet, if it has rows and",
    "every slot of it has ended: nothing will be added to it. --from and --to choose among the days.",
    "Records, such as bills, belong to the time when they were first seen; `history` selects them by their own time.",
  ],
  options: [
    { flags: "--out <path>", summary: "the file to write (required)" },
    { flags: "--by <day>", summary: "write one file per UTC day" },
    { flags: "--from <time>", summary: "from this time on" },
    { flags: "--to <time>", summary: "before this time" },
    { ...timezoneOption, summary: "time zone of dates in --from and --to, such as Europe/Berlin (default: UTC)" },
  ],
  onPostgres: "mirror",
  async run({ args, options, env, print }) {
    const dataset = datasetNamed(parseOnlyDataset(args));
    if (typeof options.out !== "string") throw new UsageError("--out is required: the file to write");
    const path = resolve(options.out);
    kindOf(path);
    const isByDay = options.by !== undefined;
    if (isByDay && options.by !== "day") throw new UsageError("--by: use day");
    if (!isByDay) requirePlainFile(path);
    const times = new Times(options);
    const span = times.span();
    const { databasePath } = loadConfig(env, { credentials: false });
    requireForeignFile(path, databasePath);
    const history = openHistory(databasePath);
    const bar = startTerminalBar("exporting", isByDay ? "days" : "rows");
    const onWritten = ({ path, rows }: DayFile) => {
      bar.stop();
      print(`${rows} rows of ${dataset.name} were written to ${path} (${statSync(path).size} bytes)`);
    };
    try {
      return await untilStopped(async (signal) => {
        const exporting = { span, signal, ...(process.stderr.isTTY && { onProgress: bar.update }) };
        if (!isByDay) return onWritten({ path, rows: await exportHistory(history, dataset, path, exporting) });
        for await (const file of exportDays(history, dataset, path, { ...exporting, now: times.now })) onWritten(file);
      });
    } finally {
      bar.stop();
      history.close();
    }
  },
};
