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
 * Throws a ConfigError if the path is in use; only an empty file is overwritten. A write-ahead log or journal that a lost database
 * left behind is refused too, because SQLite would apply it to the restored database.
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
 * Copies a backup to a free path, which the caller has locked. The copy gets its name only after it was migrated and `check` has
 * accepted it. Throws a ConfigError if the backup is not a database of this program, damaged or newer; a StorageError if it cannot be
 * copied.
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
