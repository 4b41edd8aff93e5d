/** Writes files atomically: a file is complete, or it does not exist. */
import { lstatSync, renameSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StorageError, UsageError } from "../core/errors.ts";
import { adviceFor, isUnsupported } from "../store/files/draft.ts";

/** The content of a file, in pieces. */
export type Pieces = AsyncIterable<string | Buffer> | Iterable<string | Buffer>;

/**
 * Writes a temporary file in the same folder, and renames it to `path` when it is complete and on disk; an existing file is replaced.
 * The file is readable by its owner only. On an error, the temporary file is deleted.
 * @throws StorageError if the file cannot be written; the error of `pieces`
 */
export async function writeAtomically(path: string, pieces: Pieces): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.part`);
  let own: number | null = null;
  const isOwn = () => own !== null && lstatSync(draft, { throwIfNoEntry: false })?.ino === own;
  try {
    await rm(draft, { force: true });
    const file = await open(draft, "wx", 0o600);
    try {
      own = (await file.stat()).ino;
      await writeAll(file, pieces);
      await file.sync().catch(unlessUnsupported);
    } finally {
      await file.close();
    }
    // Another process that began the same file later has taken this draft for an abandoned one, and replaced it.
    if (!isOwn()) throw new StorageError(`${path} was not written: another process is writing it. Try again later.`);
    renameSync(draft, path);
    await flushNames(dirname(path));
  } catch (error) {
    if (isOwn()) await rm(draft, { force: true }).catch(() => {});
    if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
    throw new StorageError(`${path} was not written (${error.code}). ${adviceFor(error)}`);
  }
}

/** Writes each piece while the next one is computed. */
async function writeAll(file: FileHandle, pieces: Pieces): Promise<void> {
  let writing = Promise.resolve();
  try {
    for await (const piece of pieces) {
      await writing;
      writing = file.appendFile(piece);
      // An error is thrown by the next `await writing`.
      writing.catch(() => {});
    }
  } catch (error) {
    await writing.catch(() => {});
    throw error;
  }
  await writing;
}

/** @throws UsageError if the path exists and is not a regular file, such as a symbolic link or a folder */
export function requirePlainFile(path: string): void {
  let isOther = false;
  try {
    isOther = lstatSync(path, { throwIfNoEntry: false })?.isFile() === false;
  } catch {
    // Writing will report why.
  }
  if (isOther) throw new UsageError(`${path} exists and is not a regular file. Choose another path.`);
}

/** Flushes a folder to disk: a new name survives a power failure only after that. */
async function flushNames(folder: string): Promise<void> {
  const names = await open(folder, "r").catch(unlessUnsupported);
  try {
    await names?.sync().catch(unlessUnsupported);
  } finally {
    await names?.close();
  }
}

function unlessUnsupported(error: unknown): void {
  if (!isUnsupported(error)) throw error;
}
