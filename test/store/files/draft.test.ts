import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { backup } from "../../../src/store/sqlite/backup.ts";
import { openReadOnly, type Sqlite } from "../../../src/store/sqlite/database.ts";
import { temporaryFolder } from "../../support/files.ts";
import { create as open, temporaryPath } from "../temporary.ts";

async function source(): Promise<Sqlite> {
  const path = temporaryPath();
  await open(path);
  const reader = openReadOnly(path);
  onTestFinished(() => void reader.close());
  return reader;
}

/** Simulates another user who acts right after a file was removed. */
function afterRemoval(act: (path: string) => void): void {
  const real = fs.rmSync;
  fs.rmSync = (path, options) => {
    real(path, options);
    act(String(path));
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.rmSync = real;
    syncBuiltinESMExports();
  });
}

it("a copy is accessible to its owner only, until it is complete", async () => {
  const target = join(temporaryFolder(), "copy.db");
  const listed: string[][] = [];
  const { isPrivate } = await backup(await source(), target, {
    onProgress: () => listed.push(readdirSync(dirname(target))),
    check(draft) {
      expect([statSync(dirname(draft)).mode & 0o777, statSync(draft).mode & 0o777]).toEqual([0o700, 0o600]);
      expect(existsSync(target)).toBe(false);
    },
  });
  expect([...new Set(listed.flat())]).toEqual(["copy.db.part"]);
  expect([isPrivate, readdirSync(dirname(target)), statSync(target).mode & 0o777]).toEqual([true, ["copy.db"], 0o600]);
});

it("nothing is written through a link that another user plants at the last moment", async () => {
  const folder = temporaryFolder();
  const target = join(folder, "copy.db");
  const victim = join(folder, "victim");
  writeFileSync(victim, "");
  writeFileSync(`${target}.part`, "of an older version");
  const otherFolder = temporaryFolder();
  for (const aim of [victim, otherFolder]) {
    afterRemoval((path) => {
      if (path === `${target}.part` && !existsSync(path)) symlinkSync(aim, path);
    });
    await expect(backup(await source(), target)).rejects.toThrow(/copy\.db was not written \(EEXIST/);
  }
  expect([readFileSync(victim, "utf8"), readdirSync(otherFolder), existsSync(target)]).toEqual(["", [], false]);
});

it("the leftovers of an interrupted attempt are replaced by the next attempt", async () => {
  const target = join(temporaryFolder(), "copy.db");
  mkdirSync(`${target}.part`);
  for (const name of ["draft.db", "draft.db-journal"]) writeFileSync(join(`${target}.part`, name), "half");
  await backup(await source(), target);
  expect(readdirSync(dirname(target))).toEqual(["copy.db"]);
  rmSync(target);
  writeFileSync(`${target}.part`, "of an older version");
  await backup(await source(), target);
  expect(readdirSync(dirname(target))).toEqual(["copy.db"]);
});

it("a folder with the name of the draft that contains other files is kept and reported", async () => {
  const target = join(temporaryFolder(), "copy.db");
  const photo = join(`${target}.part`, "photos", "a.txt");
  mkdirSync(dirname(photo), { recursive: true });
  writeFileSync(photo, "mine");
  await expect(backup(await source(), target)).rejects.toThrow(
    /copy\.db was not written \(ENOTEMPTY.*with the suffix \.part/,
  );
  expect([readFileSync(photo, "utf8"), existsSync(target)]).toEqual(["mine", false]);
});

it("a database in use in a folder of that name is not touched", async () => {
  const folder = join(temporaryFolder(), "live.part");
  mkdirSync(folder, { mode: 0o700 });
  const path = join(folder, "collector.db");
  await open(path);
  const reader = openReadOnly(path);
  onTestFinished(() => void reader.close());
  await expect(backup(reader, folder.replace(".part", ""))).rejects.toThrow(/ENOTEMPTY/);
  expect(existsSync(path)).toBe(true);
});
