/** A complete copy of a live database. */
import { CollectorError, StorageError } from "../../core/errors.ts";
import { connect, type Sqlite } from "../files/connections.ts";
import { adviceFor, beginDraft, type Draft } from "../files/draft.ts";
import { openReadOnly } from "./database.ts";

/** Pages copied in one go, between which the event loop turns. */
const pagesPerStep = 500;

export interface BackupOptions {
  /** Called with the pages copied and in all. */
  onProgress?: (done: number, total: number) => void;
  /** Looks at the complete copy before it gets its name; what it throws ends the copying. */
  check?: (draft: string) => Promise<void> | void;
}

/**
 * Copies the database as it is now, writers going on, into one file that needs no others beside it, and checks the copy. It
 * bears its name only when complete; a file of that name is replaced. Throws a StorageError where that fails.
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

/** The same for a database that is opened for it. @throws as `backup`; ConfigError where there is none of ours */
export async function backupFile(
  path: string,
  target: string,
  copying: BackupOptions,
): Promise<Pick<Draft, "isPrivate">> {
  const sqlite = openReadOnly(path);
  try {
    return await backup(sqlite, target, copying);
  } finally {
    sqlite.close();
  }
}

/** In a transaction that reads, the database stays as it is however long it takes; each commit of another would start it anew. */
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
