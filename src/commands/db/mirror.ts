import { resolve } from "node:path";
import { ConfigError, UsageError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import type { Command } from "../command.ts";
import { untilStopped } from "../run/signals.ts";
import { followMirror } from "../shared/mirror.ts";

export const dbMirror: Command = {
  examples: [
    "db mirror --out ./data/mirror.db",
    "db mirror --out ./data/mirror.db --follow",
    "db mirror --out /mnt/copy/mirror.db",
  ],
  details: [
    "DATABASE_URL names the PostgreSQL database. The file has the same ids and chains: every command reads it",
    "as DATABASE_URL=file:./data/mirror.db, and db verify proves it. A later call adds what is new, however the last one ended.",
  ],
  options: [
    { flags: "--out <path>", summary: "the SQLite file to create or to bring up to date (required)" },
    { flags: "--follow", summary: "go on every second until Ctrl-C" },
  ],
  onPostgres: "own",
  async run({ options, env, print, printError }) {
    if (typeof options.out !== "string") throw new UsageError("--out is required: the file to write");
    const path = resolve(options.out);
    const { postgres } = loadConfig(env, { credentials: false });
    if (postgres === null)
      throw new ConfigError(["DATABASE_URL names a file. Set it to the postgres:// URL of the history to copy."]);
    const onPass = ({ rows, at }: { rows: number; at: number }) => {
      if (rows > 0) print(`${path} has the state of ${new Date(at).toISOString()}; ${rows} rows were copied`);
    };
    const isOnce = !options.follow;
    return untilStopped((signal) => followMirror(postgres, path, { signal, printError, onPass, isOnce }));
  },
};
