import { ConfigError } from "../../core/errors.ts";
import { datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import { ShipFollower } from "../../store/postgres/copy/ship-follower.ts";
import type { Command } from "../command.ts";
import { untilStopped } from "../run/signals.ts";

export const dbShip: Command = {
  examples: ["db ship", "db ship --follow", "db ship && bitget-collector status"],
  details: [
    "SHIP_DATABASE_URL names the PostgreSQL database, and its schema with ?schema=NAME; the first call creates the tables and views.",
    "A later call adds what is new, however the last one ended. `start` does the same by itself where SHIP_DATABASE_URL is set.",
  ],
  options: [{ flags: "--follow", summary: "go on every second until Ctrl-C" }],
  onPostgres: { instead: "The history is in PostgreSQL already." },
  async run({ options, env, print, printError }) {
    const { databasePath: path, shipTo: url } = loadConfig(env, { credentials: false });
    if (url === null)
      throw new ConfigError([
        "SHIP_DATABASE_URL is missing. Set it to the postgres:// URL of the database to copy to.",
      ]);
    const isOnce = !options.follow;
    return untilStopped((signal) =>
      new ShipFollower({
        path,
        url,
        datasets,
        now: Date.now,
        signal,
        report: printError,
        onPass({ rows, at }) {
          if (rows > 0 || isOnce)
            print(`the copy has the state of ${new Date(at).toISOString()}; ${rows} rows were written`);
        },
      }).run(isOnce),
    );
  },
};
