/** Rows U1, U4 and U13: hostile arguments and hostile output. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { everyDataset } from "../support/settings.ts";
import { contentOf } from "./contents.ts";
import { drivesTerminal, serveCoins } from "./hostile-coins.ts";
import { row } from "./row.ts";
import { positions } from "./runs.ts";

/** A marker that is recognised wherever it appears. */
const mark = "zz9";
const injection = `${mark}' OR 1=1 --`;

/** Arguments, exit code and row count. Names are ordinary values; times and keywords are validated. */
const typed: [string[], number][] = [
  [["history", "spot-assets", "--format", "csv", "--account", injection], 64],
  [["history", "spot-assets", "--format", "csv", "--coin", injection], 0],
  [["history", "positions", "--format", "csv", "--symbol", injection], 0],
  [["history", "positions", "--format", "csv", "--product-type", injection], 64],
  [["history", "bills", "--format", "csv", "--wallet", injection], 64],
  [["history", "spot-assets", "--format", "csv", "--from", injection], 64],
  [["history", "spot-assets", "--format", "csv", "--at", injection], 64],
  [["history", "spot-assets", "--format", "csv", "--limit", "1; drop table run"], 64],
  [["report", "balances", "--account", injection], 64],
  [["report", "balances", "--timezone", injection], 64],
  [["report", "balances", "--by", injection], 64],
  [["export", "spot-assets", "--out", "out.csv", "--from", injection], 64],
  [["export", `${mark}" union select`, "--out", "out.csv"], 64],
  [["collect", "--account", injection], 64],
  [["db", "prune", "--before", injection], 64],
];

row(
  "U1",
  "SQL injection in every argument of the command line",
  { inEveryRun: true, timeoutSeconds: 120 },
  async (bench) => {
    const { folder, run, rows } = bench;
    expect((await run(["collect", "spot-assets", "positions"])).code).toBe(0);
    const before = contentOf(join(folder, "data"));
    const spyFile = join(folder, "statements");
    const env = { NODE_OPTIONS: `--require=${resolve("test/faults/spy.cjs")}`, SPY_FILE: spyFile };
    const all = [...typed];
    const worker = async () => {
      for (let next = all.shift(); next; next = all.shift()) {
        const [args, code] = next;
        const end = await run(args, env);
        expect([args, end.code]).toEqual([args, code]);
        // Only the header: nothing has that name.
        expect(end.stdout.trimEnd().split("\n").length, end.stdout).toBe(1);
        expect(end.stdout === "", end.stdout).toBe(code !== 0);
        expect(end.stderr).not.toMatch(/sqlite|syntax error| {4}at /i);
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    const statements = readFileSync(spyFile, "utf8").trim().split("\n");
    expect(statements.length).toBeGreaterThan(10);
    expect(statements.filter((statement) => /spot_assets/.test(statement)).length).toBeGreaterThan(0);
    expect(statements.filter((statement) => statement.includes(mark))).toEqual([]);
    expect(contentOf(join(folder, "data"))).toEqual(before);
    expect(rows("select count(*) as n from runs")).toEqual([{ n: 2 }]);
  },
);

row(
  "U4a",
  "path traversal on export: a link, a directory, NUL, a link in the report folder",
  { timeoutSeconds: 120 },
  async (bench) => {
    const { folder, run } = bench;
    expect((await run(["collect", "spot-assets"])).code).toBe(0);
    const victim = join(folder, "victim.csv");
    writeFileSync(victim, "mine");
    const inside = join(folder, "inside");
    mkdirSync(inside);
    symlinkSync(victim, join(inside, "link.csv"));
    mkdirSync(join(inside, "folder.csv"));
    const tables: [string, number, number][] = [
      ["link.csv", 64, 64],
      ["folder.csv", 64, 64],
      ["../victim.csv/x.csv", 74, 74],
      ["nowhere/x.csv", 74, 78],
    ];
    for (const [out, ...codes] of tables) {
      for (const [n, command] of ["export spot-assets", "report balances"].entries()) {
        const { code, stdout } = await run([...command.split(" "), "--out", join("inside", out)]);
        expect([command, out, code, stdout]).toEqual([command, out, codes[n], ""]);
      }
    }
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(readlinkSync(join(inside, "link.csv"))).toBe(victim);
    expect(readdirSync(inside).sort()).toEqual(["folder.csv", "link.csv"]);
    // A percent-encoded path is an ordinary name in the given folder.
    expect((await run(["export", "spot-assets", "--out", "inside/%2e%2e%2fvictim.csv"])).code).toBe(0);
    expect(readdirSync(inside)).toContain("%2e%2e%2fvictim.csv");
    writeFileSync(join(folder, ".env"), "REPORTS_DIR='reports\0/../..'\n");
    const end = await run(["start"], { SCHEDULE_REPORTS: "5 0 * * *" });
    expect([end.code, end.stderr]).toEqual([78, expect.stringContaining(".env has a NUL character in line 1")]);
  },
);

row("U13", "terminal output of hostile names", { timeoutSeconds: 120 }, async (bench) => {
  const { exchange, run } = bench;
  serveCoins(exchange, [{ coin: drivesTerminal }]);
  exchange.injectFault({ path: positions, times: Number.POSITIVE_INFINITY, code: "40034", message: drivesTerminal });
  const collected = await run(["collect", "spot-assets", "positions"], { LOG_FORMAT: "pretty" });
  expect(collected.code).toBe(3);
  const shown = [
    collected,
    await run(["status"], everyDataset("* * * * *")),
    await run(["history", "spot-assets"]),
    await run(["sql", "select coin from spot_assets_latest union all select error_message from snapshots"]),
    await run(["history", drivesTerminal]),
    await run(["check"], { SCHEDULE_PRICES: drivesTerminal }),
  ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
  for (const { stdout, stderr } of shown) expect(`${stdout}${stderr}`).not.toMatch(obeyed);
  for (const n of [0, 2, 3]) expect(`${shown[n]?.stdout}${shown[n]?.stderr}`).toContain("\\u001b[2J");
  expect(bench.rows("select coin from spot_assets_latest")).toEqual([{ coin: drivesTerminal }]);
});
