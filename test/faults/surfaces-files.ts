/** Rows U2 and U3: exported files that other programs open. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "csv-parse/sync";
import { expect } from "vitest";
import { serveCoins } from "./hostile-coins.ts";
import { type Bench, row } from "./row.ts";
import { positions } from "./runs.ts";

/** Coin names that a spreadsheet would run as formulas. */
const formulas = [
  "=1+1",
  "@SUM(A1)",
  "+CMD",
  "-2+3",
  "\t=1",
  "\r=1",
  "\0=1",
  "＝1",
  "=CMD|' /C CALC'!A0",
  '=HYPERLINK("HTTP://X","Y")',
  "'=1",
];

/** Coin names that only look like formulas. */
const harmless = ["BTC", "A,B", 'A"B', "A\nB", "A=1", "' =1", "ＥＵＲ"];

/** Amounts are written unchanged, also below zero; an exponent is expanded. */
const amounts = ["-0.5", "-1e-8", "0.10", "12345678901234567890.123456789012345678"];
const asShown = ["-0.5", "-0.00000001", "0.10", "12345678901234567890.123456789012345678"];

const table = (text: string): Record<string, string>[] => parse(text, { columns: true, record_delimiter: "\r\n" });

row(
  "U2",
  "CSV formulas in a coin and in the code and text of an error",
  { inEveryRun: true, timeoutSeconds: 120 },
  async (bench) => {
    const { exchange, folder, run } = bench;
    const coins = [...formulas, ...harmless];
    serveCoins(
      exchange,
      coins.map((coin, n) => ({ coin, available: amounts[n % amounts.length] ?? "" })),
    );
    exchange.injectFault({ path: positions, times: Number.POSITIVE_INFINITY, code: "=1+1|'X'!A", message: "+cmd" });
    expect((await run(["collect", "spot-assets", "positions"])).code).toBe(3);

    const marked = [...formulas.map((coin) => `'${coin}`), ...harmless];
    const [history, sql, report, exported, failures] = await Promise.all([
      run(["history", "spot-assets", "--format", "csv"]),
      run(["sql", "select coin, available from spot_assets_latest", "--format", "csv"]),
      run(["report", "balances"]),
      run(["export", "spot-assets", "--out", "out.csv"]),
      run(["sql", "select error_code, error_message from snapshots where state = 'failed'", "--format", "csv"]),
    ]);
    const file = readFileSync(join(folder, "out.csv"), "utf8");
    expect(exported.code).toBe(0);
    for (const text of [history.stdout, sql.stdout, report.stdout, file]) {
      const rows = table(text).filter(({ wallet = "spot" }) => wallet === "spot");
      const shown = new Map(rows.map(({ coin, available }) => [coin, available]));
      expect(rows).toHaveLength(marked.length);
      expect(marked.map((coin) => [coin, shown.get(coin)])).toEqual(
        marked.map((coin, n) => [coin, asShown[n % asShown.length]]),
      );
    }
    const [failure] = table(failures.stdout);
    expect(failure?.error_code).toBe("'=1+1|'X'!A");
    expect(failure?.error_message).toMatch(/^\/api\/v2\/.*: exchange error =1\+1\|'X'!A "\+cmd"$/);
  },
);

const many = 5_000_000;

/** Cells with everything that has to be quoted, and their expected form in CSV. */
const statement = `with recursive c(x) as (select 1 union all select x + 1 from c where x < ${many})
  select x, 'a,"b"' || char(10) || 'ü' as t from c`;
const line = (x: number): string => `${x},"a,""b""\nü"\r\n`;

function expectedDigest(): string {
  const hash = createHash("sha256").update("x,t\r\n");
  for (let x = 1; x <= many; ) {
    let piece = "";
    for (const end = Math.min(x + 9999, many); x <= end; x += 1) piece += line(x);
    hash.update(piece);
  }
  return hash.digest("hex");
}

/** Returns the peak memory of a process so far, bytes. */
const peakOf = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;

/** Runs the same statement without the test kit, which would keep all output in memory. */
const printing = ({ folder, path }: Bench) =>
  spawn(process.execPath, [resolve("dist/main.js"), "sql", statement, "--format", "csv"], {
    cwd: folder,
    env: { PATH: process.env.PATH, DATABASE_URL: `file:${path}`, SQL_TIMEOUT_SECONDS: "600" },
    stdio: ["ignore", "pipe", "inherit"],
  });

row(
  "U3",
  "CSV with commas, quotes, newlines, 5 M rows; the reader closes early",
  { timeoutSeconds: 300 },
  async (bench) => {
    expect((await bench.run(["collect", "spot-assets"])).code).toBe(0);
    const child = printing(bench);
    bench.onEnd(() => child.kill("SIGKILL"));
    const hash = createHash("sha256");
    let peak = 0;
    const watch = setInterval(() => {
      if (child.exitCode === null && child.pid) peak = Math.max(peak, peakOf(child.pid));
    }, 100);
    for await (const piece of child.stdout) hash.update(piece);
    clearInterval(watch);
    expect(hash.digest("hex")).toBe(expectedDigest());
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(200_000_000);

    const early = printing(bench);
    bench.onEnd(() => early.kill("SIGKILL"));
    early.stdout.once("data", () => early.stdout.destroy());
    expect(await new Promise((done) => early.once("close", done))).toBe(0);
  },
);
