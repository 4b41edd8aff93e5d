/** The installed `sqlite3`, which reads a history without this program. */
import { execFileSync } from "node:child_process";
import { cellText } from "../../src/core/domain.ts";
import { prepareQuery } from "../../src/store/sql/query.ts";
import type { Sqlite } from "../../src/store/sqlite/database.ts";

/** Its version; null if it is missing or has no decimal extension. */
export const shell: string | null = (() => {
  try {
    const sql = "select sqlite_version() where decimal_add('1', '2') = '3'";
    return execFileSync("sqlite3", [":memory:", sql], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return null;
  }
})();

export const inShell = (sql: string, file: string): string =>
  execFileSync("sqlite3", ["-readonly", "-header", "-nullvalue", "NULL", file, sql], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });

/** Returns the result of `sql` in this program with one line per row, in the format of the `sqlite3` program. */
export function inProgram(sql: string, on: Sqlite): string {
  const { columns, rows } = prepareQuery(on, sql);
  const lines = [...rows()].map((cells) => cells.map((cell) => (cell === null ? "NULL" : cellText(cell))).join("|"));
  return [columns.join("|"), ...lines, ""].join("\n");
}
