/** Opens SQLite files: checks them first, and configures the connections. */
import { accessSync, constants, existsSync, type Stats, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { CollectorError, ConfigError } from "../../core/errors.ts";
import { connect, readHeader, type Sqlite } from "../files/connections.ts";
import { adviceFor, beginDraft, type Draft } from "../files/draft.ts";
import { makeFolder } from "../files/folder.ts";
import { requireNoDeadLink, requireOneName } from "../files/names.ts";
import { ownMigrations, pendingMigrations } from "./migrations.ts";

export type { Sqlite };

/** "BGCL" in the header of the file marks it as a database of this program. */
export const applicationId = 0x4247434c;

/** How long a statement may wait for another process; the wait blocks the event loop. Milliseconds. */
const busyMs = 100;

const magic = "SQLite format 3\0";
const applicationIdAt = 68;
const writeVersionAt = 18;
const walVersion = 2;

const refuse = (path: string, what: string, fix: string): ConfigError => new ConfigError([`${path} ${what}. ${fix}`]);

/**
 * Checks the file before it is opened as a database. Returns "new" where there is none. Throws a ConfigError that names the file
 * and the fix where it is not a database of this program.
 */
export function inspectFile(path: string): "new" | "ours" {
  if (path.trim() === "" || path === ":memory:") {
    throw new ConfigError([
      "The database path is blank. Set DATABASE_URL to a file, such as file:./data/collector.db.",
    ]);
  }
  const found = statOrThrow(path);
  if (!found) {
    requireNoDeadLink(path);
    return "new";
  }
  if (!found.isFile()) throw refuse(path, "is not a file", "Set DATABASE_URL to a file, not to a directory.");
  if (found.size === 0) {
    throw refuse(path, "exists but is empty", "Restore a backup over it, or remove it to begin a new database.");
  }
  const header = headerOf(path);
  // This process has it open, so it was checked when it was opened.
  if (header === null) return "ours";
  if (header.toString("latin1", 0, magic.length) !== magic) {
    throw refuse(path, "is not an SQLite database", "Set DATABASE_URL to another file, or move this one away.");
  }
  if (header.readUInt32BE(applicationIdAt) !== applicationId) {
    throw refuse(path, "is a database of another program", "Set DATABASE_URL to another file.");
  }
  // A backup has no write-ahead log, and may be hard-linked from several backup folders.
  if (header[writeVersionAt] === walVersion) requireOneName(path, found);
  return "ours";
}

function statOrThrow(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw refuse(path, `cannot be accessed (${(error as Error).message})`, "Set DATABASE_URL to another file.");
  }
}

function headerOf(path: string): Buffer | null {
  try {
    return readHeader(path, 100);
  } catch (error) {
    throw refuse(path, `cannot be read (${(error as Error).message})`, "Check its owner and its mode.");
  }
}

/** The statfs(2) types of NFS, SMB, CIFS, SMB2, AFS and Ceph. Source: https://www.sqlite.org/howtocorrupt.html, 2.1 */
const networkFileSystems = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0xc36400]);

/**
 * Creates the directory of a file with mode 0700 if it is missing. Throws a ConfigError if it is world-writable or on a network file
 * system.
 */
export function prepareDirectory(path: string): void {
  const directory = dirname(path);
  try {
    makeFolder(directory);
  } catch (error) {
    throw refuse(path, `cannot be created (${(error as Error).message})`, "Check the owner and mode of its directory.");
  }
  if (process.platform === "linux" && networkFileSystems.has(statfsSync(directory).type))
    throw refuse(path, "is on a network file system, whose locks are not reliable", "Put it on a local disk.");
  const { mode } = statSync(directory);
  // On Windows the mode does not reflect permissions.
  if ((mode & 0o002) === 0 || process.platform === "win32") return;
  const alternative = (mode & 0o1000) !== 0 ? "" : `, or run: chmod o-w ${directory}`;
  throw refuse(
    path,
    "is in a world-writable directory",
    `Set DATABASE_URL to a file in a folder of its own${alternative}`,
  );
}

/**
 * Creates a database with mode 0600 as a draft and renames it, so that it is complete or absent. Throws the errors of this program that
 * `fill` throws, a ConfigError if anything else fails.
 */
