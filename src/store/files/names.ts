/**
 * Rejects a database file that has several names. The write-ahead log and the lock are found by the name of the file: under another
 * name there is another log, and its content is invisible to programs that use the first name.
 */
import { lstatSync, readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";

/** Throws a ConfigError if the file has more than one hard link, or is a mount point, so that its log would be in another folder. */
export function requireOneName(path: string, found: Stats): void {
  if (found.nlink > 1)
    throw new ConfigError([
      `${path} has ${found.nlink} names (hard links), and its write-ahead log is next to only one of them. ` +
        `Keep one: find the others with \`find / -xdev -inum ${found.ino}\`, or use a copy that db backup makes.`,
    ]);
  if (isMountPoint(realPath(path), found))
    throw new ConfigError([
      `${path} is a mounted file, so its write-ahead log would be in another folder than the file. ` +
        "Mount the folder that contains it instead.",
    ]);
}

function isMountPoint(path: string, { dev }: Stats): boolean {
  if (process.platform === "win32") return false;
  // Comparing devices is only the fallback: in an overlay file system a file may have another device than its folder.
  return mountPoints()?.includes(path) ?? statSync(dirname(path)).dev !== dev;
}

/** Returns the mount points in the namespace of this process; null if the system does not list them. */
function mountPoints(): string[] | null {
  try {
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    // White space is escaped as octal numbers.
    return lines.map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))),
    );
  } catch {
    return null;
  }
}

/** Throws a ConfigError if a symbolic link is broken, because a new database would replace the link instead of its target. */
export function requireNoDeadLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new ConfigError([
    `${path} is a link to ${readlinkSync(path)}, which does not exist. Put the database there, or remove the link.`,
  ]);
}
