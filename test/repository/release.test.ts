import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../support/files.ts";

const changelog = (unreleased: string): string => `# Changelog\n\n## Unreleased\n${unreleased}\n## 0.1.0\n\n- first\n`;
let folder: string;

const run = (command: string, ...args: string[]) => spawnSync(command, args, { cwd: folder, encoding: "utf8" });
const release = (version: string) => run(process.execPath, "scripts/release.js", version);
const commit = () => run("git", "commit", "--all", "--message", "x");

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, "scripts"));
  cpSync("scripts/release.js", join(folder, "scripts/release.js"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "x", version: "0.1.0", type: "module" }));
  writeFileSync(join(folder, "CHANGELOG.md"), changelog("\n- new\n"));
  run("git", "init", "--quiet");
  run("git", "config", "user.email", "someone@example.com");
  run("git", "config", "user.name", "Someone");
  run("git", "add", ".");
  commit();
});

it("a release names, commits and tags the unreleased changes", () => {
  const { status, stderr } = release("0.2.0");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(join(folder, "CHANGELOG.md"), "utf8")).toMatch(
    /## Unreleased\n\n## 0\.2\.0 \(\d{4}-\d\d-\d\d\)\n\n- new\n\n## 0\.1\.0\n\n- first\n$/,
  );
  expect(run("git", "tag").stdout).toBe("v0.2.0\n");
  expect(run("git", "status", "--porcelain").stdout).toBe("");
});

it("a release without changes is refused", () => {
  writeFileSync(join(folder, "CHANGELOG.md"), changelog(""));
  commit();
  expect(release("0.2.0")).toMatchObject({ status: 1, stderr: expect.stringContaining('"Unreleased"') });
});

it("a release from a work tree with uncommitted changes is refused", () => {
  writeFileSync(join(folder, "CHANGELOG.md"), changelog("\n- newer\n"));
  expect(release("0.2.0")).toMatchObject({ status: 1, stderr: expect.stringContaining("has changes") });
});

it.each(["0.0.9", "0.1", "next", ""])("the version '%s' is refused", (version) => {
  expect(release(version).status).toBe(1);
});

it("a version that was already released is refused", () => {
  run("git", "tag", "v0.1.0");
  expect(release("0.1.0")).toMatchObject({ status: 1, stderr: expect.stringContaining("does not follow") });
});
