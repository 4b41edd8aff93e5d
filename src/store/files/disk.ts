/** The disk under the database: how much room is left on it, and how long the write-ahead log beside the database is. */
import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { SpaceError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";

const megabyte = 1_000_000;

/** Below `least` no run begins: what is left is for the ledger, which says so. Below `comfortable` the log warns. Bytes. */
const room = { least: 50 * megabyte, comfortable: 500 * megabyte };

/** Checkpoints keep it at a few megabytes; only a reader that does not end lets it grow so long. Bytes. */
const longestWal = 64 * megabyte;

/** "none" is too little for another run. */
export interface DiskSpace {
  freeBytes: number;
  verdict: "enough" | "scarce" | "none";
}

/** What this user may still write on the disk of the database; infinite where the system does not tell. */
export function diskSpaceFor(path: string): DiskSpace {
  const { bavail, blocks, bsize } = diskOf(path);
  const freeBytes = bavail * bsize;
  // A disk that is smaller than a limit (a test's, one in memory) could never keep it; there SQLite says when it is full.
  const lacks = (bytes: number) => freeBytes < bytes && blocks * bsize > bytes;
  const verdict = lacks(room.least) ? "none" : lacks(room.comfortable) ? "scarce" : "enough";
  return { freeBytes, verdict };
}

function diskOf(path: string): { bavail: number; blocks: number; bsize: number } {
  try {
    return statfsSync(dirname(path));
  } catch {
    const unknown = Number.POSITIVE_INFINITY;
    return { bavail: unknown, blocks: unknown, bsize: 1 };
  }
}

/** A sentence for the person who can make room. */
export const describeDiskSpace = (path: string, { freeBytes, verdict }: DiskSpace): string =>
  `only ${Math.floor(freeBytes / megabyte)} MB are free on the disk of ${path}; ` +
  (verdict === "none"
    ? "a run needs 50 MB. Make room; collecting goes on by itself."
    : "below 50 MB nothing is collected.");

/** Says in the log, once each, when room gets scarce and when the write-ahead log does not end, and when that is over. */
export function createDiskWatch(path: string, log: Log): { requireDiskSpace(): void } {
  const wal = `${path}-wal`;
  let isScarce = false;
  let isLong = false;

  function noticeRoom(found: DiskSpace): void {
    if ((found.verdict !== "enough") === isScarce) return;
    isScarce = !isScarce;
    const fields = { path, freeBytes: found.freeBytes };
    if (isScarce) log.warn(fields, describeDiskSpace(path, found));
    else log.info(fields, "there is room on the disk again");
  }

  function noticeWal(bytes: number): void {
    if (bytes > longestWal === isLong) return;
    isLong = !isLong;
    const size = `${wal} has ${Math.ceil(bytes / megabyte)} MB`;
    if (isLong) log.error({ path, bytes }, `${size}: some program has been reading the database for long; close it`);
    else log.info({ path, bytes }, `${size} now`);
  }

  return {
    requireDiskSpace() {
      noticeWal(statSync(wal, { throwIfNoEntry: false })?.size ?? 0);
      const found = diskSpaceFor(path);
      noticeRoom(found);
      if (found.verdict === "none") throw new SpaceError(describeDiskSpace(path, found));
    },
  };
}
