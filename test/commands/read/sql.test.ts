/** Tests which statements `sql` runs, rejects and stops. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { QueryError } from "../../../src/core/errors.ts";
import { addDecimalFunctions } from "../../../src/store/sql/decimal-functions.ts";
import { prepareQuery } from "../../../src/store/sql/query.ts";
import { collect, good, item, start as midnight } from "../../store/kit.ts";
import { positions, spotAssets } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { accepted, endless, refused } from "../../support/console-statements.ts";
import { runInProcess } from "../../support/in-process.ts";
import { run, start } from "../../support/program.ts";
import { until } from "../../support/wait.ts";

let path: string;
const sql = (statement: string, format?: string, env: Record<string, string> = {}) =>
  run(["sql", statement, ...(format ? ["--format", format] : [])], dirname(path), {
    DATABASE_URL: `file:${path}`,
    ...env,
  });

beforeEach(async () => {
  path = temporaryPath();
  const store = await open(path);
  const coins = [
    { coin: "BTC", available: "0.10" },
    { coin: "=1+1", available: "-5" },
    { coin: "\u001b[2J", available: null },
  ];
  const items = coins.map((cells) => item(spotAssets, cells));
  await collect(store, spotAssets, midnight, { snapshots: [good(items, midnight)] });
  await collect(store, positions, midnight, { snapshots: [good([], midnight, "umcbl")] });
  store.close();
});

const files = () =>
  readdirSync(dirname(path))
    .filter((name) => !/-(wal|shm)$/.test(name))
    .map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(dirname(path), name)))
        .digest("hex"),
    ]);

describe("statements", () => {
  it.each(accepted)("run: %s", (statement) => {
    const sqlite = new Database(path, { readonly: true });
    addDecimalFunctions(sqlite);
    expect([...prepareQuery(sqlite, statement).rows()].length).toBeGreaterThan(0);
    sqlite.close();
  });

  it("are rejected without changing a file", async () => {
    const before = files();
    const sqlite = new Database(path, { readonly: true });
    addDecimalFunctions(sqlite);
    for (const statement of refused) expect(() => [...prepareQuery(sqlite, statement).rows()], statement).toThrow(/./);
    for (const statement of ["attach 'x' as y", "vacuum into 'x'", "begin", ""])
      expect(() => prepareQuery(sqlite, statement), statement).toThrow(QueryError);
    sqlite.close();
    expect(refused).toHaveLength(20);
    expect(files()).toEqual(before);
  });

  it("are stopped at the time limit", async () => {
    const { code, stdout, stderr } = await sql(`${endless} select count(*) from c`, "csv", {
      SQL_TIMEOUT_SECONDS: "1",
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe("stopped after 1 s; select fewer rows, or raise SQL_TIMEOUT_SECONDS\n");
  });

  it("are stopped at the memory limit", async () => {
    const grow = `${endless} select group_concat(hex(zeroblob(500000)), '') from c`;
    const { code, stderr } = await sql(grow, "csv", { SQL_TIMEOUT_SECONDS: "30" });
    expect([code, stderr]).toEqual([1, "stopped: the query used more than 400 MB of memory; select fewer rows\n"]);
  });
});

describe("sql", () => {
  it("rejects or fails with one message and exit code 1", async () => {
    const hint = "; docs/reference/data-dictionary.md lists the views and their columns\n";
    for (const [statement, sentence] of [
      ["delete from run", "only SELECT, WITH … SELECT, VALUES and EXPLAIN of these are allowed\n"],
      ["select nosuch", `no such column: nosuch${hint}`],
      ["select * from nosuch", `no such table: nosuch${hint}`],
      [
        "select * from position",
        `no such table: position; did you mean positions_latest or positions_history?${hint.slice(1)}`,
      ],
      [
        "select p.mark_prise from positions_latest p",
        `no such column: p.mark_prise; did you mean mark_price?${hint.slice(1)}`,
      ],
    ] as const) {
      const { code, stdout, stderr } = await sql(statement);
      expect([code, stdout, stderr]).toEqual([1, "", sentence]);
    }
  });

  it("prints a table with control characters escaped", async () => {
    const { code, stdout } = await sql(
      "select coin, available from spot_assets_latest order by available collate decimal",
    );
    expect(code).toBe(0);
    expect(stdout).toBe("coin       available\n\\u001b[2J\n=1+1       -5\nBTC        0.10\n");
  });

  it("prints CSV that is safe in spreadsheets, and exact JSON", async () => {
    const query =
      "select coin, available, 9223372036854775807 as n from spot_assets_latest order by available collate decimal";
    expect((await sql(query, "csv")).stdout).toBe(
      "coin,available,n\r\n\u001b[2J,,9223372036854775807\r\n'=1+1,-5,9223372036854775807\r\nBTC,0.10,9223372036854775807\r\n",
    );
    expect((await sql(`${query} limit 1`, "ndjson")).stdout).toBe(
      '{"coin":"\\u001b[2J","available":null,"n":9223372036854775807}\n',
    );
  });

  it("limits a table to 50 rows, with a message; the other formats have no limit", async () => {
    const many = `${endless} select x from c limit 5000`;
    const shown = await sql(many);
    expect(shown.stdout.trimEnd().split("\n")).toHaveLength(51);
    expect(shown.stderr).toContain("The first 50 rows; there are more.");
    expect((await sql(many, "csv")).stdout.split("\r\n")).toHaveLength(5002);
  });

  it("streams, and ends quietly when the reader closes the pipe", async () => {
    const command = `"${process.execPath}" "${resolve("dist/main.js")}" sql "${endless} select x from c" --format ndjson | head -2; echo "\${PIPESTATUS[0]}"`;
    const env = { PATH: process.env.PATH ?? "", DATABASE_URL: `file:${path}` };
    const { stdout, stderr } = await promisify(execFile)("bash", ["--norc", "-c", command], { env });
    expect([stdout, stderr]).toEqual(['{"x":1}\n{"x":2}\n0\n', ""]);
  });

  it("leaves no query running when it is killed", async () => {
    const running = start(["sql", `${endless} select count(*) from c`], dirname(path), {
      DATABASE_URL: `file:${path}`,
    });
    const task = `/proc/${running.child.pid}/task/${running.child.pid}/children`;
    if (!existsSync(task)) return;
    await until(() => readFileSync(task, "utf8").trim() !== "");
    const child = readFileSync(task, "utf8").trim();
    await until(() => readFileSync(`/proc/${child}/task/${child}/children`, "utf8") === "" && cpuOf(child) > 40);
    running.child.kill("SIGKILL");
    await until(() => !isRunning(child));
  });

  it("needs no key; a missing database is exit code 78", async () => {
    for (const [format, env, code] of [
      ["csv", { DATABASE_URL: "file:./nothing.db" }, 78],
      ["xml", {}, 64],
      ["csv", { SQL_TIMEOUT_SECONDS: "0" }, 78],
    ] as const) {
      const all = { DATABASE_URL: `file:${path}`, ...env };
      expect((await runInProcess(["sql", "select 1", "--format", format], dirname(path), all)).code).toBe(code);
    }
  });
});

/** Returns the fields of /proc/PID/stat after the program name; state X if the process has ended. */
const statOf = (pid: string): string[] => {
  const text = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : ") X";
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
};
const isRunning = (pid: string): boolean => !["X", "Z"].includes(statOf(pid)[0] ?? "X");
/** Returns the CPU time in hundredths of a second. */
const cpuOf = (pid: string): number => Number(statOf(pid)[11]);

