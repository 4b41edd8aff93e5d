/** Restores a backup to the path of the database. */
import { existsSync, statSync } from "node:fs";
import { ConfigError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";
import { cancelPending } from "../alerts/alert-reads.ts";
import { connect } from "../files/connections.ts";
import { requireNoDeadLink } from "../files/names.ts";
import type { Views } from "../schema/views.ts";
import { type BackupOptions, backup } from "../sqlite/backup.ts";
import { explainOpenErrors, inspectFile } from "../sqlite/database.ts";
import { ownMigrations, pendingMigrations } from "../sqlite/migrations.ts";
import { applyMigrations } from "./migrate.ts";

/**
 * Throws a ConfigError where something lies in the way: nothing is ever overwritten but an empty file. What a lost database
 * left beside it is refused as well, for it would be replayed over the one that is put there.
 */
export function requireFreePath(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) requireNoDeadLink(path);
  if (found && (!found.isFile() || found.size > 0)) {
    throw new ConfigError([`${path} already exists. Move it away, or set DATABASE_URL to another file.`]);
  }
  for (const left of ["-wal", "-shm", "-journal"].map((suffix) => path + suffix).filter((file) => existsSync(file))) {
    throw new ConfigError([`${left} is left over from another database. Move it away together with that database.`]);
  }
}

/**
 * Copies the backup to the path, which is free and locked by the caller. The copy bears its name only when it has been
 * brought up to date and `check` has found nothing. Throws a ConfigError where the backup is no database of ours, damaged
 * or newer; a StorageError where it cannot be copied.
 */
export async function restore(
  source: string,
  path: string,
  { views, now, onProgress, check }: { views: Views; now: number } & BackupOptions,
): Promise<void> {
  if (inspectFile(source) === "new")
    throw new ConfigError([`${source} does not exist. Name a file that db backup made.`]);
  const sqlite = explainOpenErrors(source, () => {
    const found = connect(source, { readonly: true, fileMustExist: true });
    found.prepare("select count(*) from sqlite_schema").get();
    return found;
  });
  try {
    const pending = pendingMigrations(source, sqlite, ownMigrations());
    await backup(sqlite, realPath(path), {
      ...(onProgress && { onProgress }),
      async check(draft) {
        const copy = connect(draft);
        try {
          if (pending.length > 0) applyMigrations(copy, { pending, views, now });
          // The original database was responsible for these notifications: they must not be sent again.
          cancelPending(copy, "the database was restored from a backup");
        } finally {
          copy.close();
        }
        await check?.(draft);
      },
    });
  } finally {
    sqlite.close();
  }
}
