/** Protects the files of a database from being overwritten by exports and reports. */

import { UsageError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";
import { identityOf } from "../files/connections.ts";
import { lockFile } from "../sqlite/lock.ts";
import { rawFile } from "./archive-file.ts";

/** Returns the path of the note about the last copy that `db backup` made, which is next to the database. */
export const backupNote = (databasePath: string): string => `${realPath(databasePath)}.backup.json`;

/** Throws a UsageError if the target is a file of the database, under any name. */
export function requireForeignFile(target: string, databasePath: string): void {
  const withLogs = [realPath(databasePath), rawFile(databasePath)];
  const own = withLogs.flatMap((file) => ["", "-wal", "-shm", "-journal"].map((suffix) => file + suffix));
  const identity = identityIfReadable(target);
  const isOne = (file: string) => file === realPath(target) || (identity !== null && identity === identityOf(file));
  if ([...own, lockFile(databasePath), backupNote(databasePath)].some(isOne))
    throw new UsageError(`${target} belongs to the database itself. Name another file.`);
}

/** Returns the identity of a file; null if it is missing or not accessible, in which case it cannot be written either. */
function identityIfReadable(path: string): string | null {
  try {
    return identityOf(path);
  } catch {
    return null;
  }
}
