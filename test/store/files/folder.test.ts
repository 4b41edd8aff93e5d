import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { makeFolder } from "../../../src/store/files/folder.ts";
import { temporaryFolder } from "../../support/files.ts";

it("a folder is created with its parents, accessible to its owner only, unless it exists", () => {
  const folder = temporaryFolder();
  makeFolder(join(folder, "a", "b"));
  makeFolder(join(folder, "a", "b"));
  expect(["a", "a/b"].map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o700, 0o700]);
});

it("a folder that another process creates at the same moment is accepted", () => {
  const folder = temporaryFolder();
  // The folder is missing when it is checked, and exists when it is created.
  makeFolder(`${folder}/new/..`);
  expect(existsSync(join(folder, "new"))).toBe(true);
});

it.runIf(existsSync("/proc/self"))("a database is refused at once if its folder cannot be created", () => {
  const sqlite = resolve("src/store/sqlite/database.ts");
  const script = `import("${sqlite}").then((m) => m.prepareDirectory("/proc/none/data/collector.db")).catch((e) => console.log(String(e)))`;
  // In another process, because a call that never returns cannot be stopped from within.
  const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "-e", script], { timeout: 600_000 });
  expect(String(stdout)).toContain("/proc/none/data/collector.db cannot be created (ENOENT");
});
