/**
 * Write transactions that neither block the event loop for long nor report what is not stored. What is asked for in one
 * turn of the event loop shares a transaction, for each commit waits for the disk.
 */
import Database from "better-sqlite3";
import { type Clock, sleep } from "../../core/clock.ts";
import { StorageError } from "../../core/errors.ts";
import { identityOf } from "../files/connections.ts";
import type { Sqlite } from "./database.ts";
import { lockFile } from "./lock.ts";

/** So many share a transaction; what else was asked for waits for the next, and others have their turn in between. */
const mostAtOnce = 200;

const patienceMs = 10_000;
const pauseMs = { shortest: 25, longest: 100 };

/**
 * Runs `work` in an immediate transaction, in the order of asking; one that throws undoes what it did and nothing else.
 * While another process writes, it tries again for 10 s, or until the program must stop at once. After an error that may have come too late to undo the commit,
 * `readCommitted` reads what is stored: anything but null is the result. Throws a StorageError where nothing was written.
 */
export type Write = <T>(work: () => T, readCommitted?: () => T | null) => Promise<T>;

/** A write somebody waits for. */
interface Task {
  /** Does the work; what it returns resolves the promise, once that is committed. */
  work(): () => void;
  /** Resolves the promise with what is stored; false where nothing is. */
  recover(): boolean;
  reject(error: unknown): void;
}

/**
 * `onRollback` is told that what a `work` changed in memory no longer holds; `stopping` is aborted when the program must stop at once.
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
  const asked: Task[] = [];
  let awake = false;

  async function writeAsked(): Promise<void> {
    await write(asked.splice(0, mostAtOnce));
    awake = asked.length > 0;
    if (awake) setImmediate(writeAsked);
  }

  async function write(tasks: readonly Task[]): Promise<void> {
    const giveUpAt = clock.monotonic() + patienceMs;
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
      // Cut short, it tries once more.
      await sleep(clock, pause, stopping).catch(() => {});
    }
  }

  function commit(tasks: readonly Task[]): void {
    requireSameFiles();
    const reports = transaction.immediate(tasks);
    // What went into a log that nobody else can find is not stored.
    requireSameFiles();
    for (const report of reports) report();
  }

  /** A bug or a constraint is the affair of one task; whatever else SQLite reports is everybody's. */
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
      asked.push({
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
      if (!awake) setImmediate(writeAsked);
      awake = true;
    });
}

/**
 * Returns a function that throws a StorageError where a file of the database is no longer the one that `sqlite` has open. Without its
 * lock the database has no single writer any more, and what is kept in memory may be wrong; a write-ahead log without its name, or
 * the index of it, is one that no other program sees.
 */
function watchFiles(path: string, sqlite: Sqlite): () => void {
  // SQLite opens the log with the first read.
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
    throw new StorageError(message, { gone: true });
  };
}

type SqliteError = InstanceType<typeof Database.SqliteError>;

/** The error of SQLite itself, also where Drizzle has wrapped it. */
export function sqliteErrorOf(error: unknown): SqliteError | null {
  if (error instanceof Database.SqliteError) return error;
  return error instanceof Error ? sqliteErrorOf(error.cause) : null;
}

const isBusy = ({ code }: SqliteError): boolean => code.startsWith("SQLITE_BUSY");

export const writeError = (path: string, cause: SqliteError): StorageError =>
  new StorageError(
    isBusy(cause)
      ? `${path} is held by another program for more than 10 s. Close what writes to it.`
      : `${path} cannot be written: ${cause.message} (${cause.code}). Check the disk.`,
  );

function readBack<T>(readCommitted: () => T | null): T | null {
  try {
    return readCommitted();
  } catch {
    // The disk that failed to write may fail to read as well; then nothing is known to be stored.
    return null;
  }
}
