/** The real daemon as a child process, over real HTTP, with every kind of account. */
import { renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { expect, it, onTestFinished } from "vitest";
import type { SimulatorOptions } from "../../src/simulator/simulator.ts";
import { serve } from "../../src/web/server.ts";
import { openSite } from "../../src/web/site.ts";
import { endpointIn, snapshotNames } from "../support/declared.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { fetchPage } from "../support/http.ts";
import { type Running, start } from "../support/program.ts";
import { classic, credentials, everyDataset } from "../support/settings.ts";
import { expectTruth } from "../support/truth.ts";
import { until } from "../support/wait.ts";

/** The period of every schedule, long enough for a run on a busy machine, ms. */
const period = 5000;

async function begin(options: Partial<SimulatorOptions>, env: Record<string, string> = {}) {
  const simulator = await startExchange({ accounts: [classic], ...options });
  onTestFinished(() => simulator.close());
  const directory = temporaryFolder();
  const daemon = start(["start"], directory, {
    ...credentials(classic),
    BITGET_BASE_URL: simulator.url,
    ...everyDataset("*/5 * * * * *"),
    ...env,
  });
  await daemon.printed("collecting main");
  /** Resolves when every dataset has finished `count` more runs. */
  async function runs(count: number): Promise<void> {
    const ends = (dataset: string) => daemon.output().stderr.split(`"dataset":"${dataset}","slot":`).length - 1;
    const before = snapshotNames.map(ends);
    await until(() => snapshotNames.every((dataset, n) => ends(dataset) >= (before[n] ?? 0) + count));
  }
  return { simulator, daemon, runs, path: join(directory, "data", "collector.db") };
}

async function end(running: Running): Promise<string> {
  running.child.kill("SIGTERM");
  const finished = await running.finished;
  expect(finished.stderr).toContain('"msg":"stopped"');
  expect(finished.code).toBe(0);
  return finished.stderr;
}

interface RunRow {
  account: string;
  dataset: string;
  scheduled_for: string;
  state: string;
  cause: string | null;
}

/** Expects exactly one run for every slot from the first to the last of every dataset, and none in state running. */
function expectLedger(database: Database.Database): RunRow[] {
  const runs = database.prepare("select * from runs order by account, dataset, scheduled_for").all() as RunRow[];
  const series = new Map<string, number[]>();
  for (const run of runs) {
    const name = `${run.account} ${run.dataset}`;
    series.set(name, [...(series.get(name) ?? []), Date.parse(run.scheduled_for)]);
  }
  expect(series.size).toBe(snapshotNames.length);
  for (const [name, slots] of series) {
    const first = slots[0] ?? 0;
    expect(slots, name).toEqual(slots.map((_, n) => first + n * period));
  }
  expect(runs.filter((run) => run.state === "running")).toEqual([]);
  return runs;
}

it.each([
  ["v1", { v1: true }, { BITGET_API_VERSION: "v1" }],
  ["v2", {}, {}],
  ["v3", { accounts: [{ ...classic, mode: "unified" as const }] }, {}],
] as const)("stores exactly what the exchange sent, for a %s account", async (api, options, env) => {
  const { simulator, daemon, runs: ended, path } = await begin(options, env);
  await ended(2);
  await end(daemon);
  const database = new Database(path, { readonly: true });
  expect(expectTruth(database, simulator.record, api === "v2" ? [] : ["equity"])).toBeGreaterThan(50);
  const runs = expectLedger(database);
  const states = new Set(runs.map(({ dataset, state, cause }) => `${dataset} ${state} ${cause}`));
  for (const name of snapshotNames) {
    expect([...states]).toContain(endpointIn(name, api) ? `${name} ok null` : `${name} skipped not offered`);
  }
  expect(runs.filter((run) => run.state === "failed" || run.state === "partial")).toEqual([]);
  expect(simulator.counts).toMatchObject({ badSignatures: 0, limitViolations: 0 });
});

it("continues under the same account name when a classic account is upgraded to unified", async () => {
  const { simulator, daemon, runs: ended, path } = await begin({});
  await ended(1);
  simulator.upgrade("main");
  await daemon.printed("uses API v3 (the exchange reported a changed account mode)");
  await ended(1);
  await end(daemon);
  const database = new Database(path, { readonly: true });
  expect(expectTruth(database, simulator.record, ["equity"])).toBeGreaterThan(50);
  const runs = expectLedger(database);
  expect(runs.filter((run) => run.state === "failed" || run.state === "partial")).toEqual([]);
  const types = database.prepare("select distinct product_type from mix_accounts_history order by 1").pluck().all();
  expect(types).toContain("umcbl");
  expect(types).toContain("unified");
  expect(database.prepare("select distinct product_type from mix_accounts_latest").pluck().all()).toEqual(["unified"]);
  expect(database.prepare("select distinct account from spot_assets_history").pluck().all()).toEqual(["main"]);
  expect(database.prepare("select api from account_mode order by id").pluck().all()).toEqual(["v2", "v3"]);
});

it("keeps what succeeded and reports the product type that failed", async () => {
  const { simulator, daemon, runs: ended, path } = await begin({});
  simulator.injectFault({
    path: "/api/v2/mix/position/all-position",
    params: { productType: "COIN-FUTURES" },
    times: Number.POSITIVE_INFINITY,
    status: 400,
    code: "40034",
    message: `no such thing ${classic.secret}`,
  });
  await ended(1);
  const log = await end(daemon);
  const database = new Database(path, { readonly: true });
  const failed = database
    .prepare("select distinct dataset, product_type, state, error_code, rows from snapshots where state = 'failed'")
    .all();
  expect(failed).toEqual([
    { dataset: "positions", product_type: "dmcbl", state: "failed", error_code: "40034", rows: 0 },
  ]);
  const states = database
    .prepare("select distinct state from runs where dataset = 'positions' and state <> 'missed'")
    .pluck()
    .all();
  expect(states).toEqual(["partial"]);
  expect(
    database.prepare("select count(*) from positions_latest where product_type = 'umcbl'").pluck().get(),
  ).toBeGreaterThan(0);
  const messages = database
    .prepare("select error_message from snapshots where error_message is not null")
    .pluck()
    .all();
  expect(`${messages.join()}${log}`).not.toContain(classic.secret);
  expect(expectTruth(database, simulator.record)).toBeGreaterThan(20);
});

it("ten minutes after SIGKILL every page shows what was last known, why, and since when", async () => {
  const { daemon, runs: ended, path } = await begin({});
  await ended(2);
  daemon.child.kill("SIGKILL");
  await daemon.finished;
  const database = new Database(path, { readonly: true });
  const newest = Number(database.prepare("select max(scheduled_for_ms) from runs where state = 'ok'").pluck().get());
  const site = openSite({ databasePath: path, timezone: "UTC", sqlTimeoutSeconds: 10 }, null);
  onTestFinished(() => site.close());
  const place = { host: "127.0.0.1", port: 0, token: null, names: [] };
  let now = newest + 1000;
  const { url, close } = await serve({ ...site, now: () => now }, place, (problem) =>
    expect.unreachable(String(problem)),
  );
  onTestFinished(close);

  const count = (page: string, what: RegExp) => (page.match(what) ?? []).length;
  for (const path of ["", "positions", "balances", "collection", "?account=main", "balances?by=wallet"]) {
    now = newest + 1000;
    const before = await (await fetchPage(new URL(path, url))).text();
    now = newest + 600_000;
    const page = await (await fetchPage(new URL(path, url))).text();
    const time = new Date(newest).toISOString().slice(11, 16);
    expect(page, path).toMatch(new RegExp(`class="pill stopped".*Stopped <time[^>]*>${time}<`));
    expect(count(page, /The collector is not running\./g), path).toBe(1);
    // The history is too short for changes and results; those were unknown before.
    const unknown = count(page, /class="unknown"/g) - count(before, /class="unknown"/g);
    expect(unknown, path).toBeLessThanOrEqual(2);
    expect(before, path).not.toContain('class="last-known');
    expect(page, path).not.toContain("No gaps");
    if (path !== "collection") expect(count(page, /last-known/g), path).toBeGreaterThan(3);
  }
  // What was last known is exactly what the database has.
  const [held] = database
    .prepare("select available from spot_assets_history order by taken_at desc, coin")
    .pluck()
    .all();
  expect(await (await fetchPage(new URL("balances?by=wallet", url))).text()).toContain(`value="${held}"`);
});

it("responds at once when the clock is suddenly a year ahead, and continues when it is right again", async () => {
  const offset = join(temporaryFolder(), "offset");
  const set = (ms: number) => {
    writeFileSync(`${offset}.new`, String(ms));
    renameSync(`${offset}.new`, offset);
  };
  const { daemon, path } = await begin(
    {},
    {
      NODE_OPTIONS: `--require ${resolve("test/support/clock-shim.cjs")}`,
      CLOCK_OFFSET_FILE: offset,
      ...everyDataset("*/5 * * * *"),
      SCHEDULE_SPOT_ASSETS: "* * * * * *",
    },
  );
  await daemon.printed("main spot-assets ok");
  set(366 * 86_400_000);
  await daemon.printed("set this machine's clock");
  set(0);
  const rightAgain = Date.now();
  const database = new Database(path, { readonly: true });
  const ends = database
    .prepare("select count(*) from runs where state = 'ok' and scheduled_for_ms > ? and scheduled_for_ms < ? + 3600000")
    .pluck();
  await until(() => Number(ends.get(rightAgain, rightAgain)) >= 2);
  await end(daemon);
  expect(database.prepare("select max(scheduled_for_ms) from runs").pluck().get()).toBeLessThanOrEqual(Date.now());
});
