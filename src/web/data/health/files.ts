/** Reads the sizes of the files of a history, and the free space of their disk. */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { diskSpaceFor } from "../../../store/files/disk.ts";
import { rawFile } from "../../../store/responses/archive-file.ts";

/** A file; null bytes: there is none. */
export interface HistoryFile {
  what: string;
  name: string;
  bytes: number | null;
}

/** Returns the files of a history, and the free bytes of its disk; null where the system does not report them. */
export function filesOf(path: string): { files: HistoryFile[]; freeBytes: number | null } {
  const named = { Database: path, "Write-ahead log": `${path}-wal`, "Raw responses": rawFile(path) };
  const { freeBytes } = diskSpaceFor(path);
  return {
    files: Object.entries(named).map(([what, file]) => ({
      what,
      name: basename(file),
      bytes: statSync(file, { throwIfNoEntry: false })?.size ?? null,
    })),
    freeBytes: Number.isFinite(freeBytes) ? freeBytes : null,
  };
}
