/** The files that a database consists of, which nothing else may be written to. */

import { UsageError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";
import { identityOf } from "../files/connections.ts";
import { lockFile } from "../sqlite/lock.ts";
import { rawFile } from "./archive-file.ts";

/** Throws a UsageError where a file that is to be written belongs to the database, whatever name it is given. */
export function requireForeignFile(target: string, databasePath: string): void {
  const withLogs = [realPath(databasePath), rawFile(databasePath)];
  const own = withLogs.flatMap((file) => ["", "-wal", "-shm", "-journal"].map((suffix) => file + suffix));
  const identity = identityIfReadable(target);
  const isOne = (file: string) => file === realPath(target) || (identity !== null && identity === identityOf(file));
  if ([...own, lockFile(databasePath)].some(isOne))
    throw new UsageError(`${target} belongs to the database itself. Name another file.`);
}

/** Returns the identity of a file; null also where this user may not look: then it cannot be written either. */
function identityIfReadable(path: string): string | null {
  try {
    return identityOf(path);
  } catch {
    return null;
  }
}
