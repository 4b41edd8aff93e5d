import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import { withHistory } from "../../src/store/read/open-history.ts";
import { fillGaps } from "../../src/store/runs/gaps.ts";
import { change } from "../store/kit.ts";
import { snapshotNames } from "../support/declared.ts";
import { parseExposition, type Sample } from "../support/exposition.ts";
import { classic, everyDataset } from "../support/settings.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;

beforeEach(() => live());

async function live(account: SimulatedAccount = classic): Promise<void> {
  // Long enough for a run on a busy machine, short enough to wait for one that hangs.
  const settings = { ...everyDataset("* * * * *"), RUN_DEADLINE_SECONDS: "4" };
  world = await createWorld("2026-03-01T12:00:30Z", settings, { accounts: [account] });
}

const at = (time: string): Promise<void> => world.at(`2026-03-01T${time}Z`);

const samples = async (): Promise<Sample[]> => parseExposition(await world.metrics.text());

/** The values of a metric whose labels hold these. */
async function valuesOf(name: string, labels: Record<string, string> = {}): Promise<number[]> {
  const found = (await samples()).filter(
    (sample) =>
      sample.name === `bitget_collector_${name}` &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.map(({ value }) => value);
}

const ofPositions = { account: "main", dataset: "positions" };

it("counts slots by outcome, and the requests and duration of runs", async () => {
  await at("12:01:00");
  world.exchange.injectFault({ path: "/api/v2/mix/position", code: "40014", times: Number.POSITIVE_INFINITY });
  await at("12:02:00");
  await at("12:05:50");
  expect(await valuesOf("runs_total", { ...ofPositions, state: "ok" })).toEqual([1]);
  expect(await valuesOf("runs_total", { ...ofPositions, state: "failed" })).toEqual([1]);
  expect(await valuesOf("runs_total", { ...ofPositions, state: "missed" })).toEqual([3]);
  expect(await valuesOf("runs_total", { ...ofPositions, state: "partial" })).toEqual([0]);
  expect(await valuesOf("requests_total", ofPositions)).toEqual([8]);
  expect(await valuesOf("run_duration_seconds_count", ofPositions)).toEqual([2]);
});

it("counts rate-limited requests (429), and the requests that repeat them", async () => {
  world.exchange.injectFault({ path: "/api/v2/spot/account/assets", status: 429, headers: { "retry-after": "0" } });
  await at("12:01:00");
  const ofSpot = { account: "main", dataset: "spot-assets" };
  expect(await valuesOf("rate_limited_total", ofSpot)).toEqual([1]);
  expect(await valuesOf("retries_total", ofSpot)).toEqual([1]);
  expect(await valuesOf("rate_limited_total", ofPositions)).toEqual([0]);
});

it("leaves out what is unknown", async () => {
  await world.tick();
  expect(await valuesOf("snapshot_age_seconds")).toEqual([]);
  expect(await valuesOf("clock_offset_seconds", { account: "main" })).toEqual([]);
  await at("12:01:00");
  const [age] = await valuesOf("snapshot_age_seconds", ofPositions);
  expect(age).toBeGreaterThan(0);
  expect(age).toBeLessThan(5);
  const [offset] = await valuesOf("clock_offset_seconds", { account: "main" });
  expect(Math.abs(offset ?? Number.NaN)).toBeLessThan(1);
});

it("exports the clock offset of the exchange, which a run records with the opposite sign", async () => {
  world.exchange.clockSkewMs = 20_000;
  await at("12:01:00");
  const [offset = Number.NaN] = await valuesOf("clock_offset_seconds", { account: "main" });
  const rows = world.rows("select skew_ms from runs where account = 'main' and requests > 0") as { skew_ms: number }[];
  expect([Math.sign(offset), ...new Set(rows.map((row) => Math.sign(row.skew_ms)))]).toEqual([1, -1]);
});

it("exports the next slot, the request budget, file sizes and metrics of the process", async () => {
  await at("12:01:00");
  expect(await valuesOf("next_slot_timestamp_seconds", ofPositions)).toEqual([
    Date.parse("2026-03-01T12:02:00Z") / 1000,
  ]);
  const [budget] = await valuesOf("rate_budget_requests", { path: "/api/v2/mix/position/all-position" });
  expect(budget).toBeLessThanOrEqual(5);
  expect((await valuesOf("machine_rate_budget_requests"))[0]).toBeGreaterThan(100);
  expect((await valuesOf("database_bytes"))[0]).toBeGreaterThan(10_000);
  expect((await valuesOf("wal_bytes"))[0]).toBeGreaterThan(0);
  expect((await valuesOf("disk_free_bytes"))[0]).toBeGreaterThan(0);
  expect(await valuesOf("account_refused")).toEqual([0]);
  const names = (await samples()).map(({ name }) => name);
  expect(names).toContain("nodejs_eventloop_lag_p99_seconds");
  expect(names).toContain("process_start_time_seconds");
});

it("exports that an account with a write key is refused", async () => {
  await live({ ...classic, permissions: "trade" });
  await at("12:01:00").catch(() => {});
  expect(await valuesOf("account_refused")).toEqual([1]);
});

describe("a dataset that freezes", () => {
  const freeze = () =>
    world.exchange.injectFault({ path: "/api/v2/mix/position", hang: true, times: Number.POSITIVE_INFINITY });

  it("is stale after two periods in metrics and status, while the others stay fresh", async () => {
    await at("12:01:00");
    await at("12:02:00");
    freeze();
    await at("12:03:00");
    await at("12:04:00");
    expect(await valuesOf("fresh", ofPositions)).toEqual([0]);
    expect(await valuesOf("fresh")).toEqual(snapshotNames.map((name) => (name === "positions" ? 0 : 1)));
    const stale = withHistory(world.path, (history) => history.status(world.clock.now())).filter(({ fresh }) => !fresh);
    expect(stale).toMatchObject([
      { ...ofPositions, lastOkAt: Date.parse("2026-03-01T12:02:00Z"), staleAt: Date.parse("2026-03-01T12:04:00Z") },
    ]);
    expect(await valuesOf("runs_total", { account: "main", dataset: "equity", state: "ok" })).toEqual([4]);
  });
});

/** CPU time of the metrics, in microseconds. The cheapest of many says what they cost; the others also how busy the machine is. */
async function cost(): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 40; n++) {
    const begin = process.cpuUsage();
    await world.metrics.text();
    const { user, system } = process.cpuUsage(begin);
    times.push(user + system);
  }
  return Math.min(...times);
}

/** Makes the gaps fit runs that were written past the ledger. */
function fillGapsAgain(): void {
  const sqlite = new Database(world.path);
  sqlite.exec("delete from gap");
  fillGaps(sqlite);
  sqlite.close();
}

it("takes no longer when none of the last hundred thousand slots is complete", async () => {
  await at("12:01:00");
  const before = await cost();
  change(
    world.path,
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
     insert into run (series_id, slot, state) select s.id, r.slot + 1000 * i, 'partial' from n, series s
     join run r on r.series_id = s.id where s.dataset = 'positions'`,
  );
  fillGapsAgain();
  world.clock.advanceTo(Date.parse("2026-03-03T12:01:00Z"));
  expect((await cost()) / before).toBeLessThan(10);
  expect((await valuesOf("snapshot_age_seconds", ofPositions))[0]).toBeCloseTo(172_800, -1);
});
