import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { LockedError } from "../../src/errors.ts";
import { isLocked, lockDatabase } from "../../src/store/lock.ts";
import { child, temporaryPath } from "./temporary.ts";

it("a second process is refused, and let in once the first was killed", async () => {
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

it("the path is looked at before anything is created", () => {
  const path = temporaryPath();
  const directory = path.replace("/collector.db", "");
  expect(() => lockDatabase(directory)).toThrow(/is not a file/);
  expect(existsSync(`${directory}.lock`)).toBe(false);
});
