import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { StorageError } from "../../src/core/errors.ts";
import { writeAtomically } from "../../src/output/atomic-file.ts";
import { temporaryFolder } from "../support/files.ts";

it("a file has its name when it is complete, readable by its owner only", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "a.csv");
  async function* pieces() {
    yield "one,";
    expect(readdirSync(folder)).toEqual([".a.csv.part"]);
    yield Buffer.from("two");
  }
  await writeAtomically(path, pieces());
  expect(readdirSync(folder)).toEqual(["a.csv"]);
  expect(readFileSync(path, "utf8")).toBe("one,two");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it("a file whose content fails is not written, and an existing file stays", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "a.csv");
  writeFileSync(path, "before");
  async function* pieces() {
    yield "half";
    throw new Error("no more");
  }
  await expect(writeAtomically(path, pieces())).rejects.toThrow("no more");
  expect(readdirSync(folder)).toEqual(["a.csv"]);
  expect(readFileSync(path, "utf8")).toBe("before");
});

it("a file that cannot be written is a storage error that names it, and leaves nothing behind", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "a.csv");
  mkdirSync(path);
  await expect(writeAtomically(path, ["text"])).rejects.toThrow(StorageError);
  await expect(writeAtomically(path, ["text"])).rejects.toThrow(`${path} was not written (EISDIR)`);
  expect(readdirSync(folder)).toEqual(["a.csv"]);
});

it("of two concurrent writers of a file the later one succeeds, and the earlier one fails", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "a.csv");
  const [begun, ended] = [gate(), gate()];
  let later: Promise<void> | undefined;
  async function* first() {
    yield "first";
    later = writeAtomically(path, second());
    await begun.passed;
  }
  async function* second() {
    yield "second, ";
    begun.open();
    await ended.passed;
    yield "whole";
  }
  await expect(writeAtomically(path, first())).rejects.toThrow("another process is writing it");
  expect(existsSync(path)).toBe(false);
  ended.open();
  await later;
  expect(readFileSync(path, "utf8")).toBe("second, whole");
  expect(readdirSync(folder)).toEqual(["a.csv"]);
});

function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}
