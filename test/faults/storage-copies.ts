/** Backups, restores, and written files: rows S13, S19 to S22. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import { canMount, mountDisk } from "./disks.ts";
import { row, rowElsewhere } from "./row.ts";
import { nextRun } from "./runs.ts";
import { canTrace, underStrace } from "./syscalls.ts";

const older = "the backup is older than the runs logged since";
row(
  "S13",
  "restore over a live database; over leftover -wal",
  { timeoutSeconds: 60, notChecked: { invariants: older } },
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
    expect([inTheWay.code, inTheWay.stderr]).toEqual([78, expect.stringContaining(`${path} already exists`)]);
    rmSync(path);
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    const overLog = await run(["db", "restore", "copy.db"]);
    expect([overLog.code, overLog.stderr]).toEqual([
      78,
      expect.stringContaining(`${path}-wal is left over from another database`),
    ]);
    // No new database is created in its place either.
    const begun = await run(["start"]);
    expect([begun.code, begun.stderr]).toEqual([78, expect.stringContaining(`${path}-wal is left of a database`)]);
    for (const suffix of ["-wal", "-shm"]) renameSync(path + suffix, `${path}-away${suffix}`);
    expect((await run(["db", "restore", "copy.db"])).code).toBe(0);
    expect((await run(["db", "verify"])).code).toBe(0);
    expect(rows("select count(*) as n from runs")).not.toEqual([{ n: 0 }]);
  },
);

row("S19", "backup during writes, then restore, 20 cycles", { timeoutSeconds: 240 }, async (bench) => {
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

rowOnDisk("S20", "disk full during backup / CSV export", { timeoutSeconds: 90 }, async (bench) => {
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

const whatBacksUp = [
  ["db", "backup", "share/copy.db"],
  ["export", "spot-assets", "--out", "share/spot.csv"],
  ["report", "balances", "--out", "share/balances.csv"],
];
const rowTraced: typeof row = canTrace ? row : (id, fault) => rowElsewhere(id, fault, "needs strace");

rowTraced(
  "S20b",
  "a share that refuses chmod, chown and the fsync of a folder",
  { timeoutSeconds: 60 },
  async (bench) => {
    const { folder, launch, run } = bench;
    const share = join(folder, "share");
    mkdirSync(share);
    expect((await run(["collect"])).code).toBe(0);
    const trace = join(folder, "trace");
    const copy = [`${share}/copy.db`, `${share}/copy.db.part`, `${share}/copy.db.part/draft.db`];
    const owner = "chmod,fchmod,fchmodat,chown,fchown,fchownat";
    // Only syncing folders fails below; a file that cannot be synced is an error.
    const refusing = underStrace([`inject=${owner}:error=EPERM`, `trace=${owner},fsync`], {
      out: trace,
      paths: [share, ...copy],
    });
    for (const args of whatBacksUp) {
      const { code, stderr } = await launch({}, args, refusing).finished;
      expect([args, code, stderr]).toEqual([args, 0, stderr]);
    }
    rmSync(join(share, "copy.db"));
    const folderAlone = underStrace(["inject=fsync:error=EINVAL"], { out: trace, paths: [share] });
    for (const args of whatBacksUp) {
      const { code, stderr } = await launch({}, args, folderAlone).finished;
      expect([args, code, stderr]).toEqual([args, 0, stderr]);
      expect(readFileSync(trace, "utf8")).toContain("(INJECTED)");
    }
    expect(readdirSync(share).sort()).toEqual(["balances.csv", "copy.db", "spot.csv"]);
  },
);

rowTraced("S20c", "a share without file locks, and one that is read-only", { timeoutSeconds: 60 }, async (bench) => {
  const { folder, launch, run } = bench;
  mkdirSync(join(folder, "share"));
  expect((await run(["collect", "spot-assets"])).code).toBe(0);
  const draft = join(folder, "share/copy.db.part/draft.db");
  const failing = (fault: string) => underStrace([`inject=${fault}`], { paths: [draft] });
  for (const [fault, message] of [
    ["fcntl:error=ENOLCK", /Its file system does not support locks; write it to a local disk/],
    ["pwrite64:error=ENOSPC", /Free some space/],
    ["pwrite64:error=EIO", /Check the disk, or the connection to it/],
    ["openat:error=EROFS", /The disk is read-only/],
    ["openat:error=EACCES", /Check the owner and mode of its folder/],
  ] as const) {
    const { code, stderr } = await launch({}, ["db", "backup", "share/copy.db"], failing(fault)).finished;
    expect([fault, code, stderr]).toEqual([fault, 74, expect.stringMatching(message)]);
    expect(readdirSync(join(folder, "share"))).toEqual([]);
  }
});
