/** Measures the work of queries in steps of SQLite's virtual machine, which are the same on every machine. */
import { execFileSync } from "node:child_process";
import Database from "better-sqlite3";
import type { Sqlite } from "../../src/store/sqlite/database.ts";

export const hasShell = (() => {
  try {
    execFileSync("sqlite3", ["-version"]);
    return true;
  } catch {
    return false;
  }
})();

/** Returns the steps of all statements that `query` runs. The `sqlite3` shell runs each again, to its end, and counts. */
export function stepsOf(path: string, query: (sqlite: Sqlite) => unknown): number {
  const statements: string[] = [];
  const sqlite = new Database(path, { readonly: true, verbose: (text) => statements.push(String(text)) });
  try {
    query(sqlite);
  } finally {
    sqlite.close();
  }
  if (statements.length === 0) throw new Error("no statement was run");
  const input = [".stats vmstep", ".output /dev/null", ".output", ...statements.map((text) => `${text};`)].join("\n");
  const output = execFileSync("sqlite3", ["-readonly", path], { input, encoding: "utf8", maxBuffer: 1e9 });
  const steps = [...output.matchAll(/^VM-steps: (\d+)$/gm)].map(([, count]) => Number(count));
  if (steps.length !== statements.length) throw new Error(`${steps.length} of ${statements.length} were counted`);
  return steps.reduce((sum, count) => sum + count, 0);
}
