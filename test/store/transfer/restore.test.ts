import { mkdirSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { requireFreePath } from "../../../src/store/transfer/restore.ts";
import { temporaryPath } from "../temporary.ts";

it.each([
  ["a database", "", /collector\.db already exists\. Move it away/],
  ["a write-ahead log", "-wal", /collector\.db-wal is left over from another database/],
  ["its index", "-shm", /collector\.db-shm is left over from another database/],
  ["a rollback journal", "-journal", /collector\.db-journal is left over from another database/],
])("a path with %s is not free", (_, suffix, message) => {
  const path = temporaryPath();
  writeFileSync(path + suffix, "what was here");
  expect(() => requireFreePath(path)).toThrow(message);
});

it("a path with a directory is not free; a missing or empty file is", () => {
  const path = temporaryPath();
  expect(() => requireFreePath(path)).not.toThrow();
  writeFileSync(path, "");
  expect(() => requireFreePath(path)).not.toThrow();
  mkdirSync(`${path}.d`);
  expect(() => requireFreePath(`${path}.d`)).toThrow(/already exists/);
});
