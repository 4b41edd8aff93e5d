/** Blocked event loops, suspends, clock changes and daylight saving: rows T7 to T14. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { parsePattern } from "../../src/core/cron.ts";
import { periodsOf } from "../../src/queries/periods.ts";
import type { Running } from "../support/program.ts";
import { seconds, until } from "../support/wait.ts";
import type { ZoneRuns } from "./children/zones.ts";
import { preload } from "./preload.ts";
import { type Bench, row } from "./row.ts";
import { nextRun, soon, spot } from "./runs.ts";

const second = 1000;
const hour = 3_600_000;
const day = 24 * hour;
const onlySpot = { SCHEDULE_POSITIONS: "" };
const asleep = "asleep or clock set forward";

const count = ({ rows }: Bench, where: string): number =>
  Number(rows(`select count(*) as n from runs where ${where}`)[0]?.n);

/** Resolves half a second before the next slot of this schedule, with the slot. */
async function justBeforeSlot(schedule: string): Promise<number> {
  const pattern = parsePattern(schedule);
  for (let slot = pattern.next(Date.now() + 500); ; slot = pattern.next(slot)) {
    const begin = slot - 500;
    await seconds(Math.max(0, begin - Date.now()) / second);
    // Too late on a busy machine: waits for the next slot.
    if (Date.now() < begin + 300) return slot;
  }
}

row("T7", "event loop blocked 4 s across a slot", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, runHook } = preload(bench);
  const schedule = soon(15);
  const daemon = await bench.start({ ...onlySpot, ...env, SCHEDULE_SPOT_ASSETS: schedule });
  const slot = await justBeforeSlot(schedule);
  runHook(daemon, "block 4000");
  await until(() => count(bench, `scheduled_for_ms = ${slot} and state <> 'running'`) === 1);
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(bench.rows(`select state, cause, late_ms from runs where scheduled_for_ms = ${slot}`)).toEqual([
    { state: "ok", cause: "late", late_ms: expect.toSatisfy((ms: number) => ms > 2000 && ms < 7500) },
  ]);
  // A snapshot taken four seconds later is not recorded as one of the slot.
  expect(
    bench.rows(
      `select taken_at_ms - scheduled_for_ms >= late_ms as later from snapshots join runs using (run_id)
       where scheduled_for_ms = ${slot}`,
    ),
  ).toEqual([{ later: 1 }]);
});

row("T8", "suspend over a slot", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, setClock } = preload(bench);
  const schedule = soon(10);
  const daemon = await bench.start({ ...env, SCHEDULE_SPOT_ASSETS: schedule });
  const slot = await justBeforeSlot(schedule);
  daemon.child.kill("SIGSTOP");
  await seconds(3.5);
  daemon.child.kill("SIGCONT");
  await until(
    () => count(bench, `dataset = 'spot-assets' and scheduled_for_ms = ${slot} and state <> 'running'`) === 1,
  );
  // The delay was under half of the period of ten seconds, and over half of that of two.
  const [run] = bench.rows(`select * from runs where dataset = 'spot-assets' and scheduled_for_ms = ${slot}`);
  expect(run).toMatchObject({ state: "ok", cause: "late", late_ms: expect.toSatisfy((ms: number) => ms > 2000) });
  // Slots during a run that was suspended are skipped with cause "overlap".
  await until(() => count(bench, "dataset = 'positions' and cause in ('blocked', 'overlap')") > 0);

  const asked = bench.exchange.counts.requests;
  daemon.child.kill("SIGSTOP");
  await seconds(0.2);
  setClock(24_000);
  bench.exchange.clockSkewMs = 24_000;
  const woken = performance.now();
  daemon.child.kill("SIGCONT");
  await until(() => count(bench, `dataset = 'positions' and cause = '${asleep}'`) >= 8);
  await until(() => count(bench, `dataset = 'spot-assets' and cause = '${asleep}'`) >= 1);
  expect(performance.now() - woken).toBeLessThan(30_000);
  await nextRun(daemon, "positions", "ok");
  expect(bench.exchange.counts.requests - asked).toBeLessThan(40);
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(
    bench.rows("select distinct state from runs where cause in ('blocked', 'asleep or clock set forward')"),
  ).toEqual([{ state: "missed" }]);
});

row("T9", "suspend before a slot, awake at it", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, setClock } = preload(bench);
  const midnight = Math.ceil(Date.now() / day) * day + day;
  const set = (instant: number) => {
    bench.exchange.clockSkewMs = instant - Date.now();
    setClock(bench.exchange.clockSkewMs);
  };
  set(midnight - 2 * hour);
  const daemon = await bench.start({ ...onlySpot, ...env, SCHEDULE_SPOT_ASSETS: "0 0 * * *" });
  // Suspended for an hour at 22:00 and again at 23:00, then awake for three seconds before the slot.
  set(midnight - hour);
  await seconds(1.5);
  set(midnight - 3 * second);
  await nextRun(daemon, "spot-assets", "ok");
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(bench.rows("select scheduled_for_ms as slot, state, late_ms < 10000 as punctual from runs")).toEqual([
    { slot: midnight, state: "ok", punctual: 1 },
  ]);
  const sent = bench.exchange.record.filter(({ dataset }) => dataset === "spot-assets");
  expect(sent.map(({ takenAt }) => takenAt >= midnight)).toEqual([true]);
});

