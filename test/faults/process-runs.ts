/** Runs that take too long, never end, or lack what they need, and outputs that nobody reads: rows T15, T16, T22 and T24. */
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { expect } from "vitest";
import { seconds, until } from "../support/wait.ts";
import { preload } from "./preload.ts";
import { type Bench, row } from "./row.ts";
import { nextRun, runsOf, spot } from "./runs.ts";

const onlySpot = { SCHEDULE_POSITIONS: "" };

/** Pairs of runs of one series of which one began before the other had ended. */
const together = ({ rows }: Bench) =>
  rows(
    `select a.scheduled_for as one, b.scheduled_for as other from runs a join runs b using (account, dataset)
     where a.state <> 'skipped' and b.state <> 'skipped' and a.scheduled_for < b.scheduled_for and a.finished_at > b.started_at`,
  );

const counts = ({ rows }: Bench, where: string): number =>
  Number(rows(`select count(*) as n from runs where ${where}`)[0]?.n);

row("T15", "run longer than the interval", { always: true, within: 60 }, async (bench) => {
  const { exchange, path } = bench;
  const daemon = await bench.start(onlySpot);
  await nextRun(daemon, "spot-assets", "ok");
  const asked = exchange.counts.requests;
  const before = runsOf(daemon, "spot-assets").length;
  // The run is cut when the next slot comes, which is run at its time: nothing passes behind it.
  exchange.misbehave({ path: spot, delayMs: 5000, times: Number.POSITIVE_INFINITY });
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
  // One that has its answer and cannot store it lasts beyond its slot, and those that pass behind it are skipped.
  exchange.misbehave({ path: spot, delayMs: 300 });
  await until(() => exchange.faults() === 0);
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

row("T16", "run that never settles", { always: true, within: 60 }, async (bench) => {
  const { env, pull, told } = preload(bench);
  const daemon = await bench.start({ ...onlySpot, ...env });
  await nextRun(daemon, "spot-assets", "ok");
  // Whatever is read from here on has no end, and does not hear that it was called off.
  pull(daemon, "neverEnd");
  await until(() => told() !== null);
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

row("T22", "stdout closed, log on full disk", { always: true, within: 60 }, async (bench) => {
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

row("T24", "file descriptors exhausted", { within: 60 }, async (bench) => {
  const { env, pull, told } = preload(bench);
  const daemon = bench.launch({ ...onlySpot, ...env }, ["start"], ["sh", "-c", 'ulimit -n 256 && exec "$0" "$@"']);
  await nextRun(daemon, "spot-assets", "ok");
  // The connections that it has are lost, and for a while there is no descriptor for another.
  pull(daemon, "takeFiles 9000");
  bench.exchange.misbehave({ path: spot, reset: true, times: Number.POSITIVE_INFINITY });
  const failed = await nextRun(daemon, "spot-assets", "failed");
  bench.exchange.clearFaults();
  const asked = bench.exchange.counts.requests;
  const another = await nextRun(daemon, "spot-assets", "failed");
  expect(bench.exchange.counts.requests).toBe(asked);
  for (const run of [failed, another]) expect(run.failed).toEqual([expect.stringContaining("(EMFILE)")]);
  await until(() => told() !== null);
  expect(Number(told())).toBeLessThan(256);
  await nextRun(daemon, "spot-assets", "ok");
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(bench.rows("select distinct cause from runs where state = 'failed'")).toEqual([{ cause: "network" }]);
});
