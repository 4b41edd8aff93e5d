/**
 * Opens SQLite files, and knows which ones this process has open.
 *
 * The locks of POSIX belong to a process, and closing any descriptor of a file releases all that the process holds on it. A database
 * that is open here may therefore be opened and closed by SQLite alone: otherwise its locks are gone, and the next program that closes
 * the file takes itself for the last one and deletes the write-ahead log while we are still committing to it.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import Database from "better-sqlite3";

export type Sqlite = Database.Database;

/** Each connection with the identity of its file. One that is closed stays until the next is opened. */
const connections = new Map<Sqlite, string | null>();

/** Opens a connection; the only function that does. Throws what SQLite says. */
export function connect(path: string, options: Database.Options = {}): Sqlite {
  for (const sqlite of connections.keys()) if (!sqlite.open) connections.delete(sqlite);
  const sqlite = new Database(path, options);
  connections.set(sqlite, identityOf(path));
  return sqlite;
}

/** Returns whether this process has the file open as a database, by whatever name; false where there is no file. */
export function isOpenHere(path: string): boolean {
  const identity = identityOf(path);
  return identity !== null && [...connections].some(([sqlite, of]) => sqlite.open && of === identity);
}

/**
 * Returns device and inode, which a file keeps for as long as it lives; null where there is none. Opens nothing. Throws what the system
 * says where it may not look.
 */
export function identityOf(path: string): string | null {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found ? `${found.dev}:${found.ino}` : null;
  } catch (error) {
    // A path that leads through a file, or in a circle, leads to none.
    if (["ENOTDIR", "ELOOP", "ENAMETOOLONG"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}

/** Reads the first bytes of a file; null where this process has it open as a database. Throws what the system says. */
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

/** Creates an empty file for its owner alone; one that is there stays untouched and unopened. Throws what the system says. */
export function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
