import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { datasetNamed, datasetNames } from "../../datasets/index.ts";
import { requirePlainFile } from "../../output/atomic-file.ts";
import { exportHistory } from "../../output/export.ts";
import { kindOf } from "../../output/file-kind.ts";
import { loadConfig } from "../../settings/config.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { requireForeignFile } from "../../store/responses/own-files.ts";
import type { Command, CommandInput } from "../command.ts";
import { stopSignals } from "../run/signals.ts";
import { parseInstant } from "../shared/instant.ts";
import { parseOnlyDataset } from "../shared/option.ts";
import { startTerminalBar } from "../shared/progress.ts";

export const exportCommand: Command = {
  examples: [
    "export positions --out positions.parquet",
    "export spot-assets --out spot-assets.csv.gz --from 2026-11-01 --to 2026-12-01",
    "export prices --out prices.ndjson --from -7d",
  ],
  details: [
    `Datasets: ${datasetNames.join(", ")}.`,
    "Files: .csv, .ndjson, .csv.gz, .ndjson.gz and .parquet. An existing file is replaced when the new one is complete.",
  ],
  options: [
    { flags: "--out <path>", summary: "the file to write (required)" },
    { flags: "--from <time>", summary: "from this time on" },
    { flags: "--to <time>", summary: "before this time" },
  ],
  async run({ args, options, env, print }) {
    const name = parseOnlyDataset(args);
    if (typeof options.out !== "string") throw new UsageError("--out is required: the file to write");
    const path = resolve(options.out);
    kindOf(path);
    requirePlainFile(path);
    const span = spanOf(options);
    const { databasePath } = loadConfig(env, { credentials: false });
    requireForeignFile(path, databasePath);
    const history = openHistory(databasePath);
    const bar = startTerminalBar("exporting", "rows");
    const stop = new AbortController();
    let code = 0;
    const onSignal = (_signal: NodeJS.Signals, number: number) => {
      code = 128 + number;
      stop.abort();
    };
    for (const signal of stopSignals()) process.on(signal, onSignal);
    try {
      const rows = await exportHistory(history, datasetNamed(name), path, {
        span,
        signal: stop.signal,
        ...(process.stderr.isTTY && { onProgress: bar.update }),
      });
      bar.stop();
      print(`${rows} rows of ${name} were written to ${path} (${statSync(path).size} bytes)`);
      return 0;
    } catch (error) {
      if (code === 0) throw error;
      return code;
    } finally {
      for (const signal of stopSignals()) process.off(signal, onSignal);
      bar.stop();
      history.close();
    }
  },
};

function spanOf({ from, to }: CommandInput["options"]): { from: number; to: number } {
  const now = Date.now();
  return {
    from: typeof from === "string" ? parseInstant("--from", from, now) : 0,
    to: typeof to === "string" ? parseInstant("--to", to, now) : Number.MAX_SAFE_INTEGER,
  };
}
