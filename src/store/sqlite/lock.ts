/** Ensures one writer per database with a lock that the operating system releases when its process ends for any reason. */
import { existsSync } from "node:fs";
import { ConfigError, LockedError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";
import { connect, createPrivate } from "../files/connections.ts";
import { inspectFile, prepareDirectory, type Sqlite } from "./database.ts";

/** The open handles of locks. They are reachable from the global object because garbage collection of a handle would release its lock. */
const heldLocks: Set<Sqlite> = new Set();
Object.assign(globalThis, { [Symbol.for("bitget-collector.locks")]: heldLocks });

const waitMs = 1000;

/**
 * Takes the lock of a database: an open transaction on `<path>.lock`, which ends with its process. Throws a LockedError within
 * two seconds where another process holds it, and a ConfigError where the path cannot be used.
 */
export function lockDatabase(path: string): { release(): void } {
  inspectFile(path);
  return lockPath(path);
}

/** Takes the lock like `lockDatabase`, without checking what is at the path. Blocks the process for `ms` at most while another holds it. */
export function lockPath(path: string, ms = waitMs): { release(): void } {
  prepareDirectory(path);
  const handle = acquire(path, ms);
  heldLocks.add(handle);
  return {
    release() {
      heldLocks.delete(handle);
      handle.close();
    },
  };
}

/** Returns true if a process holds the lock, without waiting; null if this user may not read the lock file. */
export function isLocked(path: string): boolean | null {
  if (!existsSync(lockFile(path))) return false;
  let handle: Sqlite | undefined;
  try {
    handle = connect(lockFile(path), { readonly: true, timeout: 0 });
    handle.prepare("select count(*) from sqlite_schema").get();
    return false;
  } catch (error) {
    return isBusy(error) ? true : null;
  } finally {
    handle?.close();
  }
}

const isBusy = (error: unknown): boolean => ((error as { code?: string }).code ?? "").startsWith("SQLITE_BUSY");

/** Returns the path of the lock file, which is next to the real file where `path` is a symbolic link. */
export const lockFile = (path: string): string => `${realPath(path)}.lock`;

function acquire(path: string, timeout: number): Sqlite {
  let handle: Sqlite | undefined;
  try {
    createPrivate(lockFile(path));
    handle = connect(lockFile(path), { timeout });
    handle.exec("begin exclusive");
    return handle;
  } catch (error) {
    handle?.close();
    if (isBusy(error)) {
      throw new LockedError(
        `Another process collects into ${path}. Stop it first, or set DATABASE_URL to another file.`,
      );
    }
    throw new ConfigError([
      `${lockFile(path)} cannot be used (${(error as Error).message}). Check the owner and mode of its directory.`,
    ]);
  }
}
