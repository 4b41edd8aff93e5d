/** Rows E14, E15 and E31: the exchange's clock differs from the machine's. */
import { expect } from "vitest";
import { seconds } from "../support/wait.ts";
import { startProxy } from "./relay.ts";
import { row } from "./row.ts";
import { nextRun, oneProductType, positions, serverTime, spot } from "./runs.ts";

const minute = 60_000;
const everyFour = "*/4 * * * * *";
const year = 365 * 86_400_000;

for (const [id, ahead] of [
  ["E14a", minute],
  ["E14b", -minute],
] as const) {
  const side = ahead > 0 ? "ahead of" : "behind";
  row(id, `the exchange's clock is a minute ${side} the machine's`, { inEveryRun: true }, async (bench) => {
    const proxy = await startProxy(bench);
    // A new schedule begins at the later of the two clocks; this one is in force already.
    const agreeing = await bench.start();
    for (const name of ["spot-assets", "positions"]) await nextRun(agreeing, name, "ok", 0);
    await bench.stop(agreeing);
    const [{ last } = {}] = bench.rows("select max(run_id) as last from runs");
    bench.exchange.clockSkewMs = ahead;

    const daemon = await bench.start(proxy.env);
    for (const name of ["spot-assets", "positions"]) await nextRun(daemon, name, "ok", 1);

    // The first signed request is refused, the server time is requested once, and no later request is refused.
    expect(proxy.requestsTo(serverTime)).toHaveLength(1);
    expect(proxy.requestsTo("/api/v2/spot/account/info")).toHaveLength(2);
    expect(bench.rows("select count(*) as n from snapshots where state = 'failed'")).toEqual([{ n: 0 }]);
    expect(bench.rows("select sum(retries) as n from runs")).toEqual([{ n: 0 }]);
    expect(daemon.output().stderr.match(/this machine's clock is wrong/g)).toHaveLength(1);
    // The machine's clock minus the exchange's, recorded by every run that sent a request.
    const [skew = {}] = bench.rows(
      "select min(skew_ms) as least, max(skew_ms) as most, count(*) - count(skew_ms) as unknown from runs where requests > 0 and run_id > " +
        last,
    );
    expect(Math.abs(Number(skew.least) + ahead)).toBeLessThan(10_000);
    expect(Math.abs(Number(skew.most) + ahead)).toBeLessThan(10_000);
    expect(skew.unknown).toBe(0);
    // Snapshots have the exchange's time, runs the machine's.
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
  row(id, `the exchange sends a time of ${when}`, {}, async (bench) => {
    const proxy = await startProxy(bench);
    bench.exchange.clockSkewMs = far;

    const daemon = await bench.start({ ...proxy.env, SCHEDULE_SPOT_ASSETS: everyFour, SCHEDULE_POSITIONS: everyFour });
    await daemon.printed("the exchange contradicts this machine's clock");
    // Until after a slot, which does not run.
    await seconds(5);

    for (const table of ["runs", "schedules", "account_modes"])
      expect(bench.rows(`select * from ${table}`)).toEqual([]);
    expect(daemon.output().stderr).toMatch(/clock and the exchange's differ by \d{8,} s/);
    expect(daemon.output().stderr).not.toContain("this machine's clock is wrong");
    // Requested before the first slot, then every 30 s.
    expect(proxy.requestsTo(serverTime).length).toBeLessThanOrEqual(3);
    expect(proxy.requestsTo(spot)).toEqual([]);
  });
}

/** Returns the same response every time, with a server time `ago` ms before now. */
function stale(ago: number): (envelope: unknown) => unknown {
  let first: object | null = null;
  return (envelope) => {
    first ??= { ...(envelope as object), requestTime: Date.now() - ago };
    return first;
  };
}

row("E31", "a cached response, minutes old, repeatedly", {}, async (bench) => {
  const proxy = await startProxy(bench);
  const times = Number.POSITIVE_INFINITY;

  const daemon = await bench.start({ ...proxy.env, ...oneProductType });
  for (const name of ["spot-assets", "positions"]) await nextRun(daemon, name, "ok", 0);
  bench.exchange.injectFault({ path: spot, edit: stale(11 * minute), times });
  bench.exchange.injectFault({ path: positions, edit: stale(5 * minute), times });
  const runs = [];
  for (let n = 0; n < 3; n++)
    runs.push(...(await Promise.all([nextRun(daemon, "spot-assets"), nextRun(daemon, "positions")])));
  await bench.stop(daemon);

  // Eleven minutes: it is unknown which of the two clocks is right.
  const rejected = "select distinct error_code from snapshots where dataset = 'spot-assets' and state = 'failed'";
  expect(bench.rows(rejected)).toEqual([{ error_code: "clock" }]);
  // Five minutes may mean that the clock was set, so the server time is requested; the snapshot keeps the exchange's time.
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
  expect(stderr.match(/response is 30\d s old; a cache between/g)?.length).toBeGreaterThanOrEqual(3);
  expect(stderr).not.toContain("this machine's clock is wrong");
});
