/** A complete copy of a live database. */
import { chmodSync, renameSync, rmSync } from "node:fs";
import Database from "better-sqlite3";
import { StorageError } from "../errors.ts";
import type { Sqlite } from "./sqlite.ts";

/**
 * Copies the database, writers going on, into one file that needs no others beside it, and checks the copy. It bears
 * its name only when complete; a file of that name is replaced. Throws a StorageError where that fails.
 */
export async function backup(sqlite: Sqlite, target: string): Promise<void> {
  const draft = `${target}.part`;
  try {
    rmSync(draft, { force: true });
    await sqlite.backup(draft);
    chmodSync(draft, 0o600);
    const copy = new Database(draft);
    try {
      copy.pragma("journal_mode = DELETE");
      const problem = copy.pragma("quick_check(1)", { simple: true });
      if (problem !== "ok") throw new Error(String(problem));
    } finally {
      copy.close();
    }
    renameSync(draft, target);
  } catch (error) {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(draft + suffix, { force: true });
    throw new StorageError(`No backup was made to ${target} (${(error as Error).message}). Check the free space.`);
  }
}
