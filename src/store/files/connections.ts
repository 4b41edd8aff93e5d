/**
 * Opens SQLite files, and tracks which ones this process has open.
 *
 * POSIX locks belong to a process, and closing any descriptor of a file releases all locks of the process on it. A database that is
 * open in this process must therefore be opened and closed by SQLite only. Otherwise its locks are lost, and the next program that
 * closes the file assumes it is the last one and deletes the write-ahead log while this process still commits to it.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import Database from "better-sqlite3";

export type Sqlite = Database.Database;

/** Each connection with the identity of its file. Closed ones are removed when the next is opened. */
const connections = new Map<Sqlite, string | null>();

/** Opens a connection; no other function may. Throws the error of SQLite. */
export function connect(path: string, options: Database.Options = {}): Sqlite {
  for (const sqlite of connections.keys()) if (!sqlite.open) connections.delete(sqlite);
  const sqlite = new Database(path, options);
  connections.set(sqlite, identityOf(path));
  return sqlite;
}

/** Returns true if this process has the file open as a database, under any name; false if there is no file. */
export function isOpenHere(path: string): boolean {
  const identity = identityOf(path);
  return identity !== null && [...connections].some(([sqlite, of]) => sqlite.open && of === identity);
}

/**
 * Returns device and inode, which identify a file until it is deleted; null if there is none. Opens nothing. Throws the system
 * error if the path is not accessible.
 */
export function identityOf(path: string): string | null {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found ? `${found.dev}:${found.ino}` : null;
  } catch (error) {
    // A path through a regular file, or with a link cycle, leads to no file.
    if (["ENOTDIR", "ELOOP", "ENAMETOOLONG"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}

/** Returns the first bytes of a file; null if this process has it open as a database. Throws the system error. */
export function readHeader(path: string, bytes: number): Buffer | null {
  if (isOpenHere(path)) return null;
  const header = Buffer.alloc(bytes);
  const file = openSync(path, "r");
  try {
    readSync(file, header, 0, bytes, 0);
  } finally {
    closeSync(file);
  }
  return header;
}

/** Creates an empty file with mode 0600; an existing one is neither changed nor opened. Throws the system error. */
export function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
