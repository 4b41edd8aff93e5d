/** Backups, what is put back, and files that are written: rows S13, S19 to S22. */
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import { canMount, mountDisk } from "./disks.ts";
import { row, rowElsewhere } from "./row.ts";
import { nextRun } from "./runs.ts";

const older = "a backup is older than what was said since";
row(
  "S13",
  "restore over a live database; over leftover -wal",
  { within: 60, without: { invariants: older } },
  async (bench) => {
    const { path, run, rows } = bench;
    const daemon = await bench.start();
    await nextRun(daemon, "spot-assets", "ok", 0);
    expect((await run(["db", "backup", "copy.db"])).code).toBe(0);
    const overLive = await run(["db", "restore", "copy.db"]);
    expect([overLive.code, overLive.stderr]).toEqual([75, expect.stringContaining("Another process collects into")]);
    await nextRun(daemon, "spot-assets", "ok");
    daemon.child.kill("SIGKILL");
    await daemon.finished;
    const inTheWay = await run(["db", "restore", "copy.db"]);
    expect([inTheWay.code, inTheWay.stderr]).toEqual([78, expect.stringContaining(`${path} is there already`)]);
    rmSync(path);
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    const overLog = await run(["db", "restore", "copy.db"]);
    expect([overLog.code, overLog.stderr]).toEqual([
      78,
      expect.stringContaining(`${path}-wal is left of the database`),
    ]);
    // Nor is a new database begun beside it.
    const begun = await run(["start"]);
    expect([begun.code, begun.stderr]).toEqual([78, expect.stringContaining(`${path}-wal is left of a database`)]);
    for (const suffix of ["-wal", "-shm"]) renameSync(path + suffix, `${path}-away${suffix}`);
    expect((await run(["db", "restore", "copy.db"])).code).toBe(0);
    expect((await run(["db", "verify"])).code).toBe(0);
    expect(rows("select count(*) as n from runs")).not.toEqual([{ n: 0 }]);
  },
);

row("S19", "backup during writes, then restore, 20 cycles", { within: 240 }, async (bench) => {
  const { folder, run } = bench;
  const daemon = await bench.start({ SCHEDULE_SPOT_ASSETS: "* * * * * *", SCHEDULE_POSITIONS: "* * * * * *" });
  await nextRun(daemon, "spot-assets", "ok", 0);
  const countsOf = (path: string): unknown => {
    const database = new Database(path, { readonly: true });
    try {
      return database
        .prepare(
          "select (select count(*) from run), (select count(*) from snapshot), (select hex(digest) from link order by id desc limit 1)",
        )
        .raw()
        .get();
    } finally {
      database.close();
    }
  };
  for (let cycle = 0; cycle < 20; cycle += 1) {
    const copy = join(folder, `copy-${cycle}.db`);
    const restored = join(folder, `restored-${cycle}`, "collector.db");
    expect((await run(["db", "backup", copy])).stdout).toContain("and the copy verified");
    expect((await run(["db", "restore", copy], { DATABASE_URL: `file:${restored}` })).stdout).toContain("and verified");
    expect([statSync(copy).mode & 0o777, statSync(restored).mode & 0o777]).toEqual([0o600, 0o600]);
    expect(countsOf(restored)).toEqual(countsOf(copy));
  }
  expect(readdirSync(folder).filter((name) => /part|wal|shm|journal/.test(name))).toEqual([]);
  expect((await bench.stop(daemon)).code).toBe(0);
});

const rowOnDisk: typeof row = canMount
  ? row
  : (id, fault) => rowElsewhere(id, fault, "needs root, to mount a small disk");

rowOnDisk("S20", "disk full during backup / CSV export", { within: 90 }, async (bench) => {
  const { folder, run } = bench;
  expect((await run(["collect"])).code).toBe(0);
  const small = join(folder, "small");
  const disk = mountDisk(bench, small, 1_000_000);
  const attempts = [
    ["db", "backup", "small/copy.db"],
    ["export", "positions", "--out", "small/positions.csv"],
    ["export", "positions", "--out", "small/positions.ndjson.gz"],
    ["export", "positions", "--out", "small/positions.parquet"],
    ["report", "balances", "--out", "small/balances.csv"],
    ["report", "equity", "--out", "small/equity.svg"],
  ];
  disk.fill();
  for (const args of attempts) {
    const { code, stderr } = await run(args);
    expect([args, code, stderr]).toEqual([args, 74, expect.stringContaining("small/")]);
    expect(readdirSync(small)).toEqual(["ballast"]);
  }
  disk.free();
  disk.resize(20_000_000);
  for (const args of attempts) expect([args, (await run(args)).code]).toEqual([args, 0]);
});

rowElsewhere("S21", "Postgres killed, restarted after 5 s; idle connection dropped", "Postgres is not supported yet");
rowElsewhere("S22", "Postgres slow commit / statement_timeout", "Postgres is not supported yet");
