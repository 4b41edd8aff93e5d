/** A database that another process locks, reads for long, or makes read-only: rows S4 to S6. */
import { chmodSync, chownSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import { seconds, until } from "../support/wait.ts";
import { canMount } from "./disks.ts";
import { preload } from "./preload.ts";
import { type Bench, row, rowElsewhere } from "./row.ts";
import { nextRun, oneProductType, runsOf, soon, spot } from "./runs.ts";
import { canTrace, injectInto } from "./syscalls.ts";

/** Holds the write lock of the database from another connection until it is released. */
function holdLock({ path, onEnd }: Bench): () => void {
  const other = new Database(path);
  other.exec("begin immediate");
  onEnd(() => other.close());
  return () => void other.exec("rollback");
}

row("S4", "database locked by another process for 3 s", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { exchange, rows } = bench;
  const hooks = preload(bench);
  const daemon = await bench.start({ ...hooks.env, ...oneProductType });
  hooks.runHook(daemon, "measureDelay");
  exchange.injectFault({ path: spot, delayMs: 500 });
  await until(() => exchange.pendingFaults() === 0);
  const letGo = holdLock(bench);
  const before = runsOf(daemon, "spot-assets").length;
  await seconds(3);
  expect(runsOf(daemon, "spot-assets")).toHaveLength(before);
  letGo();
  const late = await nextRun(daemon, "spot-assets", undefined, before);
  expect(late).toMatchObject({ state: "ok", requests: 1 });
  await nextRun(daemon, "spot-assets", "ok", before + 1);
  expect(rows("select state, cause from runs where dataset = 'spot-assets' and cause = 'overlap'")).not.toEqual([]);
  expect((await bench.stop(daemon)).code).toBe(0);
  // SQLite's busy timeout would have blocked the event loop for as long as the lock was held.
  expect(Number(hooks.result())).toBeLessThan(2500);
});

row("S4b", "database locked by another process for 12 s", { timeoutSeconds: 90 }, async (bench) => {
  const { exchange, rows } = bench;
  const daemon = await bench.start({ ...oneProductType, SCHEDULE_SPOT_ASSETS: soon(30), SCHEDULE_POSITIONS: "" });
  await until(() => rows("select * from schedules").length > 0);
  const letGo = holdLock(bench);
  await daemon.printed("has been locked by another program for more than 10 s. Close the program that writes to it.");
  // The slot could not be claimed, so no data was requested that might not be stored.
  expect(exchange.record).toEqual([]);
  await seconds(2);
  letGo();
  await nextRun(daemon, "spot-assets", "ok", 0);
  expect(rows("select state, cause from runs")).toEqual([{ state: "ok", cause: "late" }]);
});

row("S5", "a reader that does not end", { timeoutSeconds: 60 }, async (bench) => {
  const { path, onEnd } = bench;
  const wal = () => statSync(`${path}-wal`).size;
  const daemon = await bench.start({ SCHEDULE_POSITIONS: "" });
  await nextRun(daemon, "spot-assets", "ok", 0);
  const reader = new Database(path, { readonly: true });
  onEnd(() => reader.close());
  reader.exec("begin");
  reader.prepare("select count(*) from run").get();
  // As much as a daemon writes in months.
  const writer = new Database(path);
  onEnd(() => writer.close());
  writer.exec("create table ballast (bytes blob)");
  for (let n = 0; n < 70; n += 1) {
    writer.exec("insert into ballast values (zeroblob(1000000))");
    await new Promise(setImmediate);
  }
  expect(wal()).toBeGreaterThan(64_000_000);
  await daemon.printed(/"level":50,.*collector\.db-wal is \d+ MB: another program has been reading the database/);
  await nextRun(daemon, "spot-assets", "ok");
  expect(daemon.output().stderr.split("has been reading").length - 1).toBe(1);
  writer.exec("drop table ballast");
  reader.exec("rollback");
  await daemon.printed(/collector\.db-wal has \d+ MB now/);
  expect(wal()).toBeLessThanOrEqual(17_000_000);
  await nextRun(daemon, "spot-assets", "ok");
});

const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const rowAsOther: typeof row =
  canMount && canTrace ? row : (id, fault) => rowElsewhere(id, fault, "needs root, setpriv and strace");

rowAsOther("S6", "database read-only: file, directory, at run time", {}, async (bench) => {
  const { folder, path, launch, run } = bench;
  const directory = dirname(path);
  expect((await run(["collect", "spot-assets"])).code).toBe(0);
  chownSync(folder, 65534, 65534);
  const refused = async (file: string) => {
    const { code, stdout, stderr } = await launch({}, ["start"], asNobody).finished;
    expect([code, stdout, stderr]).toEqual([78, "", expect.stringContaining(file)]);
    expect(stderr).toMatch(/Check the owner and mode of/);
  };
  // Readable for this user, not writable.
  chownSync(directory, 65534, 65534);
  chownSync(`${path}.lock`, 65534, 65534);
  chmodSync(path, 0o444);
  await refused(path);
  // A read-only directory: no file can be created next to the database.
  chownSync(path, 65534, 65534);
  chmodSync(path, 0o600);
  chownSync(directory, 0, 0);
  chmodSync(directory, 0o755);
  await refused(path);
  // A file system that was remounted read-only while the daemon runs.
  chmodSync(directory, 0o700);
  const daemon = await bench.start();
  await nextRun(daemon, "spot-assets", "ok", 0);
  const injection = await injectInto(daemon.child.pid ?? 0, "pwrite64:error=EROFS:when=1+");
  await daemon.printed(/"msg":"main (spot-assets|positions): .* cannot be written: .* Check the disk/);
  await injection.end();
  await nextRun(daemon, "spot-assets", "ok");
  await nextRun(daemon, "positions", "ok");
});
