/** Wrong, damaged, moved and replaced files: rows S7 to S12. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import { packDigits } from "../../src/store/schema/encoding.ts";
import { violations } from "./invariants.ts";
import { type Bench, row } from "./row.ts";
import { nextRun, runsOf } from "./runs.ts";

/** Expects exit code 78 with one sentence that names the file and the reason, and an unchanged folder. */
async function expectRefused({ folder, launch }: Bench, url: string, message: RegExp): Promise<void> {
  const daemon = launch({ DATABASE_URL: url });
  const started = daemon.printed("collecting main").then(
    () => daemon.child.kill(),
    () => {},
  );
  const { code, stdout, stderr } = await daemon.finished;
  await started;
  expect([url, code, stdout]).toEqual([url, 78, ""]);
  const sentences = stderr.split("\n").filter((line) => line.startsWith("  "));
  expect(sentences).toEqual([expect.stringMatching(message)]);
  expect(sentences[0]?.slice(2)).toMatch(url.trim() ? `${folder}/` : "DATABASE_URL");
}

/** Returns the content of every file in a folder by name. */
const contentOf = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => [
      join(entry.parentPath, entry.name),
      entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), "latin1") : "",
    ]),
  );

row(
  "S7",
  "not a database; directory; missing directory; blank; relative path",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const { folder, run } = bench;
    writeFileSync(join(folder, "text.db"), "coin,available\r\n".repeat(50));
    writeFileSync(join(folder, "short.db"), "x");
    mkdirSync(join(folder, "folder.db"));
    const before = contentOf(folder);
    await Promise.all([
      expectRefused(bench, "file:./text.db", /is not an SQLite database/),
      expectRefused(bench, "file:./short.db", /is not an SQLite database/),
      expectRefused(bench, "file:./folder.db", /is not a file/),
      expectRefused(bench, "file:./text.db/collector.db", /text\.db/),
      expectRefused(bench, "", /DATABASE_URL/),
      expectRefused(bench, "  ", /DATABASE_URL/),
    ]);
    expect(contentOf(folder)).toEqual(before);
    // A new folder is created, relative to the working directory, and the log gives the full path.
    const { code, stderr } = await run(["collect", "spot-assets"], { DATABASE_URL: "file:./new/deep/collector.db" });
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(`${folder}/new/deep/collector.db","msg":"created a new`),
    ]);
    expect(statSync(join(folder, "new")).mode & 0o777).toBe(0o700);
  },
);

row(
  "S8",
  "0-byte file at the path; file without our application_id",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const { folder, path } = bench;
    writeFileSync(join(folder, "empty.db"), "");
    new Database(join(folder, "foreign.db"))
      .exec("create table balance (coin); insert into balance values (1)")
      .close();
    const before = contentOf(folder);
    await expectRefused(bench, "file:./empty.db", /exists but is empty\. Restore a backup over it, or remove it/);
    await expectRefused(bench, "file:./foreign.db", /is a database of another program/);
    expect(contentOf(folder)).toEqual(before);
    expect(existsSync(path)).toBe(false);
  },
);

row(
  "S9",
  "truncated to half; 64 flipped bytes; 1 flipped byte in a value",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const { folder, path, run, rows } = bench;
    expect((await run(["collect", "spot-assets", "positions"])).code).toBe(0);
    const inFolder = (name: string): string => join(folder, name);
    for (const name of ["half.db", "page.db", "value.db"]) copyFileSync(path, inFolder(name));
    truncateSync(inFolder("half.db"), statSync(path).size / 2);
    const flip = (name: string, from: number, count: number) => {
      const bytes = readFileSync(inFolder(name));
      for (let at = from; at < from + count; at += 1) bytes[at] = (bytes[at] ?? 0) ^ 0x01;
      writeFileSync(inFolder(name), bytes);
    };
    const [table] = rows(
      "select rootpage, page_size as size from sqlite_master, pragma_page_size where name = 'snapshot'",
    );
    flip("page.db", (Number(table?.rootpage) - 1) * Number(table?.size), 64);
    const [value] = rows("select available from spot_assets_history where length(available) > 7");
    const digits = packDigits(String(value?.available));
    expect(digits.length).toBeGreaterThan(3);
    flip("value.db", readFileSync(path).indexOf(digits) + 1, 1);
    await Promise.all([
      expectRefused(bench, "file:./half.db", /is damaged \(.*\)\. Keep the file for recovery, and restore a backup/),
      expectRefused(bench, "file:./page.db", /is damaged \(.*\)\. Keep the file for recovery, and restore a backup/),
    ]);
    // The pages are consistent, so only the digests reveal the change.
    const verified = await run(["db", "verify"], { DATABASE_URL: "file:./value.db" });
    expect([verified.code, verified.stdout]).toEqual([
      1,
      expect.stringMatching(/\(spot_assets\): is not what was received/),
    ]);
  },
);

