/** Checks that docs/reliability.md is complete and leads from each promise to its code and its fault rows. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const page = readFileSync("docs/reliability.md", "utf8");
const promises = page.split(/^## (?=P\d+ )/m).slice(1);
const elsewhere = page.split("## Rows that wait or run elsewhere")[1] ?? "";
const rowsOf = (text: string): string[] => text.match(/\b[ETSCUM]\d+\b/g) ?? [];

const declared = new Set(
  readdirSync("test/faults")
    .map((file) => join("test/faults", file))
    .filter((path) => path.endsWith(".ts") && !/invariants|canary/.test(path))
    .flatMap((path) => readFileSync(path, "utf8").match(/(?<=")[ETSCUM]\d+(?=[a-z]?")/g) ?? []),
);
const all = { E: 31, T: 24, S: 23, C: 11, U: 15, M: 10 };
const matrix = Object.entries(all).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, n) => `${letter}${n + 1}`),
);

it("the page has the twenty promises in order", () => {
  expect(promises.map((text) => text.split(" ")[0])).toEqual(Array.from({ length: 20 }, (_, n) => `P${n + 1}`));
});

it("the fault suite has all 114 rows of the matrix", () => {
  expect(matrix.filter((id) => !declared.has(id))).toEqual([]);
});

it("the page names every row under a promise, and only existing rows", () => {
  const named = new Set(promises.flatMap((text) => rowsOf(text.match(/^Rows: .*$/m)?.[0] ?? "")));
  expect(matrix.filter((id) => !named.has(id))).toEqual([]);
  expect([...named].filter((id) => !declared.has(id))).toEqual([]);
  expect(rowsOf(elsewhere).filter((id) => !declared.has(id))).toEqual([]);
});

describe.each(promises.map((text) => [text.split("\n")[0] ?? "", text]))("%s", (_, text) => {
  it("names its code and its rows", () => {
    expect(text).toMatch(/^Code: \[/m);
    expect(text).toMatch(/^Rows: [ETSCUM]\d/m);
  });

  it("links to existing files with the functions that it names", () => {
    const links = [...text.matchAll(/\]\(\.\.\/([^)]+)\)(?: `(\w+)`)?/g)];
    expect(links.length).toBeGreaterThan(0);
    const broken = links.filter(
      ([, path = "", name]) => !existsSync(path) || (name && !readFileSync(path, "utf8").includes(name)),
    );
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});
