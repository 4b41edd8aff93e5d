import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { LockedError } from "../../../src/core/errors.ts";
import { openRawWriter, rawFile } from "../../../src/store/responses/archive-file.ts";
import { inspectFile, openReadOnly } from "../../../src/store/sqlite/database.ts";
import { isLocked, lockDatabase, lockFile } from "../../../src/store/sqlite/lock.ts";
import { child, open, temporaryPath } from "../temporary.ts";

it("a second process is refused until the first is killed", async () => {
  const path = temporaryPath();
  const holder = child("lock-holder", path);
  await once(holder.stdout, "data");
  expect(() => lockDatabase(path)).toThrow(LockedError);
  expect(isLocked(path)).toBe(true);

  holder.kill("SIGKILL");
  await once(holder, "exit");
  const lock = lockDatabase(path);
  expect(isLocked(path)).toBe(true);
  lock.release();
  expect(isLocked(path)).toBe(false);
});

it("the path is checked before anything is created", () => {
  const path = temporaryPath();
  const directory = path.replace("/collector.db", "");
  expect(() => lockDatabase(directory)).toThrow(/is not a file/);
  expect(existsSync(`${directory}.lock`)).toBe(false);
});

const held = (file: string): boolean => {
  const { ino } = statSync(file);
  return new RegExp(` ${process.pid} \\w+:\\w+:${ino} `).test(readFileSync("/proc/locks", "utf8"));
};

it.runIf(existsSync("/proc/locks"))(
  "the locks of an open database survive every other access to its files",
  async () => {
    const path = temporaryPath();
    const lock = lockDatabase(path);
    const store = await open(path);
    await store.closeSlots("main", "spot-assets", []);
    const raw = openRawWriter(rawFile(path));
    raw.exec("begin immediate");
    const files = [path, `${path}-shm`, lockFile(path), rawFile(path)];
    expect(files.map(held)).toEqual([true, true, true, true]);
    openReadOnly(path).close();
    expect(inspectFile(path)).toBe("ours");
    expect(isLocked(path)).toBe(true);
    expect(() => lockDatabase(path)).toThrow(LockedError);
    openRawWriter(rawFile(path)).close();
    expect(files.map(held)).toEqual([true, true, true, true]);
    raw.close();
    lock.release();
  },
);
