import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";

/**
 * The parts from bottom to top: a folder with what is below it, or a file. A part imports itself and what stands before it in
 * this list. A file belongs to the longest name that fits it.
 */
const order = [
  "core",
  "network",
  "bitget",
  "datasets",
  "store/alerts/alert-store.ts",
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
  "store/store.ts",
  "store/snapshots",
  "store/transfer",
  "store/retention",
  "store/verify",
  "store/responses",
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

it("gives every file a place in the order", () => {
  expect(files.filter((file) => partOf(file) === "")).toEqual([]);
});

it("imports only what lies below", () => {
  const upward = imports.filter(([file, target]) => rank(target) > rank(file));
  expect(upward.map(([file, target]) => `${file} -> ${target}`)).toEqual([]);
});

it("keeps two files at the top and at most ten in a folder", () => {
  expect(files.filter((file) => !file.includes("/")).sort()).toEqual(["app.ts", "main.ts"]);
  const folders = [...new Set(files.map(dirname))];
  const sizes = folders.map((folder) => [folder, files.filter((file) => dirname(file) === folder).length] as const);
  expect(sizes.filter(([, size]) => size > 10)).toEqual([]);
});

it("lets the simulator share nothing with the client but the vocabulary", () => {
  const wrong = imports.filter(([file, target]) => isIn(file, "simulator") && !/^(simulator|core)\//.test(target));
  expect(wrong).toEqual([]);
});

it("opens SQLite files in one place only, which knows what the process has open", () => {
  const opening = files.filter((file) => /new Database\(/.test(readFileSync(join(source, file), "utf8")));
  expect(opening).toEqual(["store/files/connections.ts"]);
});

it("exits in one place only", () => {
  const exits = files.filter((file) => /process\.exit\(/.test(readFileSync(join(source, file), "utf8")));
  expect(exits).toEqual(["commands/run/signals.ts"]);
});

it("the length of a day or an hour is written in one place", () => {
  const written = files.filter((file) =>
    /\b(86_?400_?000|3_?600_?000)\b/.test(readFileSync(join(source, file), "utf8")),
  );
  expect(written).toEqual([]);
});