row("T10", "clock forward 10 s, 1 h, 1 year", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, setClock, runHook, result } = preload(bench);
  const { exchange } = bench;
  const daemon = await bench.start({ ...onlySpot, ...env });
  await nextRun(daemon, "spot-assets", "ok");
  runHook(daemon, "measureWork");
  // Only the daemon's clock moves; the exchange's does not.
  setClock(10 * second);
  await until(() => count(bench, `cause = '${asleep}'`) >= 4);
  await nextRun(daemon, "spot-assets", "ok");
  expect(daemon.output().stderr).toContain("this machine's clock is wrong");
  // The exchange's clock moves as well: an hour has really passed.
  exchange.clockSkewMs = hour;
  setClock(hour);
  await until(() => count(bench, `cause = '${asleep}'`) >= 1780);
  await nextRun(daemon, "spot-assets", "ok");
  // A year that has not passed: nothing is recorded before the exchange confirms the clock.
  setClock(hour + 366 * day);
  await daemon.printed("set this machine's clock");
  const end = `'${new Date(Date.now() + 2 * hour).toISOString()}'`;
  expect(count(bench, `scheduled_for > ${end}`)).toBe(0);
  expect((await bench.run(["status"], env)).code).toBe(1);
  setClock(hour);
  await nextRun(daemon, "spot-assets", "ok");
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(count(bench, `scheduled_for > ${end}`)).toBe(0);
  // Enumerating every second of the year takes several hundred times as much.
  expect(Number(result())).toBeLessThan(100);
});

/** Resolves when a slot before this time has a good run that started from now on. */
async function runBefore(daemon: Running, instant: number): Promise<void> {
  while (Date.parse((await nextRun(daemon, "spot-assets", "ok")).slot) >= instant);
}

row("T11", "clock back 10 s, 1 h", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, setClock } = preload(bench);
  const { exchange } = bench;
  setClock(-12 * second);
  const daemon = await bench.start({ ...onlySpot, ...env });
  await nextRun(daemon, "spot-assets", "ok");
  setClock(0);
  await until(() => count(bench, `cause = '${asleep}'`) >= 4);
  const { slot } = await nextRun(daemon, "spot-assets", "ok");
  setClock(-10 * second);
  // First the missed slots, then no slot that had been run, then new ones.
  await runBefore(daemon, Date.parse(slot));
  const ended = count(bench, `scheduled_for > '${slot}'`);
  await until(() => count(bench, `scheduled_for > '${slot}' and state = 'ok'`) >= ended + 2);

  exchange.clockSkewMs = -hour;
  setClock(-hour);
  await runBefore(daemon, Date.now() - hour / 2);
  await nextRun(daemon, "spot-assets", "ok");
  expect((await bench.stop(daemon)).code).toBe(0);
  // One response for each run: no slot was requested twice. A run in progress may have failed.
  const answers = exchange.record.filter(({ dataset }) => dataset === "spot-assets").length;
  expect(answers).toBeGreaterThanOrEqual(count(bench, "state = 'ok'"));
  expect(answers).toBeLessThanOrEqual(count(bench, "state in ('ok', 'failed')"));
});

row("T11b", "clock back 20 s during a run", { timeoutSeconds: 60 }, async (bench) => {
  const { env, setClock } = preload(bench);
  setClock(20 * second);
  const daemon = await bench.start({ ...onlySpot, ...env });
  await nextRun(daemon, "spot-assets", "ok");
  bench.exchange.injectFault({ path: spot, delayMs: 800 });
  await until(() => bench.exchange.pendingFaults() === 0);
  setClock(0);
  const torn = await nextRun(daemon, "spot-assets");
  expect(torn).toMatchObject({
    state: "failed",
    failed: ["deadline the machine's clock was set back during the request; the response belongs to no slot"],
  });
  const { slot } = await nextRun(daemon, "spot-assets", "ok");
  expect(slot < torn.slot).toBe(true);
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(count(bench, "finished_at < started_at")).toBe(0);
});

row("T12", "start with clock in 2030, then 2026", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, setClock } = preload(bench);
  const wrong = Date.UTC(2030, 0, 1);
  setClock(wrong - Date.now());
  const daemon = await bench.start({ ...onlySpot, ...env });
  await daemon.printed("the exchange contradicts this machine's clock");
  expect(bench.exchange.record).toEqual([]);
  setClock(0);
  const corrected = Date.now();
  const { slot } = await nextRun(daemon, "spot-assets", "ok");
  expect(Date.parse(slot)).toBeGreaterThan(corrected - 2 * second);
  await nextRun(daemon, "spot-assets", "ok");
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(count(bench, "scheduled_for > '2029'")).toBe(0);
});