export async function createDatabase(path: string, fill: (sqlite: Sqlite) => void | Promise<void>): Promise<void> {
  prepareDirectory(path);
  for (const sidecar of [`${path}-wal`, `${path}-journal`]) {
    if (!existsSync(sidecar)) continue;
    throw refuse(
      sidecar,
      "belongs to a database that no longer exists",
      "Put that database back, or move this file away.",
    );
  }
  let draft: Draft | undefined;
  try {
    draft = beginDraft(path);
    const sqlite = connect(draft.path);
    try {
      // Half the default: each of the sixty small tables and indexes occupies at least one page.
      sqlite.pragma("page_size = 2048");
      sqlite.pragma(`application_id = ${applicationId}`);
      await fill(sqlite);
    } finally {
      sqlite.close();
    }
    draft.commit();
  } catch (error) {
    if (error instanceof CollectorError) throw error;
    throw refuse(path, `cannot be created (${(error as Error).message})`, adviceFor(error));
  } finally {
    draft?.discard();
  }
}

/**
 * Opens the only connection that writes. `isDurable` is false for a database that need not survive a power failure, whose commits do not
 * wait for the disk. Throws a ConfigError where the file is damaged or cannot be written.
 */
export function openWriter(path: string, isDurable = true): Sqlite {
  return explainOpenErrors(path, () => {
    // SQLite would open a file that cannot be written as read-only, and fail only at the first write.
    accessSync(path, constants.W_OK);
    requireOneName(path, statSync(path));
    const sqlite = connect(path, { fileMustExist: true, timeout: busyMs });
    sqlite.pragma("journal_mode = WAL");
    // NORMAL, the default of better-sqlite3 for WAL databases, may lose commits in a power failure.
    sqlite.pragma(`synchronous = ${isDurable ? "FULL" : "OFF"}`);
    sqlite.pragma("foreign_keys = ON");
    sqlite.pragma("journal_size_limit = 16777216");
    // KiB. Appending reads few pages again; the default is four times as much, and would be used up within days.
    sqlite.pragma("cache_size = -4000");
    const settings = ["journal_mode", "synchronous", "foreign_keys"].map((name) =>
      sqlite.pragma(name, { simple: true }),
    );
    if (settings.join() !== `wal,${isDurable ? 2 : 0},1`) {
      throw refuse(
        path,
        `cannot be stored durably here (${settings.join()})`,
        "Put it on a local disk of this machine.",
      );
    }
    return sqlite;
  });
}

/** Opens a read-only connection. Throws a ConfigError where there is no database of this program, or its schema is older or newer. */
export function openReadOnly(path: string): Sqlite {
  if (inspectFile(path) === "new") {
    throw refuse(path, "does not exist", "`bitget-collector start` creates it, or set DATABASE_URL to the right file.");
  }
  return explainOpenErrors(path, () => {
    const sqlite = connect(path, { readonly: true, fileMustExist: true, timeout: 2000 });
    try {
      if (pendingMigrations(path, sqlite, ownMigrations()).length === 0) return sqlite;
      throw refuse(
        path,
        "is older than this program",
        "Run `bitget-collector db migrate`, which makes a backup first.",
      );
    } catch (error) {
      sqlite.close();
      throw error;
    }
  });
}

/** Runs `open` and turns its errors into ConfigErrors that explain why the database cannot be opened, and name the fix. */
export function explainOpenErrors(path: string, open: () => Sqlite): Sqlite {
  try {
    return open();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code = "", message } = error as { code?: string; message: string };
    if (/CORRUPT|NOTADB/.test(code)) throw damaged(path, message);
    throw refuse(path, `cannot be opened (${message})`, "Check the owner and mode of the file and of its directory.");
  }
}

const damaged = (path: string, problem: string): ConfigError =>
  refuse(
    path,
    `is damaged (${problem})`,
    "Keep the file for recovery, and restore a backup with `bitget-collector db restore`.",
  );

/** Throws a ConfigError where SQLite's quick check finds the file damaged. */
export function quickCheck(path: string, sqlite: Sqlite): void {
  explainOpenErrors(path, () => {
    const problem = sqlite.pragma("quick_check(1)", { simple: true });
    if (problem !== "ok") throw damaged(path, String(problem));
    return sqlite;
  });
}
