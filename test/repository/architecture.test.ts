import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { statementsIn } from "../support/statements-in.ts";

/**
 * The parts from bottom to top: a folder with what is below it, or a file. A part imports itself and what stands before it in
 * this list. A file belongs to the longest name that fits it.
 */
const order = [
  "core",
  "reconciliation",
  "returns",
  "network",
  "bitget",
  "datasets",
  "store/alerts/alert-store.ts",
  "store/history",
  "store/history.ts",
  "store/files",
  "store/sqlite",
  "store/sql",
  "store/schema",
  "store/chain",
  "store/runs",
  "store/alerts",
  "store/read",
  "store/positions",
  "store/records",
  "store/ledger",
  "store/store.ts",
  "store/snapshots",
  "store/transfer",
  "store/retention",
  "store/verify",
  "store/responses",
  "store/postgres",
  "store/open.ts",
  "settings",
  "collecting",
  "monitoring",
  "queries",
  "output",
  "reports",
  "alerts",
  "web",
  "simulator",
  "app.ts",
  "commands",
  "main.ts",
];

const source = "src";
const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"));

const isIn = (file: string, part: string): boolean => file === part || file.startsWith(`${part}/`);
const partOf = (file: string): string =>
  order.filter((part) => isIn(file, part)).sort((a, b) => b.length - a.length)[0] ?? "";
const rank = (file: string): number => order.indexOf(partOf(file));

const importsOf = (file: string): string[] =>
  [...readFileSync(join(source, file), "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)]
    .map((match) => relative(source, join(source, dirname(file), match[1] ?? "")).replaceAll("\\", "/"))
    .filter((target) => target.endsWith(".ts"));

const imports = files.flatMap((file) => importsOf(file).map((target) => [file, target] as const));

it("every file belongs to a part in the order", () => {
  expect(files.filter((file) => partOf(file) === "")).toEqual([]);
});

it("imports point downwards only", () => {
  const upward = imports.filter(([file, target]) => rank(target) > rank(file));
  expect(upward.map(([file, target]) => `${file} -> ${target}`)).toEqual([]);
});

it("there are two files at the top and at most ten in a folder", () => {
  expect(files.filter((file) => !file.includes("/")).sort()).toEqual(["app.ts", "main.ts"]);
  const folders = [...new Set(files.map(dirname))];
  const sizes = folders.map((folder) => [folder, files.filter((file) => dirname(file) === folder).length] as const);
  expect(sizes.filter(([, size]) => size > 10)).toEqual([]);
});

it("the simulator imports only itself and core, nothing of the client", () => {
  const wrong = imports.filter(([file, target]) => isIn(file, "simulator") && !/^(simulator|core)\//.test(target));
  expect(wrong).toEqual([]);
});

it("SQLite files are opened in one place, which knows the open connections of the process", () => {
  const opening = files.filter((file) => /new Database\(/.test(readFileSync(join(source, file), "utf8")));
  expect(opening).toEqual(["store/files/connections.ts"]);
});

/** Files with SQL in examples for users, which the program does not run. */
const examples = ["commands/read/sql.ts", "commands/run/demo/demo.ts", "commands/run/demo/machines.ts"];

it("SQL is only in the store and in examples", () => {
  const scripts = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => /\.[jt]s$/.test(file));
  const found = scripts.filter((file) => statementsIn(readFileSync(join(source, file), "utf8")).length > 0);
  expect(found.filter((file) => !isIn(file, "store")).sort()).toEqual(examples);
});

it("SQL in source code is recognised, prose is not", () => {
  const sql = [
    '"select a from b where c = ?"',
    "'SELECT *\\nFROM b'",
    "`with x as (select #{columns} from b) select 1`",
    '"select " + columns + " from b"',
    "`#{html`<p>#{ask('select max(id) from b')}</p>`}`",
    "const isIt = /['\"]/.test(text) || ask('select a from b')",
    '"sel\\u0065ct a from b"',
    '"insert or ignore into b values (1)"',
    '"delete from b"',
    '"update b set c = 1"',
    '"pragma data_version"',
    '"begin immediate"',
    '"create temp table b (c)"',
  ].map((code) => code.replaceAll("#{", "${"));
  expect(sql.filter((code) => statementsIn(code).length === 0)).toEqual([]);
  const prose = [
    '"select one of the accounts"',
    '`<label><select name="account"><option value="">all from here</option></select></label>`',
    '"values from one update to the next are set apart"',
    "selectFrom(begin, commit)",
    '"begin"+"ning"',
  ];
  expect(prose.filter((code) => statementsIn(code).length > 0)).toEqual([]);
});

it("only the store has database handles", () => {
  const names = "Sqlite|openReadOnly|openWriter|openRawReader|openRawWriter|connect|historyOn";
  const handle = new RegExp(
    `from "(better-sqlite3|drizzle-orm[^"]*)"|import [^;]*\\b(${names})\\b[^;]*/store/|\\.(pragma|pluck|safeIntegers)\\(`,
  );
  const found = files.filter((file) => handle.test(readFileSync(join(source, file), "utf8")));
  expect(found.filter((file) => !isIn(file, "store"))).toEqual([]);
});

it("process.exit is called in one place", () => {
  const exits = files.filter((file) => /process\.exit\(/.test(readFileSync(join(source, file), "utf8")));
  expect(exits).toEqual(["commands/run/signals.ts"]);
});

it("the length of a day or an hour is written in one place", () => {
  const written = files.filter((file) =>
    /\b(86_?400_?000|3_?600_?000)\b/.test(readFileSync(join(source, file), "utf8")),
  );
  expect(written).toEqual([]);
});
