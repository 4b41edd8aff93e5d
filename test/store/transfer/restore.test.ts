import { mkdirSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { requireFreePath } from "../../../src/store/transfer/restore.ts";
import { temporaryPath } from "../temporary.ts";

it.each([
  ["a database", "", /collector\.db already exists\. Move it away/],
  ["what a write-ahead log left", "-wal", /collector\.db-wal is left over from another database/],
  ["its shared memory", "-shm", /collector\.db-shm is left over from another database/],
  ["a rollback journal", "-journal", /collector\.db-journal is left over from another database/],
])("a place where %s lies is not free", (_, suffix, says) => {
  const path = temporaryPath();
  writeFileSync(path + suffix, "what was here");
  expect(() => requireFreePath(path)).toThrow(says);
});

it("a directory in the place of the database is not free, an empty file or nothing is", () => {
  const path = temporaryPath();
  expect(() => requireFreePath(path)).not.toThrow();
  writeFileSync(path, "");
  expect(() => requireFreePath(path)).not.toThrow();
  mkdirSync(`${path}.d`);
  expect(() => requireFreePath(`${path}.d`)).toThrow(/already exists/);
});
