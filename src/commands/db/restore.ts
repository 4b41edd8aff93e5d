import { resolve } from "node:path";
import { datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import { viewsOf } from "../../store/schema/views.ts";
import { lockPath } from "../../store/sqlite/lock.ts";
import { requireFreePath, restore } from "../../store/transfer/restore.ts";
import type { Command } from "../command.ts";
import { startCopyBar } from "../shared/progress.ts";
import { requireVerified } from "./verify.ts";

export const dbRestore: Command = {
  examples: [
    "db restore backup.db",
    "db restore /mnt/backup/collector-2026-11-22.db",
    "db restore backup.db && bitget-collector db verify",
  ],
  details: [
    "The backup is verified first. A backup of an older version is upgraded in the restored copy; the backup file is not changed.",
  ],
  onPostgres: {
    instead:
      "Restore into a new file (DATABASE_URL=file:…), and copy that with db ship; or restore PostgreSQL with its own tools.",
  },
  async run({ args, env, print }) {
    const { databasePath } = loadConfig(env, { credentials: false });
    const source = resolve(args[0] ?? "");
    const lock = lockPath(databasePath);
    const bar = startCopyBar();
    try {
      requireFreePath(databasePath);
      await restore(source, databasePath, {
        views: viewsOf(datasets),
        now: Date.now(),
        onProgress: bar.update,
        async check(draft) {
          bar.stop();
          await requireVerified(draft, source);
        },
      });
    } finally {
      bar.stop();
      lock.release();
    }
    print(`${databasePath} was restored from ${source} and verified`);
    return 0;
  },
};
