/** Rows E14, E15 and E31: the exchange's clock and ours. */
import { expect } from "vitest";
import { seconds } from "../support/wait.ts";
import { startProxy } from "./proxy.ts";
import { row } from "./row.ts";
import { nextRun, oneLine, positions, serverTime, spot } from "./runs.ts";

const minute = 60_000;
const everyFour = "*/4 * * * * *";
const year = 365 * 86_400_000;

for (const [id, ahead] of [
  ["E14a", minute],
  ["E14b", -minute],
] as const) {
  const side = ahead > 0 ? "ahead of" : "behind";
  row(id, `the exchange's clock is a minute ${side} ours`, { always: true }, async (bench) => {
    const proxy = await startProxy(bench);
    // A schedule that is new begins by the later of the two clocks; this one is in force already.
    const agreeing = await bench.start();
    for (const name of ["spot-assets", "positions"]) await nextRun(agreeing, name, "ok", 0);
    await bench.stop(agreeing);
    const [{ last } = {}] = bench.rows("select max(run_id) as last from runs");
    bench.exchange.clockSkewMs = ahead;

    const daemon = await bench.start(proxy.env);
    for (const name of ["spot-assets", "positions"]) await nextRun(daemon, name, "ok", 1);

    // The first signed request is refused, the time is asked once, and from then on nothing is refused.
    expect(proxy.asked(serverTime)).toHaveLength(1);
    expect(proxy.asked("/api/v2/spot/account/info")).toHaveLength(2);
    expect(bench.rows("select count(*) as n from snapshots where state = 'failed'")).toEqual([{ n: 0 }]);
    expect(bench.rows("select sum(retries) as n from runs")).toEqual([{ n: 0 }]);
    expect(daemon.output().stderr.match(/this machine's clock is off/g)).toHaveLength(1);
    // Ours minus the exchange's, known to every run that asked.
    const [skew = {}] = bench.rows(
      "select min(skew_ms) as least, max(skew_ms) as most, count(*) - count(skew_ms) as unknown from runs where requests > 0 and run_id > " +
        last,
    );
    expect(Math.abs(Number(skew.least) + ahead)).toBeLessThan(10_000);
    expect(Math.abs(Number(skew.most) + ahead)).toBeLessThan(10_000);
    expect(skew.unknown).toBe(0);
    // What was true when is told by the exchange's clock, when it was asked by ours.
    const apart = `select min(n.taken_at_ms - r.scheduled_for_ms) as least, max(n.taken_at_ms - r.scheduled_for_ms) as most
      from snapshots n join runs r using (run_id) where r.run_id > ${last}`;
    const [{ least, most } = {}] = bench.rows(apart);
    expect(least).toBeGreaterThan(ahead - 10_000);
    expect(most).toBeLessThan(ahead + 20_000);
  });
}

for (const [id, far, when] of [
  ["E15a", 10 * year, "ten years from now"],
  ["E15b", -Date.now(), "in 1970"],
] as const) {
  row(id, `the exchange says it is ${when}`, {}, async (bench) => {
    const proxy = await startProxy(bench);
    bench.exchange.clockSkewMs = far;

    const daemon = await bench.start({ ...proxy.env, SCHEDULE_SPOT_ASSETS: everyFour, SCHEDULE_POSITIONS: everyFour });
    await daemon.printed("the exchange contradicts this machine's clock");
    // Past a slot, which is none.
    await seconds(5);

    for (const table of ["runs", "schedules", "account_modes"])
      expect(bench.rows(`select * from ${table}`)).toEqual([]);
    expect(daemon.output().stderr).toMatch(/clock and the exchange's are \d{8,} s apart, too far to go by either/);
    expect(daemon.output().stderr).not.toContain("this machine's clock is off");
    // Before the first slot, and then every half minute.
    expect(proxy.asked(serverTime).length).toBeLessThanOrEqual(3);
    expect(proxy.asked(spot)).toEqual([]);
  });
}

/** The same answer every time, of so long ago. */
function stale(ago: number): (envelope: unknown) => unknown {
  let first: object | null = null;
  return (envelope) => {
    first ??= { ...(envelope as object), requestTime: Date.now() - ago };
    return first;
  };
}

row("E31", "an answer from a cache, minutes old, again and again", {}, async (bench) => {
  const proxy = await startProxy(bench);
  const times = Number.POSITIVE_INFINITY;

  const daemon = await bench.start({ ...proxy.env, ...oneLine });
  for (const name of ["spot-assets", "positions"]) await nextRun(daemon, name, "ok", 0);
  bench.exchange.misbehave({ path: spot, edit: stale(11 * minute), times });
  bench.exchange.misbehave({ path: positions, edit: stale(5 * minute), times });
  const runs = [];
  for (let n = 0; n < 3; n++)
    runs.push(...(await Promise.all([nextRun(daemon, "spot-assets"), nextRun(daemon, "positions")])));
  await bench.stop(daemon);

  // Eleven minutes are another time, and nobody can say which of the two is right.
  const rejected = "select distinct error_code from snapshots where dataset = 'spot-assets' and state = 'failed'";
  expect(bench.rows(rejected)).toEqual([{ error_code: "clock" }]);
  // Five minutes may be a clock that was set, so the exchange is asked; what it told is filed under the time it was true at.
  const kept = "select distinct taken_at_ms as at from snapshots where dataset = 'positions' and snapshot_id > 2";
  const [first, ...others] = bench.rows(kept);
  expect([others, Date.now() - Number(first?.at) > 5 * minute]).toEqual([[], true]);
  expect(runs).toMatchObject(
    [1, 2, 3].flatMap(() => [
      { state: "failed", requests: 1, retries: 0 },
      { state: "ok", requests: 2, retries: 0 },
    ]),
  );
  const { stderr } = daemon.output();
  expect(stderr.match(/an answer of 30\d s ago; something between/g)?.length).toBeGreaterThanOrEqual(3);
  expect(stderr).not.toContain("this machine's clock is off");
});
