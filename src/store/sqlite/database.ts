/** Opening SQLite files: what is refused, and what every connection is set to. */
import { accessSync, constants, existsSync, type Stats, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "../../core/errors.ts";
import { connect, readHeader, type Sqlite } from "../files/connections.ts";
import { adviceFor, beginDraft, type Draft } from "../files/draft.ts";
import { makeFolder } from "../files/folder.ts";
import { requireNoDeadLink, requireOneName } from "../files/names.ts";
import { ownMigrations, pendingMigrations } from "./migrations.ts";

export type { Sqlite };

/** "BGCL" in the file's header says whose file it is. */
export const applicationId = 0x4247434c;

/** How long a statement may wait for another process, and with it the event loop. Milliseconds. */
const busyMs = 100;

const magic = "SQLite format 3\0";
const applicationIdAt = 68;
const writeVersionAt = 18;
const walVersion = 2;

const refuse = (path: string, what: string, fix: string): ConfigError => new ConfigError([`${path} ${what}. ${fix}`]);

/**
 * Looks at the file before it is opened as a database. "new" where there is none; throws a ConfigError that names the
 * file and the fix where it is not ours.
 */
export function inspectFile(path: string): "new" | "ours" {
  if (path.trim() === "" || path === ":memory:") {
    throw new ConfigError([
      "The database path is blank. Set DATABASE_URL to a file, such as file:./data/collector.db.",
    ]);
  }
  const found = lookAt(path);
  if (!found) {
    requireNoDeadLink(path);
    return "new";
  }
  if (!found.isFile()) throw refuse(path, "is not a file", "Set DATABASE_URL to a file, not to a directory.");
  if (found.size === 0) {
    throw refuse(path, "exists but is empty", "Restore a backup over it, or remove it to begin a new database.");
  }
  const header = headerOf(path);
  // What is open in this process was looked at when it was opened.
  if (header === null) return "ours";
  if (header.toString("latin1", 0, magic.length) !== magic) {
    throw refuse(path, "is not an SQLite database", "Set DATABASE_URL to another file, or move this one away.");
  }
  if (header.readUInt32BE(applicationIdAt) !== applicationId) {
    throw refuse(path, "is a database of another program", "Set DATABASE_URL to another file.");
  }
  // A backup has no log, and may well be linked from several folders of backups.
  if (header[writeVersionAt] === walVersion) requireOneName(path, found);
  return "ours";
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw refuse(path, `cannot be looked at (${(error as Error).message})`, "Set DATABASE_URL to another file.");
  }
}

function headerOf(path: string): Buffer | null {
  try {
    return readHeader(path, 100);
  } catch (error) {
    throw refuse(path, `cannot be read (${(error as Error).message})`, "Check its owner and its mode.");
  }
}

/** NFS, SMB, CIFS, SMB2, AFS, Ceph, in the words of statfs(2). Source: https://www.sqlite.org/howtocorrupt.html, 2.1 */
const networkFileSystems = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0xc36400]);

/** Creates the directory of a file for its owner alone, where it is missing; one that is open to everybody, or far away, is refused. */
export function prepareDirectory(path: string): void {
  const directory = dirname(path);
  try {
    makeFolder(directory);
  } catch (error) {
    throw refuse(path, `cannot be created (${(error as Error).message})`, "Check the owner and mode of its directory.");
  }
  if (process.platform === "linux" && networkFileSystems.has(statfsSync(directory).type))
    throw refuse(path, "lies on a network file system, whose locks cannot be relied on", "Put it on a local disk.");
  const { mode } = statSync(directory);
  // Windows keeps its rights elsewhere.
  if ((mode & 0o002) === 0 || process.platform === "win32") return;
  const close = (mode & 0o1000) !== 0 ? "" : `, or run: chmod o-w ${directory}`;
  throw refuse(path, "lies where everybody can put files", `Set DATABASE_URL to a file in a folder of its own${close}`);
}

/** Makes a new database beside its place, for its owner alone, and renames it: whatever happens, it is complete or not there. */
export function createDatabase(path: string, fill: (sqlite: Sqlite) => void): void {
  prepareDirectory(path);
  for (const sidecar of [`${path}-wal`, `${path}-journal`]) {
    if (!existsSync(sidecar)) continue;
    throw refuse(sidecar, "is left of a database that is gone", "Put that database back, or move this file away.");
  }
  let draft: Draft | undefined;
  try {
    draft = beginDraft(path);
    const sqlite = connect(draft.path);
    try {
      // Half the usual: sixty small tables and indexes begin with a page each.
      sqlite.pragma("page_size = 2048");
      sqlite.pragma(`application_id = ${applicationId}`);
      fill(sqlite);
    } finally {
      sqlite.close();
    }
    draft.commit();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw refuse(path, `cannot be created (${(error as Error).message})`, adviceFor(error));
  } finally {
    draft?.discard();
  }
}

/** The one connection that writes. Throws a ConfigError where the file is damaged or cannot be written. */
export function openWriter(path: string): Sqlite {
  return explainOpenErrors(path, () => {
    // What cannot be written SQLite would open for reading alone, and say so at the first write.
    accessSync(path, constants.W_OK);
    requireOneName(path, statSync(path));
    const sqlite = connect(path, { fileMustExist: true, timeout: busyMs });
    sqlite.pragma("journal_mode = WAL");
    // A WAL database is opened with synchronous=NORMAL unless told otherwise, which may lose commits in a power cut.
    sqlite.pragma("synchronous = FULL");
    sqlite.pragma("foreign_keys = ON");
    sqlite.pragma("journal_size_limit = 16777216");
    // KiB. Who only appends comes back to few pages; four times as much is the default, and would be filled within days.
    sqlite.pragma("cache_size = -4000");
    const settings = ["journal_mode", "synchronous", "foreign_keys"].map((name) =>
      sqlite.pragma(name, { simple: true }),
    );
    if (settings.join() !== "wal,2,1") {
      throw refuse(path, `cannot be kept safely here (${settings.join()})`, "Put it on a local disk of this machine.");
    }
    return sqlite;
  });
}

/** A connection that can only read. Throws a ConfigError where there is no database of ours to read, or another schema. */
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

/** Says in a sentence what keeps a database from being opened. */
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
    "Keep it for rescue and restore a backup with `bitget-collector db restore`.",
  );

/** Throws a ConfigError where pages of the file do not fit together. */
export function quickCheck(path: string, sqlite: Sqlite): void {
  explainOpenErrors(path, () => {
    const problem = sqlite.pragma("quick_check(1)", { simple: true });
    if (problem !== "ok") throw damaged(path, String(problem));
    return sqlite;
  });
}
