/**
 * Queues write transactions so that they do not block the event loop for long, and resolve only when they are committed. Writes
 * requested in one turn of the event loop share a transaction, because each commit waits for the disk.
 */
import Database from "better-sqlite3";
import { type Clock, sleep } from "../../core/clock.ts";
import { StorageError } from "../../core/errors.ts";
import { identityOf } from "../files/connections.ts";
import type { Sqlite } from "./database.ts";
import { lockFile } from "./lock.ts";

/** Maximum number of writes that share a transaction. The event loop runs before the next transaction. */
const maxBatch = 200;

/** How long a write is retried while another process writes. Milliseconds. */
const retryForMs = 10_000;
const pauseMs = { shortest: 25, longest: 100 };

/**
 * Runs `work` in an immediate transaction, in the order of the calls; if `work` throws, only its own changes are rolled back. While
 * another process writes, it retries for 10 s, or until the program must stop at once. After an error that may have occurred after the
 * commit, the result is what `readCommitted` returns, unless that is null. Throws a StorageError if nothing was written.
 */
export type Write = <T>(work: () => T, readCommitted?: () => T | null) => Promise<T>;

/** A pending write. */
interface Task {
  /** Does the work. Returns a function that resolves the promise, to be called after the commit. */
  work(): () => void;
  /** Resolves the promise with what is stored and returns true; returns false if nothing is stored. */
  recover(): boolean;
  reject(error: unknown): void;
}

/**
 * Returns the write function of a connection. `onRollback` is called when changes that a `work` made in memory are no longer valid;
 * `stopping` is aborted when the program must stop at once.
 */
export function createWriteQueue(
  path: string,
  sqlite: Sqlite,
  clock: Clock,
  onRollback: () => void,
  stopping?: AbortSignal,
): Write {
  const requireSameFiles = watchFiles(path, sqlite);
  const transaction = sqlite.transaction((tasks: readonly Task[]) => tasks.map(attempt));
  const savepoint = sqlite.transaction((task: Task) => task.work());
  const queue: Task[] = [];
  let isScheduled = false;

  async function writeBatch(): Promise<void> {
    await write(queue.splice(0, maxBatch));
    isScheduled = queue.length > 0;
    if (isScheduled) setImmediate(writeBatch);
  }

  async function write(tasks: readonly Task[]): Promise<void> {
    const giveUpAt = clock.monotonic() + retryForMs;
    for (let pause = pauseMs.shortest; ; pause = Math.min(pause * 2, pauseMs.longest)) {
      try {
        return commit(tasks);
      } catch (error) {
        onRollback();
        const cause = sqliteErrorOf(error);
        const mayBeCommitted = cause !== null && !isBusy(cause);
        if (cause === null || mayBeCommitted || stopping?.aborted || clock.monotonic() >= giveUpAt) {
          for (const task of tasks) {
            if (!(mayBeCommitted && task.recover())) task.reject(cause ? writeError(path, cause) : error);
          }
          return;
        }
      }
      // If the pause is aborted, the write is attempted one last time.
      await sleep(clock, pause, stopping).catch(() => {});
    }
  }

  function commit(tasks: readonly Task[]): void {
    requireSameFiles();
    const reports = transaction.immediate(tasks);
    // A commit to a log that no other process can find does not count as stored.
    requireSameFiles();
    for (const report of reports) report();
  }

  /** Rejects the task alone for a bug or a violated constraint; any other error of SQLite fails the whole transaction. */
  function attempt(task: Task): () => void {
    try {
      return savepoint(task);
    } catch (error) {
      const cause = sqliteErrorOf(error);
      if (cause && !cause.code.startsWith("SQLITE_CONSTRAINT")) throw error;
      onRollback();
      return () => task.reject(error);
    }
  }

  return (work, readCommitted) =>
    new Promise((resolve, reject) => {
      queue.push({
        work() {
          const result = work();
          return () => resolve(result);
        },
        recover() {
          const result = readCommitted ? readBack(readCommitted) : null;
          if (result !== null) resolve(result);
          return result !== null;
        },
        reject,
      });
      if (!isScheduled) setImmediate(writeBatch);
      isScheduled = true;
    });
}

/**
 * Returns a function that throws a StorageError if a file of the database is no longer the one that `sqlite` has open. Without its
 * lock file the database may have a second writer, so the state in memory may be outdated; a write-ahead log or its index that was
 * moved is invisible to other programs.
 */
function watchFiles(path: string, sqlite: Sqlite): () => void {
  // SQLite opens the log at the first read.
  sqlite.prepare("select count(*) from sqlite_schema").get();
  const files = [path, lockFile(path), `${path}-wal`, `${path}-shm`];
  const opened = files.map(identityOf);
  return () => {
    const at = files.findIndex((file, at) => identityOf(file) !== opened[at]);
    if (at < 0) return;
    const message =
      at < 2
        ? `${path} or its lock was moved, deleted or replaced while in use. Put it back and start again.`
        : `${files[at]} was moved, deleted or replaced while in use. Leave these files to SQLite; start again and run \`db verify\`.`;
    throw new StorageError(message, { fileLost: true });
  };
}

type SqliteError = InstanceType<typeof Database.SqliteError>;

/** Returns the SQLite error in an error, also where Drizzle has wrapped it; null where there is none. */
export function sqliteErrorOf(error: unknown): SqliteError | null {
  if (error instanceof Database.SqliteError) return error;
  return error instanceof Error ? sqliteErrorOf(error.cause) : null;
}

const isBusy = ({ code }: SqliteError): boolean => code.startsWith("SQLITE_BUSY");

/** Returns the StorageError for a write that SQLite refused. */
export const writeError = (path: string, cause: SqliteError): StorageError =>
  new StorageError(
    isBusy(cause)
      ? `${path} has been locked by another program for more than 10 s. Close the program that writes to it.`
      : `${path} cannot be written: ${cause.message} (${cause.code}). Check the disk.`,
  );

function readBack<T>(readCommitted: () => T | null): T | null {
  try {
    return readCommitted();
  } catch {
    // A disk that failed to write may fail to read as well.
    return null;
  }
}
