/** How much SQLite does for what is asked, in steps of its virtual machine: the same on every machine, busy or not. */
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

/** Steps of all statements that `ask` runs, each to its end. They are run again by the `sqlite3` shell, which counts. */
export function stepsOf(path: string, ask: (sqlite: Sqlite) => unknown): number {
  const statements: string[] = [];
  const sqlite = new Database(path, { readonly: true, verbose: (text) => statements.push(String(text)) });
  try {
    ask(sqlite);
  } finally {
    sqlite.close();
  }
  if (statements.length === 0) throw new Error("nothing was asked");
  const input = [".stats vmstep", ".output /dev/null", ".output", ...statements.map((text) => `${text};`)].join("\n");
  const told = execFileSync("sqlite3", ["-readonly", path], { input, encoding: "utf8", maxBuffer: 1e9 });
  const steps = [...told.matchAll(/^VM-steps: (\d+)$/gm)].map(([, count]) => Number(count));
  if (steps.length !== statements.length) throw new Error(`${steps.length} of ${statements.length} were counted`);
  return steps.reduce((sum, count) => sum + count, 0);
}
