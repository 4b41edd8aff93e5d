/** Creates database files in a private folder, and gives them their name only when they are complete. */
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { createPrivate } from "./connections.ts";

/** A file that is being written. */
export interface Draft {
  /** An empty file with mode 0600 to write to. SQLite may create others next to it. */
  readonly path: string;
  /** True if the file system protects it from other users; false on network shares and USB drives without file modes. */
  readonly isPrivate: boolean;
  /** Syncs the file to disk and gives it its name, replacing an existing file. Throws the system error. */
  commit(): void;
  /** Removes the draft if it was not committed; does not throw. */
  discard(): void;
}

/**
 * Begins a file in the folder `<target>.part` with mode 0700, so that in a shared directory no other user can plant a link or a
 * journal. Leftovers of an earlier attempt are removed. Throws the system error, also where a file of another user has that name.
 */
export function beginDraft(target: string): Draft {
  const folder = `${target}.part`;
  const path = join(folder, "draft.db");
  const discard = () => {
    try {
      clear(folder);
    } catch {
      // The next attempt removes it, or reports why it cannot.
    }
  };
  clear(folder);
  // Fails where the folder exists again, so files that others created there are never used.
  mkdirSync(folder, { mode: 0o700 });
  try {
    createPrivate(path);
  } catch (error) {
    discard();
    throw error;
  }
  return {
    path,
    isPrivate: process.platform === "win32" || (statSync(path).mode & 0o077) === 0,
    commit() {
      flush(path);
      renameSync(path, target);
      flush(dirname(target));
    },
    discard,
  };
}

/**
 * Removes the files of a draft and their folder, and nothing else. Throws the system error, also where the folder contains other
 * files.
 */
function clear(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isDirectory()) {
    rmSync(folder);
    return;
  }
  // The owner of a folder could replace files in it meanwhile, so a folder of another user is left alone.
  if (process.getuid && found.uid !== process.getuid()) return;
  for (const end of ["", "-journal", "-wal", "-shm"]) rmSync(join(folder, `draft.db${end}`), { force: true });
  rmdirSync(folder);
}

/** Syncs the content of a file, or the names in a folder, to disk, where the file system supports that. Throws the system error. */
export function flush(path: string): void {
  try {
    const file = openSync(path, "r");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
}

/** Returns true if the file system does not support an operation, as on network shares and USB drives; it is safe to continue. */
export const isUnsupported = (error: unknown): boolean =>
  ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EPERM", "EACCES", "EISDIR"].includes(
    (error as NodeJS.ErrnoException).code ?? "",
  );

/** Returns advice on a system or SQLite error of a file that could not be written, as a sentence. */
export function adviceFor(error: unknown): string {
  const { code = "" } = error as { code?: string };
  if (/^(ENOSPC|EDQUOT|EFBIG|SQLITE_FULL)/.test(code)) return "Free some space there, or choose another folder.";
  if (/^(EEXIST|ENOTEMPTY)/.test(code))
    return "Move away the existing file or folder of that name with the suffix .part.";
  if (/^(EROFS|SQLITE_READONLY)/.test(code)) return "The disk is read-only; choose another folder.";
  if (/^(EACCES|EPERM|SQLITE_CANTOPEN)/.test(code))
    return "Check the owner and mode of its folder, and of the files in it.";
  if (/^(SQLITE_BUSY|SQLITE_IOERR_\w*LOCK)/.test(code))
    return "Its file system does not support locks; write it to a local disk, and copy it from there.";
  if (/^(EIO|SQLITE_IOERR)/.test(code)) return "Check the disk, or the connection to it.";
  if (/^(ENOENT|ENOTDIR)/.test(code)) return "Create its folder first.";
  return "Check its folder.";
}
