/**
 * What a new dataset costs: in a copy of the tree, one file, one line of the list and one fixture. Everything else follows:
 * tables, schedule, settings, documentation, views, commands, and what the simulated exchange answers.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import type * as Support from "../support/exchange.ts";

import { temporaryFolder } from "../support/files.ts";
import { classic, credentials } from "../support/settings.ts";

const execute = promisify(execFile);

const declaration = `/** Balances of fixed-term savings. Made up for a test. */
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import { dataset, sourceFor } from "../dataset.ts";
import { coin, decimal, item, list, optionalDecimal } from "../fields.ts";

const columns = {
  /** The coin, in capitals. */
  coin: column.text().notNull(),
  /** The amount deposited. Unit: coin. */
  deposited: column.decimal(),
  /** Interest so far. Unit: coin. */
  interest: column.decimal().volatile(),
};

export const termDeposits = dataset({
  name: "term-deposits",
  summary: "Fixed-term savings per coin",
  key: ["coin"],
  columns,
  stableThrough: "interest",
  onRemoval: "zeroRow",
  sources: {
    v2: sourceFor(columns, {
      endpoint: apiEndpoint("v2/term-deposits", {
        path: "/api/v2/made-up/term-deposits",
        perSecond: 10,
        params: ["coin"],
        summary: "fixed-term savings",
      }),
      data: list(item({ coin, holdAmount: decimal, interest: optionalDecimal })),
      rows: (data) =>
        data.map(({ fields: { coin, holdAmount, interest }, extra }) => ({
          row: { coin, deposited: holdAmount, interest },
          extra,
        })),
    }),
  },
});
`;

const fixture = {
  request: { path: "/api/v2/made-up/term-deposits", params: {} },
  scope: null,
  answer: {
    code: "00000",
    msg: "success",
    requestTime: 1790000000000,
    data: [{ coin: "usdt", holdAmount: "1500.250", interest: "0.000000000000000001", period: "30" }],
  },
  rows: [
    {
      row: { coin: "USDT", deposited: "1500.250", interest: "0.000000000000000001" },
      extra: { period: "30" },
    },
  ],
};

/** Neither made from the rest, nor kept out of Git, as the keys of whoever runs this are. */
const isOwn = (path: string): boolean => !/^(\.git|\.env|node_modules|dist|data|reports|coverage)(\/|$)/.test(path);

/** Files below a folder that are the project's own, by their path in it. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => isOwn(path) && statSync(join(folder, path)).isFile(),
  );

const contentOf = (path: string): string | null => (existsSync(path) ? readFileSync(path, "utf8") : null);

/** Made by `npm run db:generate` and `npm run docs`. */
const isGenerated = (path: string): boolean =>
  path.startsWith("migrations/") || path.endsWith(".md") || path === ".env.example";

it("costs one file, one line of the list with its import, and one fixture", async () => {
  const copy = join(temporaryFolder(), "tree");
  cpSync(".", copy, { recursive: true, filter: isOwn });
  symlinkSync(join(process.cwd(), "node_modules"), join(copy, "node_modules"));
  const run = async (command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> => {
    const { stdout } = await execute(command, args, { cwd: copy, env: { PATH: process.env.PATH, ...env } });
    return stdout;
  };

  writeFileSync(join(copy, "src/datasets/snapshots/term-deposits.ts"), declaration);
  writeFileSync(join(copy, "test/fixtures/bitget/v2/term-deposits.json"), JSON.stringify(fixture));
  const list = readFileSync("src/datasets/index.ts", "utf8");
  const longer = list
    .replace(/^import \{ spotAssets \} .*$/m, '$&\nimport { termDeposits } from "./snapshots/term-deposits.ts";')
    .replace(/(export const datasets\b[^;]*?),?\s*\];/, "$1,\n  termDeposits,\n];");
  writeFileSync(join(copy, "src/datasets/index.ts"), longer);

  for (const script of ["db:generate", "docs"]) await run("npm", ["run", "--silent", script]);
  // Builds the program as well.
  const tests = [
    "test/repository/architecture.test.ts",
    "test/datasets",
    "test/repository/docs.test.ts",
    "test/store/transfer/migrate.test.ts",
  ];
  await run("npx", ["vitest", "run", ...tests]);

  const touched = filesIn(copy).filter((path) => contentOf(path) !== contentOf(join(copy, path)));
  expect(touched.filter((path) => !isGenerated(path)).sort()).toEqual([
    "src/datasets/index.ts",
    "src/datasets/snapshots/term-deposits.ts",
    "test/fixtures/bitget/v2/term-deposits.json",
  ]);
  expect(longer.split("\n").filter((line) => !list.split("\n").includes(line))).toHaveLength(2);
  expect(touched.filter(isGenerated)).toEqual(
    expect.arrayContaining([".env.example", "README.md", "docs/reference/data-dictionary.md"]),
  );

  // The exchange of the copy: it reads the fixtures there.
  const { startExchange } = (await import(join(copy, "test/support/exchange.ts"))) as typeof Support;
  const exchange = await startExchange({ accounts: [classic] });
  onTestFinished(() => exchange.close());
  const settings = { ...credentials(classic), BITGET_BASE_URL: exchange.url, LOG_LEVEL: "warn" };
  const program = (...args: string[]) => run(process.execPath, ["dist/main.js", ...args], settings);

  await program("collect");
  const [row] = JSON.parse(await program("sql", "--format", "json", "select * from term_deposits_latest"));
  expect(row).toMatchObject({
    account: "main",
    coin: "USDT",
    deposited: "1500.250",
    interest: "0.000000000000000001",
    extra: '{"period":"30"}',
  });
  expect(await program("history", "term-deposits", "--at", "now")).toContain("1500.250");
  expect(await program("report", "coverage")).toContain(",main,term-deposits,");
  expect(await program("check")).toContain("term-deposits: */5 * * * *");
  expect(await program("get", "--list")).toContain("v2/term-deposits");
  await program("db", "verify");
});
