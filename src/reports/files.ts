/** Files that are complete or not there. */
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StorageError } from "../errors.ts";

/** What is written of a file; waited for piece by piece. */
export type Pieces = AsyncIterable<string | Buffer> | Iterable<string | Buffer>;

/**
 * Writes a file beside its place and gives it its name when all of it is on disk; a file of that name is replaced. It is for
 * its owner alone. Where reading or writing fails nothing is left behind. @throws StorageError where the disk is the reason
 */
export async function writeBeside(path: string, pieces: Pieces): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.part`);
  try {
    await rm(draft, { force: true });
    const file = await open(draft, "wx", 0o600);
    try {
      for await (const piece of pieces) await file.appendFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await flushNames(dirname(path));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
    throw new StorageError(`${path} was not written (${error.code}). Check its folder and the free space.`);
  }
}

/** A new name outlives a power cut only when its folder is on disk too. */
async function flushNames(folder: string): Promise<void> {
  const names = await open(folder, "r");
  try {
    await names.sync();
  } finally {
    await names.close();
  }
}
