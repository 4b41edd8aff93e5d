/** Copies a live database completely. */
import { CollectorError, StorageError } from "../../core/errors.ts";
import { connect, type Sqlite } from "../files/connections.ts";
import { adviceFor, beginDraft, type Draft } from "../files/draft.ts";
import { openReadOnly } from "./database.ts";

/** Pages copied before yielding to the event loop. */
const pagesPerStep = 500;

/** Options of `backup`. */
export interface BackupOptions {
  /** Called with the number of pages copied so far and in total. */
  onProgress?: (done: number, total: number) => void;
  /** Checks the complete copy before it gets its name; an error it throws discards the copy. */
  check?: (draft: string) => Promise<void> | void;
}

/**
 * Copies the current state of the database into one file without a write-ahead log, and checks it; writers may continue. The copy
 * gets its name only when it is complete, and replaces a file of that name. Returns whether the file system keeps it from other
 * users. Throws a StorageError where that fails.
 */
export async function backup(
  sqlite: Sqlite,
  target: string,
  { onProgress, check }: BackupOptions = {},
): Promise<Pick<Draft, "isPrivate">> {
  let draft: Draft | undefined;
  try {
    draft = beginDraft(target);
    await copyPages(sqlite, draft.path, onProgress);
    const copy = connect(draft.path);
    try {
      copy.pragma("journal_mode = DELETE");
      const problem = copy.pragma("quick_check(1)", { simple: true });
      if (problem !== "ok") throw new Error(String(problem));
    } finally {
      copy.close();
    }
    await check?.(draft.path);
    draft.commit();
    return { isPrivate: draft.isPrivate };
  } catch (error) {
    if (error instanceof CollectorError) throw error;
    throw new StorageError(`${target} was not written (${(error as Error).message}). ${adviceFor(error)}`);
  } finally {
    draft?.discard();
  }
}

/** Copies a database file like `backup`. @throws StorageError as `backup`, ConfigError where it cannot be opened */
export async function backupFile(
  path: string,
  target: string,
  options: BackupOptions,
): Promise<Pick<Draft, "isPrivate">> {
  const sqlite = openReadOnly(path);
  try {
    return await backup(sqlite, target, options);
  } finally {
    sqlite.close();
  }
}

/** Copies inside a read transaction: without it, each commit of another process would restart the copy. */
async function copyPages(sqlite: Sqlite, draft: string, onProgress: BackupOptions["onProgress"]): Promise<void> {
  sqlite.exec("begin");
  try {
    sqlite.prepare("select count(*) from sqlite_schema").get();
    await sqlite.backup(draft, {
      progress({ totalPages, remainingPages }) {
        if (totalPages > 0) onProgress?.(totalPages - remainingPages, totalPages);
        return pagesPerStep;
      },
    });
  } finally {
    sqlite.exec("rollback");
  }
}
