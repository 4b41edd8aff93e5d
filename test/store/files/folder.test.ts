import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { makeFolder } from "../../../src/store/files/folder.ts";
import { temporaryFolder } from "../../support/files.ts";

it("a folder is made with those above it, for its owner alone, and may be there", () => {
  const folder = temporaryFolder();
  makeFolder(join(folder, "a", "b"));
  makeFolder(join(folder, "a", "b"));
  expect(["a", "a/b"].map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o700, 0o700]);
});

it("a folder that somebody else makes in the same moment is as good as one's own", () => {
  const folder = temporaryFolder();
  // It is not there when it is looked for, and is there when it is to be made.
  makeFolder(`${folder}/new/..`);
  expect(existsSync(join(folder, "new"))).toBe(true);
});

it.runIf(existsSync("/proc/self"))("where no folder can be made the database is refused at once", () => {
  const sqlite = resolve("src/store/sqlite/database.ts");
  const script = `import("${sqlite}").then((m) => m.prepareDirectory("/proc/none/data/collector.db")).catch((e) => console.log(String(e)))`;
  // In a process of its own: what never comes back cannot be stopped from within.
  const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "-e", script], { timeout: 120_000 });
  expect(String(stdout)).toContain("/proc/none/data/collector.db cannot be created (ENOENT");
});
