import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { expect, it } from "vitest";

/** A part imports itself and anything to its left. Parts in one entry may import each other. */
const order = [
  ["domain"],
  [
    "errors",
    "abort",
    "decimal",
    "columns",
    "clock",
    "cron",
    "text",
    "log",
    "environment",
    "setting-names",
    "settings-file",
    "secret-value",
    "proxy",
    "tunnel",
    "outgoing",
    "version",
    "timezone",
  ],
  ["bitget"],
  ["alert-settings"],
  ["config"],
  ["datasets"],
  ["store"],
  ["session"],
  ["job"],
  ["context", "run-log", "clock-gate"],
  ["metrics", "heartbeat"],
  ["collect"],
  ["wake"],
  ["schedule"],
  ["service"],
  ["reports"],
  ["export"],
  ["web"],
  ["alerts"],
  ["simulator"],
  ["app"],
  ["commands"],
  ["main"],
];

const source = "src";
const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const partOf = (file: string): string => (file.split(sep)[0] ?? "").replace(/\.ts$/, "");
const rank = (part: string): number => order.findIndex((parts) => parts.includes(part));

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), "utf8");
  return [...text.matchAll(/from "(\.[^"]+)"/g)].map((match) =>
    relative(source, join(source, dirname(file), match[1] ?? "")),
  );
}

it("gives every part a place in the order", () => {
  expect(files.map(partOf).filter((part) => rank(part) < 0)).toEqual([]);
});

it("has no import that points to the right", () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => partOf(target) !== partOf(file) && rank(partOf(target)) >= rank(partOf(file)))
      .filter((target) => !(rank(partOf(target)) === rank(partOf(file)) && rank(partOf(file)) === 1))
      .map((target) => `${file} -> ${target}`),
  );
  expect(wrong).toEqual([]);
});

it("lets the simulator share nothing with the client but the nouns", () => {
  const wrong = files
    .filter((file) => partOf(file) === "simulator")
    .flatMap((file) => importsOf(file).map((target) => [file, partOf(target)] as const))
    .filter(([, part]) => !["simulator", "domain", "clock", "decimal"].includes(part));
  expect(wrong).toEqual([]);
});

it("opens SQLite files in one place only, which knows what the process has open", () => {
  const opening = files.filter((file) => /new Database\(/.test(readFileSync(join(source, file), "utf8")));
  expect(opening.map((file) => file.replaceAll(sep, "/"))).toEqual(["store/connections.ts"]);
});

it("exits in one place only", () => {
  const exits = files.filter((file) => /process\.exit\(/.test(readFileSync(join(source, file), "utf8")));
  expect(exits).toEqual(["commands/signals.ts"]);
});
