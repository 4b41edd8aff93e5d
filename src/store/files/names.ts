/**
 * Refuses to use a database under one of several names. SQLite finds the write-ahead log, and we find the lock, by the name of the
 * file: under another name there is another log, and what is in it does not exist for whoever uses the first.
 */
import { lstatSync, readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";

/** Throws a ConfigError where the file has further hard links, or is mounted by itself so that its folder is another one's. */
export function requireOneName(path: string, found: Stats): void {
  if (found.nlink > 1)
    throw new ConfigError([
      `${path} has ${found.nlink} names (hard links), and its write-ahead log lies beside one of them only. ` +
        `Keep one: find the others with \`find / -xdev -inum ${found.ino}\`, or use a copy that db backup makes.`,
    ]);
  if (isMountPoint(realPath(path), found))
    throw new ConfigError([
      `${path} is mounted by itself, and its write-ahead log would lie in another folder than the file. ` +
        "Mount the folder that holds it instead.",
    ]);
}

function isMountPoint(path: string, { dev }: Stats): boolean {
  if (process.platform === "win32") return false;
  // Devices alone prove nothing where it can be known: in a file system of layers, files have another one than their folder.
  return mountPoints()?.includes(path) ?? statSync(dirname(path)).dev !== dev;
}

/** Returns where something is mounted, as this process sees it; null where the system does not say. */
function mountPoints(): string[] | null {
  try {
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    // Blanks and the like are written as octal numbers.
    return lines.map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))),
    );
  } catch {
    return null;
  }
}

/** Throws a ConfigError where a symbolic link leads nowhere: a database made in its place would not be where it is meant to be. */
export function requireNoDeadLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new ConfigError([
    `${path} is a link to ${readlinkSync(path)}, where there is nothing. Put the database there, or remove the link.`,
  ]);
}
