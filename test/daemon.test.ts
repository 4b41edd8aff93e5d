/** The real daemon as a child process, over real HTTP, in each situation an account can be in. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, expect, it } from "vitest";
import { systemClock } from "../src/clock.ts";
import { datasetNames } from "../src/domain.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../src/simulator/simulator.ts";
import { type Running, start, temporaryFolder } from "./support/program.ts";
import { expectTruth } from "./support/truth.ts";

const key = {
  key: "bg_canary0123456789abcdef0123456789",
  secret: "canary-secret-5f4dcc3b5aa765d61d8327deb882cf99",
  passphrase: "canary-Correct-Horse-9",
};

let simulator: Simulator | undefined;
let daemon: Running | undefined;

afterEach(async () => {
  daemon?.child.kill("SIGKILL");
  await simulator?.close();
});

const everySecond = Object.fromEntries(
  datasetNames.map((name) => [`SCHEDULE_${name.toUpperCase().replaceAll("-", "_")}`, "* * * * * *"]),
);

async function begin(options: Partial<SimulatorOptions>, env: Record<string, string> = {}) {
  const account = { name: "main", ...key, mode: "classic" as const };
  simulator = await startSimulator({ clock: systemClock, accounts: [account], ...options });
  const directory = temporaryFolder();
  daemon = start(["start"], directory, {
    BITGET_API_KEY: key.key,
    BITGET_API_SECRET: key.secret,
    BITGET_API_PASSPHRASE: key.passphrase,
    BITGET_BASE_URL: simulator.url,
    ...everySecond,
    ...env,
  });
  await daemon.printed("collecting main");
  return { simulator, daemon, path: join(directory, "data", "collector.db") };
}

const seconds = (n: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, n * 1000));

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

/** Every second from the first to the last slot of every dataset has exactly one run, and nothing is left running. */
function expectLedger(database: Database.Database): RunRow[] {
  const runs = database.prepare("select * from runs order by account, dataset, scheduled_for").all() as RunRow[];
  const series = new Map<string, number[]>();
  for (const run of runs) {
    const name = `${run.account} ${run.dataset}`;
    series.set(name, [...(series.get(name) ?? []), Date.parse(run.scheduled_for)]);
  }
  for (const [name, slots] of series) {
    const first = slots[0] ?? 0;
    expect(slots, name).toEqual(slots.map((_, n) => first + n * 1000));
  }
  expect(runs.filter((run) => run.state === "running")).toEqual([]);
  return runs;
}

it.each([
  ["v1", { v1: true }, { BITGET_API_VERSION: "v1" }],
  ["v2", {}, {}],
  ["v3", { accounts: [{ name: "main", ...key, mode: "unified" as const }] }, {}],
] as const)("stores of a %s account exactly what the exchange told", async (api, options, env) => {
  const { simulator, daemon, path } = await begin(options, env);
  await seconds(6);
  await end(daemon);
  const database = new Database(path, { readonly: true });
  expect(expectTruth(database, simulator.record)).toBeGreaterThan(50);
  const runs = expectLedger(database);
  const states = new Set(runs.map(({ dataset, state, cause }) => `${dataset} ${state} ${cause}`));
  for (const name of datasetNames) {
    const offered = !(api === "v1" && name === "funding-assets");
    expect([...states]).toContain(offered ? `${name} ok null` : `${name} skipped not offered`);
  }
  expect(runs.filter((run) => run.state === "failed" || run.state === "partial")).toEqual([]);
  expect(simulator.counts).toMatchObject({ badSignatures: 0, limitViolations: 0 });
});

it("goes on under the same account when a classic account becomes a unified one", async () => {
  const { simulator, daemon, path } = await begin({});
  await seconds(4);
  simulator.upgrade("main");
  await daemon.printed("speaks v3 (the exchange said the mode changed)");
  await seconds(4);
  await end(daemon);
  const database = new Database(path, { readonly: true });
  expect(expectTruth(database, simulator.record)).toBeGreaterThan(50);
  const runs = expectLedger(database);
  expect(runs.filter((run) => run.state === "failed" || run.state === "partial")).toEqual([]);
  const types = database.prepare("select distinct product_type from mix_accounts_history order by 1").pluck().all();
  expect(types).toContain("umcbl");
  expect(types).toContain("unified");
  expect(database.prepare("select distinct product_type from mix_accounts_latest").pluck().all()).toEqual(["unified"]);
  expect(database.prepare("select distinct account from spot_assets_history").pluck().all()).toEqual(["main"]);
  expect(database.prepare("select api from account_mode order by id").pluck().all()).toEqual(["v2", "v3"]);
});

it("keeps what succeeded and says which product type failed", async () => {
  const { simulator, daemon, path } = await begin({});
  simulator.misbehave({
    path: "/api/v2/mix/position/all-position",
    params: { productType: "COIN-FUTURES" },
    times: Number.POSITIVE_INFINITY,
    status: 400,
    code: "40034",
    message: `no such thing ${key.secret}`,
  });
  await seconds(4);
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
  expect(`${messages.join()}${log}`).not.toContain(key.secret);
  expect(expectTruth(database, simulator.record)).toBeGreaterThan(20);
});