row(
  "T12b",
  "first start with a clock a month behind, then right",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const { env, setClock } = preload(bench);
    setClock(-30 * day);
    const daemon = await bench.start({ ...onlySpot, ...env });
    await daemon.printed("the exchange contradicts this machine's clock");
    const status = await bench.run(["status"]);
    expect([status.code, status.stdout]).toEqual([1, expect.stringContaining("confirm this machine's clock")]);
    const collect = await bench.run(["collect"], { ...env, DATABASE_URL: "file:./data/other.db" });
    expect([collect.code, collect.stdout]).toEqual([1, ""]);
    expect(collect.stderr).toContain("set this machine's clock");
    for (const table of ["runs", "schedules", "account_modes"])
      expect(bench.rows(`select * from ${table}`)).toEqual([]);
    const corrected = Date.now();
    setClock(0);
    await nextRun(daemon, "spot-assets", "ok");
    expect((await bench.stop(daemon)).code).toBe(0);
    for (const sql of ["scheduled_for_ms as at from runs", "unixepoch(since) * 1000 + 999 as at from schedules"])
      expect(bench.rows(`select ${sql}`).filter(({ at }) => Number(at) < corrected)).toEqual([]);
    expect(bench.rows("select * from gaps")).toEqual([]);
  },
);

row("T13", "clock jumps back and forth 10x in a minute", { timeoutSeconds: 120 }, async (bench) => {
  const { env, setClock } = preload(bench);
  setClock(0);
  const daemon = await bench.start(env);
  for (let n = 0; n < 10; n += 1) {
    await seconds(6 * Math.random());
    setClock((Math.random() - 0.5) * 60 * second);
  }
  // The clock ends ahead of all slots, so that each had its time.
  setClock(40 * second);
  await nextRun(daemon, "spot-assets", "ok");
  await nextRun(daemon, "positions", "ok");
  expect((await bench.stop(daemon)).code).toBe(0);
  const answers = bench.exchange.record.filter(({ dataset }) => dataset === "spot-assets").length;
  expect(answers).toBeGreaterThanOrEqual(count(bench, "state = 'ok' and dataset = 'spot-assets'"));
  expect(bench.exchange.counts.limitViolations).toBe(0);
});

/** Time zones and their daylight-saving changes, each the middle of 48 hours. */
const changes = [
  ["America/New_York", "2026-03-08T07:00:00Z"],
  ["America/New_York", "2026-11-01T06:00:00Z"],
  ["Asia/Beirut", "2026-03-28T22:00:00Z"],
  ["Europe/Berlin", "2026-10-25T01:00:00Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
  ["UTC", "2026-03-08T07:00:00Z"],
] as const;

row("T14", "daylight saving in five zones", { inEveryRun: true, timeoutSeconds: 120 }, async (bench) => {
  const child = resolve("test/faults/children/zones.ts");
  const words = changes.flat();
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, bench.folder, ...words], {
    env: { PATH: process.env.PATH ?? "" },
  });
  const zones = JSON.parse(stdout) as ZoneRuns[];
  expect(zones.map(({ zone }) => zone)).toEqual(changes.map(([zone]) => zone));
  for (const { zone, runs, offsets } of zones) {
    const slots = runs.filter(({ dataset }) => dataset === "spot-assets");
    // Datasets are scheduled in UTC, whatever the local clock does: no slot is missing or repeated.
    expect(
      slots.map(({ state }) => state),
      zone,
    ).toEqual(Array.from({ length: 96 }, () => "ok"));
    expect(
      slots.slice(1).every(({ slot }, n) => slot - (slots[n]?.slot ?? 0) === hour / 2),
      zone,
    ).toBe(true);
    expect(
      runs.filter(({ dataset }) => dataset === "positions").map(({ state }) => state),
      zone,
    ).toEqual(["ok", "ok"]);
    expect(new Set(offsets).size > 1, `the clocks of ${zone} change`).toBe(zone !== "UTC");
  }
  // Reports are scheduled by local days: each has one slot, also where that local time is skipped or repeated.
  for (const [zone] of changes)
    for (const text of ["5 0 * * *", "0 0 * * *", "30 1 * * *", "30 2 * * *"]) {
      const pattern = parsePattern(text, zone);
      const days = [...periodsOf({ timezone: zone, by: "day", from: Date.UTC(2026, 0, 2), to: Date.UTC(2028, 0, 1) })];
      const odd = days.filter(({ from, to }) => {
        const first = pattern.next(from - 1);
        return first >= to || pattern.next(first) < to;
      });
      expect(odd, `${zone} ${text}`).toEqual([]);
    }
});
