/** Rows U8 to U10: the SQL console. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { accepted, endless, refused } from "../support/console-statements.ts";
import { contentOf } from "./contents.ts";
import { row } from "./row.ts";
import { runsOf } from "./runs.ts";

const takesTooLong = `${endless} select count(*) from c`;
const holdsTooMuch = `${endless} select group_concat(hex(zeroblob(500000)), '') from c`;

row("U8", "27 hostile statements", { inEveryRun: true, timeoutSeconds: 120 }, async ({ run, rows, folder, path }) => {
  expect((await run(["collect", "spot-assets"])).code).toBe(0);
  const data = join(folder, "data");
  const before = contentOf(data);
  // The console of the built program, called from this process; it starts a child process for every statement.
  const built = resolve("dist/store/sql/console.js");
  const { runQuery } = (await import(built)) as typeof import("../../src/store/sql/console.ts");
  /** Returns the row count, or the error. */
  const outcomeOf = async (statement: string): Promise<number | string> => {
    try {
      const answer = await runQuery(path, statement, statement === takesTooLong ? 1 : 20);
      let count = 0;
      for await (const some of answer.rows) count += some.length;
      return count;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const all = [...accepted, ...refused, takesTooLong, holdsTooMuch];
  const outcomes = new Map<string, number | string>();
  const left = [...all];
  const worker = async () => {
    for (let next = left.shift(); next; next = left.shift()) outcomes.set(next, await outcomeOf(next));
  };
  await Promise.all([worker(), worker(), worker()]);

  expect(all).toHaveLength(27);
  for (const statement of accepted)
    expect([statement, outcomes.get(statement)]).toEqual([statement, expect.any(Number)]);
  for (const statement of refused)
    expect([statement, outcomes.get(statement)]).toEqual([statement, expect.stringMatching(/./)]);
  expect(outcomes.get(takesTooLong)).toBe("stopped after 1 s; select fewer rows, or raise SQL_TIMEOUT_SECONDS");
  expect(outcomes.get(holdsTooMuch)).toBe("stopped: the query used more than 400 MB of memory; select fewer rows");
  expect(contentOf(data)).toEqual(before);
  expect(rows("select count(*) as n from runs")).toEqual([{ n: 1 }]);
  for (const written of ["/tmp/other.db", "new.db", "copy.db", "x"])
    expect([written, existsSync(written)]).toEqual([written, false]);
});

const hostile = [
  takesTooLong,
  holdsTooMuch,
  `${endless} select hex(zeroblob(300000000)) from c`,
  `${endless} select x from c limit 1000000000`,
];

// Each statement has its own process with one child, so 20 of them cannot share two.
row("U9", "20 concurrent statements that do not end or use too much memory", { timeoutSeconds: 180 }, async (bench) => {
  const daemon = await bench.start({ SCHEDULE_SPOT_ASSETS: "*/5 * * * * *", SCHEDULE_POSITIONS: "" });
  const ends = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      bench.run(["sql", hostile[n % hostile.length] ?? "", "--format", "csv"], { SQL_TIMEOUT_SECONDS: "5" }),
    ),
  );
  // SQLite's limit of a text may be reached before the memory limit.
  for (const { code, stderr } of ends)
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^(stopped (after 5 s|at 400 MB of memory); |string or blob too big)/),
    ]);
  await bench.stop(daemon);
  const runs = runsOf(daemon, "spot-assets");
  expect(runs.length).toBeGreaterThan(0);
  expect(runs.map(({ state }) => state)).toEqual(runs.map(() => "ok"));
  expect(bench.rows("select scheduled_for, state from runs where state = 'missed'")).toEqual([]);
});

// Every row is followed by a search for secrets in its output.
row(
  "U10",
  "the console reads sqlite_master and pragma_database_list",
  { timeoutSeconds: 120 },
  async ({ run, path }) => {
    expect((await run(["collect", "spot-assets"])).code).toBe(0);
    const tables = await run(["sql", "select name, sql from sqlite_master", "--format", "csv"]);
    expect([tables.code, tables.stdout]).toEqual([0, expect.stringContaining("CREATE TABLE `run`")]);
    const files = await run(["sql", "select name, file from pragma_database_list", "--format", "csv"]);
    expect([files.code, files.stdout]).toEqual([0, `name,file\r\nmain,${path}\r\n`]);
  },
);
