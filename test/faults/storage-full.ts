/** Full and failing disks: rows S1 to S3. */
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import { expectTruth } from "../support/truth.ts";
import { until } from "../support/wait.ts";
import { canMount, mountDisk } from "./disks.ts";
import { type Bench, row, rowElsewhere } from "./row.ts";
import { nextRun, runsOf, spot } from "./runs.ts";

const megabyte = 1_000_000;

/** Expects the stored rows to be exactly those that the exchange sent. */
function expectAllStored({ path, exchange }: Bench): void {
  const database = new Database(path, { readonly: true });
  try {
    expectTruth(database, exchange.record);
    const stored = database.prepare("select count(*) from snapshots where state = 'ok'").pluck().get();
    expect(stored).toBe(exchange.record.length);
  } finally {
    database.close();
  }
}

const rowOnDisk: typeof row = canMount
  ? row
  : (id, fault) => rowElsewhere(id, fault, "needs root, to mount a small disk");

rowOnDisk("S1", "disk full during a run", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { exchange, path, rows } = bench;
  const disk = mountDisk(bench, dirname(path), 64 * megabyte);
  const daemon = await bench.start();
  await daemon.printed("main spot-assets ok");
  exchange.injectFault({ path: spot, delayMs: 1000 });
  await until(() => exchange.pendingFaults() === 0);
  const [slot] = rows("select scheduled_for as slot from runs where dataset = 'spot-assets' and state = 'running'");
  await until(() => runsOf(daemon, "positions").some((run) => run.slot === slot?.slot));
  const finished = runsOf(daemon, "spot-assets").length;
  disk.fill();
  // Data received while the disk was full waits in memory; none of it is in the database.
  await daemon.printed(
    /"dataset":"spot-assets","problem":".*SQLITE_FULL.*"the run could not be stored; retrying in 1 s"/,
  );
  expect(rows("select 1 from snapshots natural join (select run_id from runs where state = 'running')")).toEqual([]);
  // The next slots cannot be claimed; they are recorded later.
  await daemon.printed(/"msg":"main positions: .*SQLITE_FULL/);
  const asked = exchange.record.length;
  disk.free();
  await until(() => runsOf(daemon, "spot-assets").length > finished);
  expect(runsOf(daemon, "spot-assets")[finished]).toMatchObject({ slot: slot?.slot, state: "ok", requests: 1 });
  await nextRun(daemon, "spot-assets", "ok");
  await nextRun(daemon, "positions", "ok");
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(rows("select dataset from runs where state = 'missed' and cause = 'storage'")).not.toEqual([]);
  expect(rows("select * from runs where state in ('failed', 'partial')")).toEqual([]);
  // While the disk was full, no data was requested that could not have been stored.
  expect(asked).toBeLessThanOrEqual(exchange.record.length - 2);
  expectAllStored(bench);
});

rowOnDisk("S1b", "less room than a run needs", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { path, rows } = bench;
  const disk = mountDisk(bench, dirname(path), 500.1 * megabyte);
  const daemon = await bench.start({ SCHEDULE_POSITIONS: "" });
  await nextRun(daemon, "spot-assets", "ok", 0);
  expect(daemon.output().stderr).toMatch(
    /"level":40,.*only 499 MB are free on the disk of .*collecting stops below 50 MB/,
  );
  expect((await bench.run(["status"])).stdout).toContain("only 499 MB are free on the disk of");
  disk.resize(50.1 * megabyte);
  const refused = await nextRun(daemon, "spot-assets", "failed");
  const problem = /^disk_space only 49 MB .* a run needs 50 MB\. Free some space; collecting resumes automatically/;
  expect(refused).toMatchObject({ requests: 0, failed: [expect.stringMatching(problem)] });
  expect((await bench.run(["status"])).stdout).toMatch(
    /failures:\n {2}main spot-assets: disk_space only 49 MB are free/,
  );
  disk.resize(600 * megabyte);
  await nextRun(daemon, "spot-assets", "ok");
  await daemon.printed("enough space on the disk again");
  expect(rows(`select state, cause, requests, rows from runs where scheduled_for = '${refused.slot}'`)).toEqual([
    { state: "failed", cause: "disk_space", requests: 0, rows: 0 },
  ]);
  expectAllStored(bench);
});
