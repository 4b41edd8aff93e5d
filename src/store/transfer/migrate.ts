/** Migrates a database to the schema of this version, in one transaction, after a backup. */
import type { Log } from "../../core/log.ts";
import { backfillChain } from "../chain/chain.ts";
import { fillEpisodes } from "../positions/rebuild.ts";
import { PositionResults } from "../positions/results.ts";
import { fillGaps } from "../runs/gaps.ts";
import type { Views } from "../schema/views.ts";
import { backup } from "../sqlite/backup.ts";
import { openReadOnly, quickCheck, type Sqlite } from "../sqlite/database.ts";
import { appliedHashes, type Migration, pendingMigrations } from "../sqlite/migrations.ts";

/** The number of applied migrations, and the path of the backup that was made before. */
export interface Migrated {
  migrations: number;
  backup: string;
}

/**
 * Makes a backup and applies the pending migrations, all or none. Returns null if none was pending. Throws an Error, and changes
 * nothing, if a row would be lost.
 */
export async function migrate(
  path: string,
  sqlite: Sqlite,
  { migrations, views, log, now }: { migrations: readonly Migration[]; views: Views; log: Log; now: number },
): Promise<Migrated | null> {
  const pending = pendingMigrations(path, sqlite, migrations);
  if (pending.length === 0) {
    replaceViews(sqlite, views);
    return null;
  }
  const copy = `${path}.before-${migrations.length}`;
  await backup(sqlite, copy);
  log.info({ path, migrations: pending.length, backup: copy }, "migrating the database");
  applyMigrations(sqlite, { pending, views, now });
  return { migrations: pending.length, backup: copy };
}

/** Applies migrations in one transaction. Throws an Error if a foreign key no longer holds, or a remaining table has lost rows. */
export function applyMigrations(
  sqlite: Sqlite,
  { pending, views, now }: { pending: readonly Migration[]; views: Views; now: number },
): void {
  // With foreign keys on, rebuilding a table would delete the rows that refer to it. The pragma has no effect inside a transaction.
  sqlite.pragma("foreign_keys = OFF");
  try {
    sqlite
      .transaction(() => {
        const before = rowCounts(sqlite);
        dropViews(sqlite, views);
        sqlite.exec(
          "create table if not exists migration (id integer primary key, hash text not null, applied_at integer not null) strict",
        );
        for (const { sql, hash } of pending) {
          for (const statement of sql) sqlite.exec(statement);
          sqlite.prepare("insert into migration (hash, applied_at) values (?, ?)").run(hash, now);
        }
        sqlite.pragma(`user_version = ${appliedHashes(sqlite).length}`);
        for (const view of views.values()) sqlite.exec(view);
        const orphans = sqlite.pragma("foreign_key_check") as unknown[];
        if (orphans.length > 0) throw new Error(`migration leaves ${orphans.length} rows without their parent`);
        const after = rowCounts(sqlite);
        if (after.has("link") && !before.has("link")) backfillChain(sqlite);
        if (after.has("episode") && !before.has("episode")) fillEpisodes(sqlite);
        if (after.has("position_result") && !before.has("position_result")) new PositionResults(sqlite).fill();
        if (after.has("gap") && !before.has("gap")) fillGaps(sqlite);
        for (const [table, rows] of before) {
          if ((after.get(table) ?? rows) < rows) throw new Error(`migration loses rows of ${table}`);
        }
      })
      .immediate();
  } finally {
    sqlite.pragma("foreign_keys = ON");
  }
}

function rowCounts(sqlite: Sqlite): Map<string, number> {
  const tables = sqlite.prepare("select name from sqlite_master where type = 'table'").pluck().all() as string[];
  return new Map(
    tables.map((table) => [table, sqlite.prepare(`select count(*) from "${table}"`).pluck().get() as number]),
  );
}

/** Replaces the views if their text has changed: they are part of the program, not of the data. */
function replaceViews(sqlite: Sqlite, views: Views): void {
  const found = sqlite.prepare("select name, sql from sqlite_master where type = 'view'").raw().all() as [
    string,
    string,
  ][];
  const existing = new Map(found);
  if ([...views].every(([name, sql]) => existing.get(name) === sql)) return;
  sqlite
    .transaction(() => {
      dropViews(sqlite, views);
      for (const view of views.values()) sqlite.exec(view);
    })
    .immediate();
}

function dropViews(sqlite: Sqlite, views: Views): void {
  for (const name of views.keys()) sqlite.exec(`drop view if exists ${name}`);
}

/** Returns "is up to date and sound". Throws a ConfigError that names the fix if the database is not. Changes nothing. */
export function checkDatabase(path: string): string {
  const sqlite = openReadOnly(path);
  try {
    quickCheck(path, sqlite);
    return "is up to date and sound";
  } finally {
    sqlite.close();
  }
}
