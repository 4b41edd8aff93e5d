import { logOf } from "../../app.ts";
import { systemClock } from "../../core/clock.ts";
import { datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import { openStore, type SqliteStore } from "../../store/open.ts";
import { lockDatabase } from "../../store/sqlite/lock.ts";

import type { Command } from "../command.ts";

export const dbMigrate: Command = {
  examples: ["db migrate", "db migrate && bitget-collector start", "db migrate && bitget-collector db verify"],
  onPostgres: { instead: "The program that writes the history there brings its schema up to date when it starts." },
  async run({ env, print }) {
    const config = loadConfig(env, { credentials: false });
    const lock = lockDatabase(config.databasePath);
    try {
      const store = await openStore({ path: config.databasePath, datasets, log: logOf(config), clock: systemClock });
      store.close();
      print(`${config.databasePath} ${describeOpening(store)}`);
      return 0;
    } finally {
      lock.release();
    }
  },
};

/** Describes what opening the database did. */
function describeOpening({ opening }: SqliteStore): string {
  if (opening === null) return "is already up to date";
  if (opening === "created") return "is up to date: created empty";
  const count = opening.migrations === 1 ? "1 migration" : `${opening.migrations} migrations`;
  return `is up to date: ${count} applied, after a backup to ${opening.backup}`;
}
