import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { beforeEach, expect, it } from "vitest";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { equityRow, hour, storeRun } from "../reports/kit.ts";
import { start } from "../store/kit.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { runInProcess } from "../support/in-process.ts";

let path: string;
const run = (...args: string[]) => runInProcess(args, dirname(path), { DATABASE_URL: `file:${path}` });

/** A day of November 2026, hourly. */
beforeEach(async () => {
  path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "equity", "0 * * * *", start - 1);
  for (let n = 0; n <= 24; n += 1) await storeRun(store, equity, start + n * hour, [equityRow(`100.${n}0`)]);
  store.close();
});

it("books writes the books of a month as one file, and names it", async () => {
  const { code, stderr } = await run("books", "2026-11");
  expect([code, stderr]).toEqual([0, expect.stringContaining("books-2026-11.zip was written")]);
  const files = unzipSync(readFileSync(join(dirname(path), "books-2026-11.zip")));
  expect(Object.keys(files)).toEqual([
    ...["balances", "equity", "pnl", "ledger", "coverage", "reconciliation"].map((name) => `${name}-2026-11.csv`),
    ...["statement-main-2026-11.html", "statement-main-2026-11.csv"],
  ]);
  expect(strFromU8(files["equity-2026-11.csv"] ?? new Uint8Array())).toContain("2026-11-01,main,,100.230,");
  expect((await run("books", "2026-11", "--account", "main", "--out", "x.zip")).code).toBe(0);
});

it("statement prints one sheet, and says what is not known", async () => {
  const { code, stdout } = await run("statement", "2026-11");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(stdout).toContain("Statement of November 2026, main");
  expect(stdout).toContain("Not complete: bills were not collected.");
});

it("statement is also CSV: by its name or as requested, with what is known of each line", async () => {
  const { code, stdout } = await run("statement", "2026-11", "--format", "csv");
  const lines = stdout.trim().split("\r\n");
  expect([code, lines.length]).toEqual([0, 13]);
  expect(lines[0]).toBe("month,account,line,usdt,known,known_at,known_days,days,unknown");
  expect(lines[1]).toBe("2026-11,main,opening,,100.230,2026-11-01T23:00:00.000Z,,,no complete equity near the close");
  expect(lines[2]).toMatch(/^2026-11,main,flows,,,,0,\d+,bills were not collected; the equity at the beginning$/);
  expect((await run("statement", "2026-11", "--out", "november.csv")).code).toBe(0);
  expect(readFileSync(join(dirname(path), "november.csv"), "utf8")).toBe(stdout);
});

it.each([
  [["books", "2026-13"], '"2026-13" is not a month; use 2026-10'],
  [["books", "November"], '"November" is not a month; use 2026-10'],
  [["books", "2999-01"], "2999-01 has not begun"],
  [["books", "2026-09"], "nothing was recorded in 2026-09; the history begins at 2026-11-01T00:00:00.000Z"],
  [["statement", "2026-11", "--format", "pdf"], "pdf"],
  [["statement", "2026-11", "--account", "hedge"], '--account "hedge" has no history'],
  ...[["statement"], ["books"], ["report", "pnl"], ["report", "balances"]].map((args): [string[], string] => [
    [...args, "--account", "public"],
    '--account "public" has the public prices, which belong to no account; accounts: main',
  ]),
  [["statement", "2026-11", "--out", "nowhere/x.html"], "nowhere does not exist. Create that folder"],
])("%j is refused: %s", async (args, sentence) => {
  const { code, stderr } = await run(...args);
  expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(sentence)]);
  expect([64, 78]).toContain(code);
});
