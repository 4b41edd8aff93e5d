/** Compares the migrations of the program with those of a database. */
import { fileURLToPath } from "node:url";
import type Database from "better-sqlite3";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { ConfigError } from "../../core/errors.ts";

/** The statements of one migration, and the hash that identifies it. */
export interface Migration {
  sql: string[];
  hash: string;
}

/** Returns the migrations that come with the program, oldest first. */
export const ownMigrations = (): Migration[] =>
  readMigrationFiles({ migrationsFolder: fileURLToPath(new URL("../../../migrations", import.meta.url)) });

/**
 * Returns the migrations that the database still lacks. Throws a ConfigError where it has a migration that this program does not
 * have, or has in another form.
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

/** Returns the hashes of the applied migrations, oldest first. */
export function appliedHashes(sqlite: Database.Database): string[] {
  const exists = sqlite.prepare("select 1 from sqlite_master where type = 'table' and name = 'migration'").get();
  return exists ? (sqlite.prepare("select hash from migration order by id").pluck().all() as string[]) : [];
}
