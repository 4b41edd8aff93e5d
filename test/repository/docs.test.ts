import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { generatedFiles, pages } from "../../scripts/docs/generate.ts";
import { findCommand, loadCommands } from "../../src/commands/index.ts";
import { datasetNames } from "../../src/datasets/index.ts";
import { isKnownSetting } from "../../src/settings/names.ts";

const commands = await loadCommands();

const read = (path: string) => readFileSync(path, "utf8");
const readme = read("README.md");

describe("the README", () => {
  it("has at most 200 lines", () => {
    expect(readme.split("\n").length).toBeLessThanOrEqual(201);
  });
});

/** Returns the targets of the links and images of a page that are in the repository. */
const linksOf = (page: string): string[] =>
  [
    ...read(page)
      .replaceAll(/```[\s\S]*?```/g, "")
      .matchAll(/(?:\]\(|src=")([^)"\s]+)[)"]/g),
  ]
    .map((match) => match[1] ?? "")
    .filter((link) => !/^[a-z]+:|^\.\.\/\.\.\/actions\//.test(link));

/** Returns the path of a link from the root of the repository; the page itself for an anchor alone. */
const targetOf = (page: string, link: string): string => {
  const [path = ""] = link.split("#");
  return path === "" ? page : join(dirname(page), path);
};

/** Returns the anchors of the headings of a page, as GitHub generates them. */
const anchorsOf = (page: string): string[] =>
  [
    ...read(page)
      .replaceAll(/```[\s\S]*?```/g, "")
      .matchAll(/^#+ (.*)$/gm),
  ].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

describe("the pages", () => {
  it.each(pages())("have no broken link: %s", (page) => {
    const broken = linksOf(page).filter((link) => {
      const target = targetOf(page, link);
      const anchor = link.split("#")[1];
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it("can all be reached from the README", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached)
      for (const link of linksOf(page)) if (link.includes(".md")) reached.add(targetOf(page, link));
    expect(pages().filter((page) => !reached.has(page))).toEqual([]);
  });
});

/** Returns the arguments of every call of the program in code blocks and inline code. */
const callsIn = (page: string): string[] =>
  [...read(page).matchAll(/(?<![/\w-])bitget-collector (?!\W)([^`\n]+)/g)].map((match) => match[1] ?? "");

const pagesWithCalls = pages().filter((page) => callsIn(page).length > 0);

describe.each(pagesWithCalls)("%s", (page) => {
  it.each(callsIn(page))("calls an existing command with options that it has: %s", (call) => {
    const words = call.split(/ #| \||;|&&| {2}/)[0]?.replaceAll(/"[^"]*"/g, "x") ?? "";
    const command = findCommand(words.split(" "));
    expect(command, words).not.toBeNull();
    const { options = [] } = commands.find(({ name }) => name === command?.name) ?? {};
    const known = options.map(({ flags }) => flags.split(" ")[0]);
    const used = words.match(/(?<= )--[a-z-]+/g) ?? [];
    expect(used.filter((flag) => !known.includes(flag))).toEqual([]);
  });
});

it.each(pages())("names only existing settings: %s", (page) => {
  const own = /\b(?:ALERT|BITGET|DATABASE|HEARTBEAT|HTTP|KEEP|LOG|REPORTS|RUN|SCHEDULE|SQL)_[A-Z_]+[A-Z]\b/g;
  const named = new Set(read(page).match(own) ?? []);
  expect([...named].filter((name) => name !== "HTTP_PROXY" && !isKnownSetting(name))).toEqual([]);
});

it("the map of CONTRIBUTING.md names every folder of the source and no other", () => {
  const [, map = ""] = /```\nsrc\/\n([\s\S]*?)\nmigrations\//.exec(read("CONTRIBUTING.md")) ?? [];
  const named = new Set(map.match(/(?<![\w./-])[a-z-]+(?=\/)/g) ?? []);
  const folders = readdirSync("src", { recursive: true, withFileTypes: true }).filter((one) => one.isDirectory());
  expect([...named].sort()).toEqual([...new Set(folders.map(({ name }) => name))].sort());
});

it.each(pages())("names only existing files: %s", (page) => {
  const paths = read(page).match(/(?<=`)(?:src|test|scripts|bench|deploy|migrations)\/[^`\s]*(?=`)/g) ?? [];
  expect(paths.filter((path) => !/[A-Z<]{3}/.test(path) && !existsSync(path))).toEqual([]);
});

it("the help of collect lists every dataset", () => {
  const help = commands.find(({ name }) => name === "collect")?.details ?? [];
  expect(help.map((line) => /^ {2}(\S+) {2,}\S/.exec(line)?.[1]).filter((name) => name !== undefined)).toEqual([
    ...datasetNames,
  ]);
});

it("every generated section is equal to the output of `npm run docs`", async () => {
  const files = await generatedFiles();
  expect(files.size).toBeGreaterThan(2);
  for (const [path, { before, after }] of files) expect(before, `${path}: run npm run docs`).toBe(after);
});

it("the program for the screenshots says how it is called", () => {
  const script = join(import.meta.dirname, "..", "..", "scripts", "screenshots.js");
  expect(execFileSync(process.execPath, [script, "--help"], { encoding: "utf8" })).toMatch(/^usage: node scripts/);
});
