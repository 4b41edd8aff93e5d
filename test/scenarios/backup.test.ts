/** Backup and restore: while a daemon collects, repeatedly, and where they must be refused. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Simulator } from "../../src/simulator/simulator.ts";
import { ownMigrations } from "../../src/store/sqlite/migrations.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { runInProcess } from "../support/in-process.ts";
import { run, start } from "../support/program.ts";
import { classic, credentials, everyDataset } from "../support/settings.ts";

let exchange: Simulator;
let folder: string;
let env: Record<string, string>;
const inFolder = (name: string): string => join(folder, name);
const path = (): string => inFolder("data/collector.db");

beforeEach(async () => {
  folder = temporaryFolder();
  exchange = await startExchange({ accounts: [classic] });
  env = { ...credentials(classic), BITGET_BASE_URL: exchange.url, ...everyDataset("") };
});
afterEach(() => exchange.close());

const counts = (file: string): unknown => {
  const database = new Database(file, { readonly: true });
  try {
    const count = (table: string) => `(select count(*) from ${table}) as ${table}`;
    return database.prepare(`select ${["run", "snapshot", "link", "spot_assets_history"].map(count).join(", ")}`).get();
  } finally {
    database.close();
  }
};

/** Creates a database with one run and a backup of it. */
async function backedUp(): Promise<void> {
  await runInProcess(["collect", "spot-assets"], folder, env);
  expect((await runInProcess(["db", "backup", "copy.db"], folder)).code).toBe(0);
}

describe("db backup", () => {
  it("copies while a daemon writes; each copy is verified, readable only by its owner, and restores unchanged", async () => {
    const schedules = { SCHEDULE_SPOT_ASSETS: "* * * * * *", SCHEDULE_POSITIONS: "* * * * * *" };
    const daemon = start(["start"], folder, { ...env, ...schedules });
    await daemon.printed("main positions ok");
    expect((await runInProcess(["db", "verify"], folder)).code).toBe(0);
    for (const cycle of [1, 2, 3]) {
      const copy = `copy-${cycle}.db`;
      // One cycle in processes of their own, with the file permissions that the program sets.
      const runOne = cycle === 1 ? run : runInProcess;
      const { code, stdout } = await runOne(["db", "backup", copy], folder);
      expect([code, stdout]).toEqual([0, expect.stringContaining("and the copy verified")]);
      expect(statSync(inFolder(copy)).mode & 0o777).toBe(0o600);
      const restored = { DATABASE_URL: `file:./restored-${cycle}/collector.db` };
      expect((await runOne(["db", "restore", copy], folder, restored)).code).toBe(0);
      expect(counts(inFolder(`restored-${cycle}/collector.db`))).toEqual(counts(inFolder(copy)));
      const verified = await runInProcess(["db", "verify"], folder, restored);
      expect([verified.code, verified.stdout]).toEqual([0, expect.stringMatching(/chain head: [0-9a-f]{64}\n$/)]);
    }
    expect(readdirSync(folder).filter((name) => /part|wal|shm|journal/.test(name))).toEqual([]);
    daemon.child.kill("SIGTERM");
    expect((await daemon.finished).code).toBe(0);
    expect((await runInProcess(["db", "verify"], folder)).code).toBe(0);
  });

  it("refuses an existing file and leaves it unchanged", async () => {
    await runInProcess(["collect", "spot-assets"], folder, env);
    writeFileSync(inFolder("copy.db"), "mine");
    const { code, stderr } = await runInProcess(["db", "backup", "copy.db"], folder);
    expect([code, stderr]).toEqual([64, expect.stringContaining("already exists")]);
    expect(readFileSync(inFolder("copy.db"), "utf8")).toBe("mine");
  });

  it("leaves nothing behind when the disk has no room for it", async () => {
    await runInProcess(["collect", "spot-assets"], folder, env);
    // A file size limit of 64 KiB looks like a full disk to the program.
    const command = `ulimit -f 128; exec "${process.execPath}" "${resolve("dist/main.js")}" db backup copy.db`;
    const spawned = () => execFileSync("sh", ["-c", command], { cwd: folder, stdio: "pipe" });
    expect(spawned).toThrow(expect.objectContaining({ status: 74 }));
    expect(readdirSync(folder).filter((name) => name.startsWith("copy"))).toEqual([]);
  });

  it("does not copy an altered database", async () => {
    await runInProcess(["collect", "spot-assets"], folder, env);
    new Database(path()).exec("update run set requests = requests + 1").close();
    const { code, stderr } = await runInProcess(["db", "backup", "copy.db"], folder);
    expect([code, stderr]).toEqual([74, expect.stringContaining("does not follow from run 1, its snapshots")]);
    expect(readdirSync(folder).filter((name) => name.startsWith("copy"))).toEqual([]);
  });
});

