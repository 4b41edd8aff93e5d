/** Which migrations the program has, and which of them a database has. */
import { fileURLToPath } from "node:url";
import type Database from "better-sqlite3";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { ConfigError } from "../../core/errors.ts";

export interface Migration {
  sql: string[];
  hash: string;
}

/** The migrations that come with the program, oldest first. */
export const ownMigrations = (): Migration[] =>
  readMigrationFiles({ migrationsFolder: fileURLToPath(new URL("../../../migrations", import.meta.url)) });

/**
 * The migrations the database still lacks. Throws a ConfigError where it has one that this program does not know, or
 * knows otherwise.
 */
export function pendingMigrations(
  path: string,
  sqlite: Database.Database,
  migrations: readonly Migration[],
): Migration[] {
  const applied = appliedHashes(sqlite);
  const version = sqlite.pragma("user_version", { simple: true }) as number;
  if (Math.max(version, applied.length) > migrations.length) {
    throw new ConfigError([`${path} is newer than this program. Update bitget-collector, or restore an older backup.`]);
  }
  if (version !== applied.length || applied.some((hash, at) => hash !== migrations[at]?.hash)) {
    throw new ConfigError([
      `${path} has another history of schema changes than this program. Install the release it was written by.`,
    ]);
  }
  return migrations.slice(applied.length);
}

/** Hashes of what was applied, oldest first. */
export function appliedHashes(sqlite: Database.Database): string[] {
  const exists = sqlite.prepare("select 1 from sqlite_master where type = 'table' and name = 'migration'").get();
  return exists ? (sqlite.prepare("select hash from migration order by id").pluck().all() as string[]) : [];
}