describe("sql --schema", () => {
  const schema = (...args: string[]) =>
    runInProcess(["sql", "--schema", ...args], dirname(path), { DATABASE_URL: `file:${path}` });

  it("prints every view of the database with its columns, in their order, and what they mean", async () => {
    const rows = JSON.parse((await schema("--format", "json")).stdout) as Record<string, string>[];
    const database = new Database(path, { readonly: true });
    const views = database.prepare<[], string>("select name from sqlite_schema where type = 'view'").pluck().all();
    const columnsOf = (view: string) => database.pragma(`table_info(${view})`) as { name: string }[];
    for (const view of views.filter((name) => !name.endsWith("_latest")))
      expect([view, rows.filter((row) => row.view === view).map(({ column }) => column)]).toEqual([
        view,
        columnsOf(view).map(({ name }) => name),
      ]);
    database.close();
    expect(rows.filter(({ meaning }) => !meaning || /[`[\]]/.test(meaning))).toEqual([]);
  });

  it("prints one view as a table, also one of the last good snapshot", async () => {
    const { code, stdout } = await schema("positions_latest");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^positions_latest\nEvery open futures position of every product type\. .*\n\n {2}column +type +unit +meaning\n/,
    );
    expect(stdout).toMatch(/^ {2}symbol +text +– +The contract, without suffix/m);
    const record = await schema("positions_latest", "--format", "ndjson");
    expect(JSON.parse(record.stdout.split("\n")[0] ?? "")).toMatchObject({
      view: "positions_latest",
      column: "account",
    });
  });

  it.each([
    [["postions_latest"], 'unknown view "postions_latest"; did you mean positions_latest? views: '],
    [["gaps", "select 1"], "--schema takes the name of a view, and no statement"],
  ])("%j is refused", async (args, text) => {
    expect(await schema(...args)).toMatchObject({ code: 64, stderr: expect.stringContaining(text) });
  });
});

it("sql --schema and report --list need no server where the history is in PostgreSQL", async () => {
  const env = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/nowhere" };
  for (const args of [
    ["sql", "--schema", "gaps"],
    ["report", "--list"],
  ]) {
    const { code, stdout, stderr } = await runInProcess(args, dirname(path), env);
    expect([code, stdout.split("\n")[0]?.split(" ")[0], stderr]).toEqual([
      0,
      args[0] === "sql" ? "gaps" : "balances",
      "",
    ]);
  }
  expect((await runInProcess(["sql", "select 1"], dirname(path), env)).code).toBe(74);
});