describe("db restore", () => {
  it("is refused while a daemon uses the database", async () => {
    await backedUp();
    const daemon = start(["start"], folder, { ...env, SCHEDULE_SPOT_ASSETS: "* * * * * *" });
    await daemon.printed("main spot-assets ok");
    expect((await run(["db", "restore", "copy.db"], folder)).code).toBe(75);
  });

  it("is refused where a database exists, which stays unchanged", async () => {
    await backedUp();
    const before = counts(path());
    const { code, stderr } = await runInProcess(["db", "restore", "copy.db"], folder);
    expect([code, stderr]).toEqual([78, expect.stringMatching(/collector\.db already exists\. Move it away/)]);
    expect(counts(path())).toEqual(before);
  });

  it("replaces an empty file", async () => {
    await backedUp();
    writeFileSync(inFolder("empty.db"), "");
    const empty = { DATABASE_URL: "file:./empty.db" };
    expect((await runInProcess(["db", "restore", "copy.db"], folder, empty)).code).toBe(0);
    expect(counts(inFolder("empty.db"))).toEqual(counts(path()));
  });

  it.each([
    ["is not there", () => {}, 78, /does not exist/],
    [
      "is no database",
      () => writeFileSync(inFolder("bad.db"), "a text\n".repeat(100)),
      78,
      /is not an SQLite database/,
    ],
    [
      "was altered",
      () => {
        copyFileSync(inFolder("copy.db"), inFolder("bad.db"));
        new Database(inFolder("bad.db")).exec("update run set requests = requests + 1").close();
      },
      74,
      /does not follow from run 1.*Use an older backup/,
    ],
  ])("restores nothing where the backup %s", async (_, make, expected, message) => {
    await backedUp();
    make();
    const { code, stderr } = await runInProcess(["db", "restore", "bad.db"], folder, { DATABASE_URL: "file:./new.db" });
    expect([code, stderr]).toEqual([expected, expect.stringMatching(message)]);
    expect(readdirSync(folder).filter((name) => /^new\.db(?!\.lock)/.test(name))).toEqual([]);
  });

  it("migrates the copy of an older version and leaves the backup unchanged", async () => {
    const sql = readFileSync("test/fixtures/database/0000.sql", "utf8");
    new Database(inFolder("old.db")).exec(sql).close();
    const before = readFileSync(inFolder("old.db"));
    expect((await runInProcess(["db", "restore", "old.db"], folder)).code).toBe(0);
    expect((await runInProcess(["db", "verify"], folder)).stdout).toContain("due slots accounted for: 8 of 8");
    expect(readFileSync(inFolder("old.db")).equals(before)).toBe(true);
  });
});

it("db migrate reports what it did", async () => {
  const sql = readFileSync("test/fixtures/database/0000.sql", "utf8");
  mkdirSync(inFolder("data"));
  new Database(path()).exec(sql).close();
  const migrate = async () => (await runInProcess(["db", "migrate"], folder)).stdout;
  const own = ownMigrations().length;
  expect(await migrate()).toBe(
    `${path()} is up to date: ${own - 1} migrations applied, after a backup to ${path()}.before-${own}\n`,
  );
  expect(await migrate()).toBe(`${path()} is already up to date\n`);
});
