/** One writer per database: a lock that ends with the process that holds it, however that ends. */
import { existsSync } from "node:fs";
import { ConfigError, LockedError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";
import { connect, createPrivate } from "../files/connections.ts";
import { inspectFile, prepareDirectory, type Sqlite } from "./database.ts";

/** Handles in use. Reachable from the global object, for a lock whose handle is collected as garbage is lost. */
const held: Set<Sqlite> = new Set();
Object.assign(globalThis, { [Symbol.for("bitget-collector.locks")]: held });

const waitMs = 1000;

/**
 * Takes the lock of a database: `<path>.lock`, held by an open transaction, so that the operating system frees it with
 * its holder. Throws a LockedError within two seconds where another process has it, a ConfigError where the path is
 * no good.
 */
export function lockDatabase(path: string): { release(): void } {
  inspectFile(path);
  return lockPath(path);
}

/** The same, whatever lies there. */
export function lockPath(path: string): { release(): void } {
  prepareDirectory(path);
  const handle = acquire(path);
  held.add(handle);
  return {
    release() {
      held.delete(handle);
      handle.close();
    },
  };
}

/** Returns whether some process holds the lock, without waiting; null where this user may not look. */
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

/** Beside the file itself, whatever name it goes by. */
export const lockFile = (path: string): string => `${realPath(path)}.lock`;

function acquire(path: string): Sqlite {
  let handle: Sqlite | undefined;
  try {
    createPrivate(lockFile(path));
    handle = connect(lockFile(path), { timeout: waitMs });
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
