/** The pruning of a database with the real program. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { datasetNamed } from "../../../src/datasets/index.ts";
import { lockDatabase } from "../../../src/store/sqlite/lock.ts";
import { coins, collect, failed, good, storeAt } from "../../store/kit.ts";
import { temporaryFolder } from "../../support/files.ts";
import { run } from "../../support/program.ts";

const hour = 3_600_000;
const begin = Date.UTC(2025, 0, 1);
const settings = { DATABASE_URL: "file:./collector.db" };
const spotAssets = datasetNamed("spot-assets");

let folder: string;
const path = (): string => join(folder, "collector.db");
const prune = (...args: string[]) => run(["db", "prune", ...args], folder, settings);

/** Two days by the hour; in the last hour of the first nobody answered. */
beforeEach(async () => {
  folder = temporaryFolder();
  const store = await storeAt(path());
  for (let n = 0; n < 48; n += 1) {
    const slot = begin + n * hour;
    const answer = n === 23 ? { failures: [failed("timeout", slot)] } : { snapshots: [good(coins(n), slot)] };
    await collect(store, spotAssets, slot, answer);
  }
  store.close();
});

it("says what went and what stays, and that it has nothing to do the second time", async () => {
  const left = "left of that time: 24 runs, 2 good and 1 failed snapshots, 40 daily ranges";
  const { code, stdout, stderr } = await prune("--before", "2025-01-02T12:00:00Z");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.split("\n").slice(0, 2)).toEqual([
    "gone from 1 day before 2025-01-02: 21 snapshots with 840 rows",
    left,
  ]);
  expect((await prune("--before", "2025-01-02")).stdout).toContain(`nothing to prune before 2025-01-02\n${left}\n`);
  const verified = await run(["db", "verify"], folder, settings);
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining("21 more were pruned")]);
});

it.each([
  [[], "say before when: db prune --before -90d"],
  [["--before", "2999-01-01"], '--before "2999-01-01" is in the future'],
  [["--before", "soon"], '--before "soon" is not a valid time'],
])("refuses %j", async (args, says) => {
  const { code, stderr } = await prune(...args);
  expect([code, stderr]).toEqual([64, expect.stringContaining(says)]);
});

it("makes the file smaller on demand, but not while a daemon has it", async () => {
  const before = statSync(path()).size;
  const lock = lockDatabase(path());
  expect((await prune("--before", "2025-01-03", "--compact")).code).toBe(75);
  lock.release();
  const { code, stdout } = await prune("--before", "2025-01-03", "--compact");
  const after = statSync(path()).size;
  expect([code, stdout]).toEqual([0, expect.stringContaining(`has ${after} bytes now\n`)]);
  expect(after).toBeLessThan(before);
});
