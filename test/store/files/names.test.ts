import { execFileSync } from "node:child_process";
import { linkSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConfigError, LockedError } from "../../../src/core/errors.ts";
import { readFiles } from "../../../src/output/reading/rows.ts";
import { loadConfig } from "../../../src/settings/config.ts";
import { connect } from "../../../src/store/files/connections.ts";
import { rawFile } from "../../../src/store/responses/archive-file.ts";
import { requireForeignFile } from "../../../src/store/responses/own-files.ts";
import { backup } from "../../../src/store/sqlite/backup.ts";
import { openReadOnly, openWriter } from "../../../src/store/sqlite/database.ts";
import { isLocked, lockDatabase, lockPath } from "../../../src/store/sqlite/lock.ts";
import { requireFreePath } from "../../../src/store/transfer/restore.ts";
import { canMount } from "../../faults/disks.ts";
import { temporaryFolder } from "../../support/files.ts";
import { start } from "../kit.ts";
import { create as open, temporaryPath } from "../temporary.ts";

/** Every function that opens a database. */
const openings = [lockDatabase, openReadOnly, openWriter, open];

async function expectRefused(path: string, message: RegExp): Promise<void> {
  for (const opening of openings) {
    const error = await (async () => opening(path))().catch((error: unknown) => error);
    expect([opening.name, error]).toEqual([opening.name, expect.any(ConfigError)]);
    expect(String(error)).toMatch(message);
  }
  expect(readdirSync(dirname(path)).filter((name) => name.endsWith(".lock") || name.endsWith("-wal"))).toEqual([]);
}

async function closedDatabase(): Promise<string> {
  const path = temporaryPath();
  (await open(path)).close();
  return path;
}

describe("a database with two names", () => {
  it("is refused under either of two hard links, and accepted when one is removed", async () => {
    const path = await closedDatabase();
    const other = join(temporaryFolder(), "other.db");
    linkSync(path, other);
    await expectRefused(other, /has 2 names \(hard links\)/);
    await expectRefused(path, /has 2 names \(hard links\)/);
    rmSync(other);
    openReadOnly(path).close();
  });

  it("can be read if it is a backup, which has no write-ahead log", async () => {
    const path = temporaryPath();
    const store = await open(path);
    await store.closeSlots("main", "spot-assets", [{ slot: start, state: "missed", cause: "asleep" }]);
    const copy = join(dirname(path), "copy.db");
    const reader = openReadOnly(path);
    await backup(reader, copy);
    reader.close();
    linkSync(copy, join(dirname(path), "yesterday.db"));
    const read = openReadOnly(copy);
    expect(read.prepare("select count(*) from run").pluck().get()).toBe(1);
    read.close();
    expect(() => openWriter(copy)).toThrow(/has 2 names/);
  });

  it.runIf(canMount)("is rejected if the file itself is a mount point, on any disk", async () => {
    const path = await closedDatabase();
    const place = join(temporaryFolder(), "a place.db");
    writeFileSync(place, "");
    execFileSync("mount", ["--bind", path, place]);
    onTestFinished(() => void execFileSync("umount", [place]));
    await expectRefused(place, /is a mounted file, .* Mount the folder that contains it/);
    openReadOnly(path).close();
  });

  it.runIf(canMount)("is one database under two names of its folder: one lock, one write-ahead log", async () => {
    const path = temporaryPath();
    const place = temporaryFolder();
    execFileSync("mount", ["--bind", dirname(path), place]);
    onTestFinished(() => void execFileSync("umount", ["--lazy", place]));
    const lock = lockDatabase(path);
    const store = await open(path);
    await store.closeSlots("main", "spot-assets", [{ slot: start, state: "missed", cause: "asleep" }]);
    const other = join(place, "collector.db");
    expect(isLocked(other)).toBe(true);
    expect(() => lockDatabase(other)).toThrow(LockedError);
    const reader = openReadOnly(other);
    expect(reader.prepare("select count(*) from run").pluck().get()).toBe(1);
    reader.close();
    store.close();
    lock.release();
  });
});

describe("symbolic links", () => {
  const configured = (path: string): string =>
    loadConfig({ DATABASE_URL: `file:${path}` }, { credentials: false }).databasePath;

  it("are resolved once: log, lock and raw responses stay next to the file when the link changes", async () => {
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    const link = join(temporaryFolder(), "data");
    symlinkSync(folder, link);
    const path = configured(join(link, "collector.db"));
    expect(path).toBe(join(folder, "collector.db"));
    const store = await open(join(link, "collector.db"));
    rmSync(link);
    symlinkSync(other, link);
    await store.closeSlots("main", "spot-assets", [{ slot: start, state: "missed", cause: "asleep" }]);
    expect(readdirSync(other)).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(["collector.db", "collector.db-shm", "collector.db-wal"]);
  });

  it("to a file lead to its lock and its raw responses", async () => {
    const path = await closedDatabase();
    const link = join(temporaryFolder(), "link.db");
    symlinkSync(path, link);
    expect([configured(link), rawFile(link)]).toEqual([path, rawFile(path)]);
    const lock = lockDatabase(link);
    expect(() => lockDatabase(path)).toThrow(LockedError);
    lock.release();
  });

  it("that are broken are refused", async () => {
    const link = join(temporaryFolder(), "link.db");
    symlinkSync("/mnt/not mounted/collector.db", link);
    await expect(open(link)).rejects.toThrow(
      /link\.db is a link to \/mnt\/not mounted\/collector\.db, which does not exist/,
    );
    expect(() => lockDatabase(link)).toThrow(ConfigError);
    const lock = lockPath(link);
    expect(() => requireFreePath(link)).toThrow(/which does not exist/);
    lock.release();
  });
});

describe("output files", () => {
  it("cannot be files of the database, under any name", async () => {
    const path = await closedDatabase();
    const folder = dirname(path);
    const link = join(temporaryFolder(), "data");
    symlinkSync(folder, link);
    const names = ["collector.db", "collector.db-wal", "collector.db-shm", "collector.db.lock", "collector.raw.db"];
    for (const name of names)
      for (const place of [folder, link])
        expect(() => requireForeignFile(join(place, name), path)).toThrow(/belongs to the database itself/);
    linkSync(path, join(folder, "other.csv"));
    expect(() => requireForeignFile(join(folder, "other.csv"), path)).toThrow(/belongs to the database itself/);
    requireForeignFile(join(folder, "report.csv"), path);
  });

  it("an import cannot read the database that it writes", async () => {
    const path = await closedDatabase();
    const file = join(dirname(path), "spot-assets.csv");
    symlinkSync(path, file);
    const sqlite = connect(path);
    sqlite.exec("begin immediate");
    await expect(readFiles([file], () => {}).next()).rejects.toThrow(/is the database itself/);
    sqlite.close();
  });
});
