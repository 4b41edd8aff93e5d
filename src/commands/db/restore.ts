import { resolve } from "node:path";
import { datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import { viewsOf } from "../../store/schema/views.ts";
import { lockPlace } from "../../store/sqlite/lock.ts";
import { requireFreePlace, restore } from "../../store/transfer/restore.ts";
import type { Command } from "../command.ts";
import { copyingBar } from "../shared/progress.ts";
import { requireVerified } from "./verify.ts";

export const dbRestore: Command = {
  example: "db restore /mnt/backup/collector-2026-11-22.db",
  details: [
    "The backup is verified first. A backup of an older version is upgraded while it is restored; the backup file stays as it is.",
  ],
  async run({ args, env, out }) {
    const { databasePath } = loadConfig(env, { credentials: false });
    const source = resolve(args[0] ?? "");
    const lock = lockPlace(databasePath);
    const bar = copyingBar();
    try {
      requireFreePlace(databasePath);
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
    out(`${databasePath} was restored from ${source} and verified`);
    return 0;
  },
};
