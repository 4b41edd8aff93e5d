/** Watches the free space of the disk that holds the database, and the size of the write-ahead log. */
import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { SpaceError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";

const megabyte = 1_000_000;

/** The free space below which no run begins (`required`), so that the ledger can still record why, and below which the log warns. Bytes. */
const limits = { required: 50 * megabyte, warning: 500 * megabyte };

/** Checkpoints keep the log at a few megabytes; only a read transaction that does not end lets it grow beyond this. Bytes. */
const maxWalBytes = 64 * megabyte;

/** The free space of a disk. At the level `none` it is too little for another run. */
export interface DiskSpace {
  freeBytes: number;
  level: "enough" | "scarce" | "none";
}

/** Returns the space that this user may still write on the disk of the database; infinite if the system does not report it. */
export function diskSpaceFor(path: string): DiskSpace {
  const { bavail, blocks, bsize } = diskOf(path);
  const freeBytes = bavail * bsize;
  // A limit above the size of the whole disk (in a test, or in memory) is ignored: SQLite reports when such a disk is full.
  const isBelow = (bytes: number) => freeBytes < bytes && blocks * bsize > bytes;
  const level = isBelow(limits.required) ? "none" : isBelow(limits.warning) ? "scarce" : "enough";
  return { freeBytes, level };
}

/** Reads the disk of a path from its nearest folder that exists. */
function diskOf(path: string): { bavail: number; blocks: number; bsize: number } {
  const folder = dirname(path);
  try {
    return statfsSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && folder !== path) return diskOf(folder);
    const unknown = Number.POSITIVE_INFINITY;
    return { bavail: unknown, blocks: unknown, bsize: 1 };
  }
}

/** Returns a message with the free space and what to do about it. */
export const describeDiskSpace = (path: string, { freeBytes, level }: DiskSpace): string =>
  `only ${Math.floor(freeBytes / megabyte)} MB are free on the disk of ${path}; ` +
  (level === "none"
    ? "a run needs 50 MB. Free some space; collecting resumes automatically."
    : "collecting stops below 50 MB.");

/**
 * Returns a check to call before each run: it throws a SpaceError if there is too little space, and logs when space becomes scarce or
 * the write-ahead log too large, and when that ends.
 */
export function createDiskWatch(path: string, log: Log): { requireDiskSpace(): void } {
  const wal = `${path}-wal`;
  let isScarce = false;
  let isLong = false;

  function logSpace(found: DiskSpace): void {
    if ((found.level !== "enough") === isScarce) return;
    isScarce = !isScarce;
    const fields = { path, freeBytes: found.freeBytes };
    if (isScarce) log.warn(fields, describeDiskSpace(path, found));
    else log.info(fields, "enough space on the disk again");
  }

  function logWalSize(bytes: number): void {
    if (bytes > maxWalBytes === isLong) return;
    isLong = !isLong;
    const size = `${wal} is ${Math.ceil(bytes / megabyte)} MB`;
    if (isLong)
      log.error({ path, bytes }, `${size}: another program has been reading the database for a long time; close it`);
    else log.info({ path, bytes }, `${size} again`);
  }

  return {
    requireDiskSpace() {
      logWalSize(statSync(wal, { throwIfNoEntry: false })?.size ?? 0);
      const found = diskSpaceFor(path);
      logSpace(found);
      if (found.level === "none") throw new SpaceError(describeDiskSpace(path, found));
    },
  };
}
