/** Tests `db prune` and its output. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { lockDatabase } from "../../../src/store/sqlite/lock.ts";
import { coins, collect, failed, good, storeAt } from "../../store/kit.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";
import { run } from "../../support/program.ts";

const hour = 3_600_000;
const begin = Date.UTC(2025, 0, 1);
const settings = { DATABASE_URL: "file:./collector.db" };
const spotAssets = snapshotDatasetNamed("spot-assets");

let folder: string;
const path = (): string => join(folder, "collector.db");
const prune = (...args: string[]) => runInProcess(["db", "prune", ...args], folder, settings);

/** Stores two days of hourly snapshots, of which the last of the first day failed. */
beforeEach(async () => {
  folder = temporaryFolder();
  const store = await storeAt(path());
  for (let n = 0; n < 48; n += 1) {
    const slot = begin + n * hour;
    const outcome = n === 23 ? { failures: [failed("timeout", slot)] } : { snapshots: [good(coins(n), slot)] };
    await collect(store, spotAssets, slot, outcome);
  }
  store.close();
});

it("reports what was pruned and what was kept, and nothing to prune the second time", async () => {
  const kept = "kept of that time: 24 runs, 2 good and 1 failed snapshots, 40 daily ranges";
  const { code, stdout, stderr } = await prune("--before", "2025-01-02T12:00:00Z");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.split("\n").slice(0, 2)).toEqual(["pruned 1 day before 2025-01-02: 21 snapshots with 840 rows", kept]);
  expect((await prune("--before", "2025-01-02")).stdout).toContain(`nothing to prune before 2025-01-02\n${kept}\n`);
  const verified = await runInProcess(["db", "verify"], folder, settings);
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining("21 more were pruned")]);
});

it.each([
  [[], "--before is required, as in: db prune --before -90d"],
  [["--before", "2999-01-01"], '--before "2999-01-01" is in the future'],
  [["--before", "soon"], '--before "soon" is not a valid time'],
])("rejects %j", async (args, message) => {
  const { code, stderr } = await prune(...args);
  expect([code, stderr]).toEqual([64, expect.stringContaining(message)]);
});

it("shrinks the file with --compact, but not while a daemon is running", async () => {
  const before = statSync(path()).size;
  const lock = lockDatabase(path());
  const inUse = await run(["db", "prune", "--before", "2025-01-03", "--compact"], folder, settings);
  expect(inUse.code).toBe(75);
  lock.release();
  const { code, stdout } = await prune("--before", "2025-01-03", "--compact");
  const after = statSync(path()).size;
  expect([code, stdout]).toEqual([0, expect.stringContaining(`now has ${after} bytes\n`)]);
  expect(after).toBeLessThan(before);
});
