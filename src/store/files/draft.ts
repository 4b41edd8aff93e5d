/** Database files that bear their name when they are complete, and until then lie where nobody else can get at them. */
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { createPrivate } from "./connections.ts";

export interface Draft {
  /** Where to write it: an empty file for its owner alone. SQLite may put others beside it. */
  readonly path: string;
  /** Whether the file system keeps it from other users; false on a share or a stick that knows no modes. */
  readonly isPrivate: boolean;
  /** Gives the file its name, in place of one that has it, when it is on disk. Throws what the system says. */
  commit(): void;
  /** Removes what is left of it; does not throw. */
  discard(): void;
}

/**
 * Begins a file in a folder of its own beside the target, `<target>.part`, which only its owner may enter: where others may put files
 * too, none of them can slip in a link or a journal. What an earlier attempt has left there is removed. Throws what the system says,
 * also where somebody else's file has that name.
 */
export function beginDraft(target: string): Draft {
  const folder = `${target}.part`;
  const path = join(folder, "draft.db");
  const discard = () => {
    try {
      clear(folder);
    } catch {
      // The next attempt removes it, or says why it cannot.
    }
  };
  clear(folder);
  // Fails where there is something again, and so never uses what others have put there.
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
 * Removes what a draft leaves behind, and nothing else: in a folder of that name, the files of a draft and then the folder. Throws
 * what the system says, also where something else is in it or it belongs to another user.
 */
function clear(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isDirectory()) {
    rmSync(folder);
    return;
  }
  // Whose folder it is decides who can exchange what lies in it meanwhile.
  if (process.getuid && found.uid !== process.getuid()) return;
  for (const end of ["", "-journal", "-wal", "-shm"]) rmSync(join(folder, `draft.db${end}`), { force: true });
  rmdirSync(folder);
}

/** Waits until a file's content, or the names in a folder, are on disk, where the file system can say so. Throws what the system says. */
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

/** Returns whether a file system refuses a step because it has no such thing, as shares and sticks do: going on does no harm. */
export const isUnsupported = (error: unknown): boolean =>
  ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EPERM", "EACCES", "EISDIR"].includes(
    (error as NodeJS.ErrnoException).code ?? "",
  );

/** Returns what to do about an error of the system or of SQLite at a file that could not be written, as a sentence. */
export function adviceFor(error: unknown): string {
  const { code = "" } = error as { code?: string };
  if (/^(ENOSPC|EDQUOT|EFBIG|SQLITE_FULL)/.test(code)) return "Make room there, or choose another folder.";
  if (/^(EEXIST|ENOTEMPTY)/.test(code))
    return "Move away what lies there under the name of its draft, which ends in .part.";
  if (/^(EROFS|SQLITE_READONLY)/.test(code)) return "Its disk can only be read; choose another folder.";
  if (/^(EACCES|EPERM|SQLITE_CANTOPEN)/.test(code))
    return "Check the owner and mode of its folder, and of what lies there.";
  if (/^(SQLITE_BUSY|SQLITE_IOERR_\w*LOCK)/.test(code))
    return "Its file system lets nobody lock a file; write it to a local disk, and copy it from there.";
  if (/^(EIO|SQLITE_IOERR)/.test(code)) return "Check the disk, or the connection to it.";
  return "Check its folder.";
}
