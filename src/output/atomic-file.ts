/** Files that are complete or not there. */
import { lstatSync, renameSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StorageError, UsageError } from "../core/errors.ts";
import { adviceFor, isUnsupported } from "../store/files/draft.ts";

/** What is written of a file; waited for piece by piece. */
export type Pieces = AsyncIterable<string | Buffer> | Iterable<string | Buffer>;

/**
 * Writes a file beside its place and gives it its name when all of it is on disk; a file of that name is replaced. It is for
 * its owner alone. Where reading or writing fails nothing is left behind. @throws StorageError where the disk is the reason
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
    // Whoever began the same file later took this draft for one that was left behind, and made its own.
    if (!isOwn()) throw new StorageError(`${path} was not written: another process writes it. Try again later.`);
    renameSync(draft, path);
    await flushNames(dirname(path));
  } catch (error) {
    if (isOwn()) await rm(draft, { force: true }).catch(() => {});
    if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
    throw new StorageError(`${path} was not written (${error.code}). ${adviceFor(error)}`);
  }
}

/** Writes each piece while the next one is made. */
async function writeAll(file: FileHandle, pieces: Pieces): Promise<void> {
  let writing = Promise.resolve();
  try {
    for await (const piece of pieces) {
      await writing;
      writing = file.appendFile(piece);
      // It is thrown where it is waited for.
      writing.catch(() => {});
    }
  } catch (error) {
    await writing.catch(() => {});
    throw error;
  }
  await writing;
}

/** @throws UsageError where a link, a folder or the like has this name: nothing is written through it */
export function requirePlainFile(path: string): void {
  let isOther = false;
  try {
    isOther = lstatSync(path, { throwIfNoEntry: false })?.isFile() === false;
  } catch {
    // Writing will say why.
  }
  if (isOther) throw new UsageError(`${path} is there and is no plain file. Name another.`);
}

/** A new name outlives a power cut only when its folder is on disk too. */
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
