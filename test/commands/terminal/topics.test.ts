import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { formats } from "../../../src/commands/shared/format.ts";
import { topics } from "../../../src/commands/terminal/topics.ts";
import { isKnownSetting } from "../../../src/settings/names.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";

const help = (...args: string[]) => runInProcess(args, temporaryFolder());

it("every topic is listed by --help and printed by help", async () => {
  const { stdout } = await help("--help");
  for (const [name, text] of Object.entries(topics)) {
    expect(stdout).toContain(`help ${name}`);
    expect(await help("help", name)).toMatchObject({ code: 0, stdout: `${text}\n` });
  }
  expect((await help("help", "status")).stdout).toContain("Usage: bitget-collector status");
});

it("help of a command in a group is its own, and of an unknown word an error", async () => {
  expect((await help("help", "db", "verify")).stdout).toContain("Usage: bitget-collector db verify");
  const group = await help("help", "db");
  expect(group.stdout).toMatch(
    /^Usage: bitget-collector db \[options\] \[command\]\n\nMaintenance of the database\.\n/,
  );
  expect(group.stdout.match(/^\w.*:$/gm)).toEqual(["Options:", "Commands:"]);
  expect((await help("db", "help")).stdout).toBe(group.stdout);
  expect((await help("db", "help", "verify")).stdout).toBe((await help("db", "verify", "--help")).stdout);
  const unknown = await help("help", "reprot");
  expect(unknown).toMatchObject({ code: 64, stdout: "" });
  expect(unknown.stderr).toContain('unknown command "reprot"; did you mean report?');
});

it("the topics agree with the reference, the formats and the settings", () => {
  const reference = readFileSync("docs/reference/cli.md", "utf8").split("## Commands")[0] ?? "";
  const codes = [...reference.matchAll(/^\| (\d[\d, ]*) \|/gm)].map((match) => match[1]);
  expect(topics["exit-codes"]?.match(/^ {2}\d+(, \d+)?/gm)?.map((code) => code.trim())).toEqual(codes);
  expect(topics.formats?.match(/^ {2}(\w+)/gm)?.map((name) => name.trim())).toEqual([...formats]);
  const named = topics.env?.match(/\b(BITGET_\w+|DATABASE_URL|TIMEZONE)\b/g) ?? [];
  expect(named.filter((name) => !isKnownSetting(name))).toEqual([]);
});
