/** Write transactions that neither block the event loop for long nor report what is not stored. */
import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { type Clock, sleep } from "../clock.ts";
import { StorageError } from "../errors.ts";
import type { Sqlite } from "./sqlite.ts";

const patienceMs = 10_000;
const pauseMs = { shortest: 25, longest: 100 };

/**
 * Runs `work` in one immediate transaction. While another process writes, it tries again for 10 s. After an error that
 * may have come too late to undo the commit, `landed` reads what is stored: anything but null is the result. Throws a
 * StorageError where nothing was written.
 */
export type Write = <T>(work: () => T, landed?: () => T | null) => Promise<T>;

/** `onRollback` is told that what `work` changed in memory no longer holds. */
export function createWriter(path: string, sqlite: Sqlite, clock: Clock, onRollback: () => void): Write {
  const opened = identityOf(path);
  return async (work, landed) => {
    const giveUpAt = clock.monotonic() + patienceMs;
    for (let pause = pauseMs.shortest; ; pause = Math.min(pause * 2, pauseMs.longest)) {
      if (identityOf(path) !== opened) {
        const message = `${path} was moved, deleted or replaced while in use. Put it back and start again.`;
        throw new StorageError(message, { gone: true });
      }
      try {
        return sqlite.transaction(work).immediate();
      } catch (error) {
        onRollback();
        const cause = sqliteErrorOf(error);
        if (!cause || cause.code.startsWith("SQLITE_CONSTRAINT")) throw error;
        if (!cause.code.startsWith("SQLITE_BUSY")) {
          const result = landed && readBack(landed);
          if (result !== null && result !== undefined) return result;
          throw new StorageError(`${path} cannot be written: ${cause.message} (${cause.code}). Check the disk.`);
        }
        if (clock.monotonic() >= giveUpAt) {
          throw new StorageError(`${path} is held by another program for more than 10 s. Close what writes to it.`);
        }
      }
      await sleep(clock, pause);
    }
  };
}

/** The error of SQLite itself, also where Drizzle has wrapped it. */
function sqliteErrorOf(error: unknown): InstanceType<typeof Database.SqliteError> | null {
  if (error instanceof Database.SqliteError) return error;
  return error instanceof Error ? sqliteErrorOf(error.cause) : null;
}

function readBack<T>(landed: () => T | null): T | null {
  try {
    return landed();
  } catch {
    // The disk that failed to write may fail to read as well; then nothing is known to be stored.
    return null;
  }
}

/** Device and inode, which a file keeps as long as it lives. */
function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : null;
}
