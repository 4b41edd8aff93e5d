/** Keeps the result of the last verification in a file next to the database, for the page of data health. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { realPath } from "../../core/path.ts";

/** What is kept of a verification, and when it ended. */
export interface LastVerification {
  /** ISO 8601 UTC. */
  at: string;
  /** One sentence each; empty if nothing was altered. */
  problems: readonly string[];
  runs: number;
  snapshots: number;
  due: number;
  accounted: number;
  corrected: number;
  /** The last link of each chain: SHA-256 in hex, and the account if each has its own chain. */
  heads: readonly { account: string | null; digest: string }[];
}

/** Returns the path of the file: `collector.verified.json` for `collector.db`, next to the real file if that is a link. */
export const verifiedFile = (databasePath: string): string =>
  `${realPath(databasePath).replace(/\.db$/, "")}.verified.json`;

/** Writes the file, completely or not at all. Returns false where the folder cannot be written, as for a reader of another user. */
export function keepVerification(
  databasePath: string,
  verification: Omit<LastVerification, "at">,
  now: number,
): boolean {
  const { problems, runs, snapshots, due, accounted, corrected, heads } = verification;
  const at = new Date(now).toISOString();
  const kept: LastVerification = { at, problems, runs, snapshots, due, accounted, corrected, heads };
  const path = verifiedFile(databasePath);
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(draft, path);
    return true;
  } catch {
    rmSync(draft, { force: true });
    return false;
  }
}

/** Returns the result of the last verification; null if there was none, or its file cannot be read. */
export function lastVerification(databasePath: string): LastVerification | null {
  try {
    return JSON.parse(readFileSync(verifiedFile(databasePath), "utf8")) as LastVerification;
  } catch {
    return null;
  }
}
