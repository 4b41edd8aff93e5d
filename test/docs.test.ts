import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "../scripts/docs/generate.ts";
import { loadCommands } from "../src/commands/index.ts";
import { datasetNames } from "../src/datasets/index.ts";
import { reports } from "../src/reports/index.ts";
import { query } from "./store/kit.ts";
import { open, temporaryPath } from "./store/temporary.ts";

const commands = await loadCommands();

const read = (path: string) => readFileSync(path, "utf8");
const readme = read("README.md");
describe("the README", () => {
  it.each(commands.map(({ name }) => name))("names the command %s", (name) => {
    expect(readme).toMatch(new RegExp(`\`${name}[ \`]`));
  });

  it.each([...datasetNames])("lists the dataset %s", (name) => {
    expect(readme).toContain(`| \`${name}\` |`);
  });

  it.each(reports)("lists the report $name with its columns", ({ name, columns }) => {
    expect(readme).toContain(`\n| \`${name}\` | \`${columns.join(", ")}\` |`);
  });

  it("lists every view that holds collected rows, with columns that are there", async () => {
    const path = temporaryPath();
    await open(path);
    const rows = [...readme.matchAll(/^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \| `([a-z_, …]+)` \|$/gm)];
    expect(rows.length).toBe(11);
    for (const [, names = "", columns = ""] of rows)
      for (const [, name] of names.matchAll(/`([a-z_]+)`/g)) {
        const found = query(path, `select name from pragma_table_info('${name}')`).map(({ name }) => name);
        expect(found.length, name).toBeGreaterThan(0);
        expect(found).toEqual(expect.arrayContaining(columns.replace(", …", "").split(", ")));
      }
  });
});

it("the help of collect lists every dataset", () => {
  const help = commands.find(({ name }) => name === "collect")?.details ?? [];
  expect(help.map((line) => /^ {2}(\S+) {2,}\S/.exec(line)?.[1]).filter((name) => name !== undefined)).toEqual([
    ...datasetNames,
  ]);
});

it("every generated section is as `npm run docs` writes it", async () => {
  const files = await generatedFiles();
  expect(files.size).toBeGreaterThan(2);
  for (const [path, { before, after }] of files) expect(before, `${path}: run npm run docs`).toBe(after);
});
