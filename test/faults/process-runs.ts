/** Runs that take too long, never end, or lack resources, and closed outputs: rows T15, T16, T22 and T24. */
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { expect } from "vitest";
import { seconds, until } from "../support/wait.ts";
import { preload } from "./preload.ts";
import { type Bench, row } from "./row.ts";
import { nextRun, runsOf, spot } from "./runs.ts";

const onlySpot = { SCHEDULE_POSITIONS: "" };

/** Returns pairs of overlapping runs of one series. */
const together = ({ rows }: Bench) =>
  rows(
    `select a.scheduled_for as one, b.scheduled_for as other from runs a join runs b using (account, dataset)
     where a.state <> 'skipped' and b.state <> 'skipped' and a.scheduled_for < b.scheduled_for and a.finished_at > b.started_at`,
  );

const counts = ({ rows }: Bench, where: string): number =>
  Number(rows(`select count(*) as n from runs where ${where}`)[0]?.n);

row("T15", "run longer than the interval", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { exchange, path } = bench;
  const daemon = await bench.start(onlySpot);
  await nextRun(daemon, "spot-assets", "ok");
  const asked = exchange.counts.requests;
  const before = runsOf(daemon, "spot-assets").length;
  // The run is ended at the next slot, which runs on time: no slot is skipped.
  exchange.injectFault({ path: spot, delayMs: 5000, times: Number.POSITIVE_INFINITY });
  await nextRun(daemon, "spot-assets", "failed");
  await nextRun(daemon, "spot-assets", "failed");
  exchange.clearFaults();
  await nextRun(daemon, "spot-assets", "ok");
  const cut = runsOf(daemon, "spot-assets").slice(before);
  expect(cut.slice(0, 2)).toMatchObject([
    { state: "failed", requests: 1, failed: [expect.stringContaining("deadline")] },
    { state: "failed", requests: 1, failed: [expect.stringContaining("deadline")] },
  ]);
  expect(exchange.counts.requests - asked).toBe(cut.reduce((sum, { requests }) => sum + requests, 0));
  // A run that cannot store its response lasts beyond its slot; the slots until then are skipped.
  exchange.injectFault({ path: spot, delayMs: 300 });
  await until(() => exchange.pendingFaults() === 0);
  const [{ slot } = { slot: 0 }] = bench.rows("select max(scheduled_for_ms) as slot from runs where state = 'running'");
  const other = new Database(path);
  bench.onEnd(() => other.close());
  other.exec("begin immediate");
  await seconds(5);
  other.exec("commit");
  await nextRun(daemon, "spot-assets", "ok");
  await nextRun(daemon, "spot-assets", "ok");
  await bench.stop(daemon);
  expect(bench.rows(`select state from runs where scheduled_for_ms = ${slot}`)).toEqual([{ state: "ok" }]);
  expect(counts(bench, `state = 'skipped' and cause = 'overlap' and scheduled_for_ms > ${slot}`)).toBeGreaterThan(0);
  expect(counts(bench, "state = 'skipped' and cause <> 'overlap'")).toBe(0);
  expect(together(bench)).toEqual([]);
});

row("T16", "run that never settles", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, runHook, result } = preload(bench);
  const daemon = await bench.start({ ...onlySpot, ...env });
  await nextRun(daemon, "spot-assets", "ok");
  // Every body read from here on never ends and ignores cancellation.
  runHook(daemon, "neverEnd");
  await until(() => result() !== null);
  const asked = bench.exchange.counts.requests;
  await nextRun(daemon, "spot-assets", "failed");
  await nextRun(daemon, "spot-assets", "failed");
  await nextRun(daemon, "spot-assets", "failed");
  expect(bench.exchange.counts.requests - asked).toBeGreaterThanOrEqual(3);
  const { code } = await bench.stop(daemon);
  expect(code).toBe(0);
  expect(bench.rows("select distinct cause from runs where state = 'failed'")).toEqual([{ cause: "deadline" }]);
  expect(together(bench)).toEqual([]);
});

row("T22", "stdout closed, log on full disk", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const closed = bench.launch();
  await closed.printed("collecting main");
  closed.child.stdout?.destroy();
  closed.child.stderr?.destroy();
  const stored = () => (existsSync(bench.path) ? counts(bench, "state = 'ok'") : 0);
  const before = stored();
  await until(() => stored() >= before + 3);
  expect(closed.child.exitCode).toBe(null);
  expect((await bench.stop(closed)).code).toBe(0);

  const full = bench.launch({}, ["start"], ["sh", "-c", 'exec "$0" "$@" >/dev/full 2>&1']);
  const then = stored();
  await until(() => stored() >= then + 3);
  expect(full.child.exitCode).toBe(null);
  expect(await bench.stop(full)).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(bench.exchange.counts).toMatchObject({ badSignatures: 0, limitViolations: 0 });
});

row("T24", "file descriptors exhausted", { timeoutSeconds: 60 }, async (bench) => {
  const { env, runHook, result } = preload(bench);
  const daemon = bench.launch({ ...onlySpot, ...env }, ["start"], ["sh", "-c", 'ulimit -n 256 && exec "$0" "$@"']);
  await nextRun(daemon, "spot-assets", "ok");
  // Its connections are lost, and for a while no descriptor is free for another.
  runHook(daemon, "takeFiles 9000");
  bench.exchange.injectFault({ path: spot, reset: true, times: Number.POSITIVE_INFINITY });
  const failed = await nextRun(daemon, "spot-assets", "failed");
  bench.exchange.clearFaults();
  const asked = bench.exchange.counts.requests;
  const another = await nextRun(daemon, "spot-assets", "failed");
  expect(bench.exchange.counts.requests).toBe(asked);
  for (const run of [failed, another]) expect(run.failed).toEqual([expect.stringContaining("(EMFILE)")]);
  await until(() => result() !== null);
  expect(Number(result())).toBeLessThan(256);
  await nextRun(daemon, "spot-assets", "ok");
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(bench.rows("select distinct cause from runs where state = 'failed'")).toEqual([{ cause: "network" }]);
});