const apart = "two databases, each asked by itself";
row(
  "S10",
  "WAL left behind after SIGKILL; WAL of 100 MB",
  { timeoutSeconds: 60, notChecked: { invariants: apart } },
  async (bench) => {
    const { folder, path } = bench;
    const daemon = await bench.start();
    await nextRun(daemon, "spot-assets", "ok", 0);
    // A reader keeps everything in the WAL, so that the copy resembles what a killed process leaves.
    const reader = new Database(path, { readonly: true });
    bench.onEnd(() => reader.close());
    reader.exec("begin");
    reader.prepare("select count(*) from run").get();
    const writer = new Database(path);
    bench.onEnd(() => writer.close());
    writer.exec("create table ballast (bytes blob)");
    for (let n = 0; n < 100; n += 1) {
      writer.exec("insert into ballast values (zeroblob(1000000))");
      await new Promise(setImmediate);
    }
    await nextRun(daemon, "spot-assets", "ok");
    daemon.child.kill("SIGKILL");
    const dead = await daemon.finished;
    const left = join(folder, "left", "collector.db");
    mkdirSync(dirname(left), { mode: 0o700 });
    for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, left + suffix);
    expect(statSync(`${left}-wal`).size).toBeGreaterThan(100_000_000);
    writer.exec("drop table ballast");
    reader.exec("rollback");
    const again = await bench.start({ DATABASE_URL: `file:${left}` });
    await nextRun(again, "spot-assets", "ok", 0);
    const ended = await bench.stop(again);
    expect(ended.code).toBe(0);
    expect(existsSync(`${left}-wal`)).toBe(false);
    expect(await violations(left, [dead, ended])).toEqual([]);
  },
);

/** Returns the slot after an instant, of a schedule of every two seconds. */
const slotAfter = (instant: number): number => (Math.floor(instant / 2000) + 1) * 2000;

row("S11", "database unlinked while running", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { exchange, path } = bench;
  const daemon = await bench.start({ SCHEDULE_POSITIONS: "" });
  await nextRun(daemon, "spot-assets", "ok", 0);
  rmSync(path);
  const next = slotAfter(Date.now());
  const { code, stderr } = await daemon.finished;
  expect(code).toBe(74);
  expect(stderr).toContain(
    `${path} or its lock was moved, deleted or replaced while in use. Put it back and start again`,
  );
  expect(runsOf(daemon, "spot-assets").filter(({ slot }) => Date.parse(slot) >= next)).toEqual([]);
  expect(exchange.record.filter(({ takenAt }) => takenAt >= next)).toEqual([]);
  expect(existsSync(path)).toBe(false);
});

const replaced = "the runs logged as stored are in the database that was replaced";
row("S12", "another database renamed over it", { notChecked: { invariants: replaced } }, async (bench) => {
  const { exchange, folder, path, run, rows } = bench;
  const other = join(folder, "other.db");
  expect((await run(["collect", "positions"], { DATABASE_URL: `file:${other}` })).code).toBe(0);
  const bytes = readFileSync(other);
  const daemon = await bench.start({ SCHEDULE_POSITIONS: "" });
  await nextRun(daemon, "spot-assets", "ok", 0);
  renameSync(other, path);
  const next = slotAfter(Date.now());
  expect((await daemon.finished).code).toBe(74);
  expect(exchange.record.filter(({ takenAt }) => takenAt >= next)).toEqual([]);
  expect(readFileSync(path).equals(bytes)).toBe(true);
  // SQLite leaves the write-ahead log of a moved file; it contains nothing that could be replayed into the new one.
  expect(statSync(`${path}-wal`).size).toBe(0);
  expect(rows("select distinct dataset from runs")).toEqual([{ dataset: "positions" }]);
  expect(await violations(path, [])).toEqual([]);
});
