import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { writeAtomically } from "../../output/atomic-file.ts";
import { loadConfig } from "../../settings/config.ts";
import { backupNote, requireForeignFile } from "../../store/responses/own-files.ts";
import { backupFile } from "../../store/sqlite/backup.ts";
import type { Command } from "../command.ts";
import { startCopyBar } from "../shared/progress.ts";
import { requireVerified } from "./verify.ts";

export const dbBackup: Command = {
  examples: [
    "db backup backup.db",
    "db backup /mnt/backup/collector-2026-11-22.db",
    "db backup /mnt/backup/collector-$(date +%F).db",
  ],
  details: ["The copy is one file, readable only by its owner, and gets its name only after it has been verified."],
  onPostgres: "mirror",
  async run({ args, env, print, printError }) {
    const { databasePath } = loadConfig(env, { credentials: false });
    const target = resolve(args[0] ?? "");
    if (existsSync(target)) throw new UsageError(`${target} already exists; name a new file.`);
    requireForeignFile(target, databasePath);
    const bar = startCopyBar();
    try {
      const { isPrivate } = await backupFile(databasePath, target, {
        onProgress: bar.update,
        async check(draft) {
          bar.stop();
          await requireVerified(draft, databasePath);
        },
      });
      bar.stop();
      if (!isPrivate)
        printError(`the file system of ${target} has no permissions: anyone who can read the folder can read the copy`);
    } finally {
      bar.stop();
    }
    // `check` shows its age. The folder may be read-only for this user.
    await writeAtomically(backupNote(databasePath), [
      `${JSON.stringify({ path: target, at: new Date().toISOString() })}\n`,
    ]).catch(() => printError(`${backupNote(databasePath)} cannot be written: \`check\` will not know of this copy`));
    print(`${databasePath} was copied to ${target} (${statSync(target).size} bytes) and the copy verified`);
    return 0;
  },
};
