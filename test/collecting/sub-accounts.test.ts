/** Sub-accounts collected with the key of their main account, from the real client to the database. */
import { setTimeout as pause } from "node:timers/promises";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { datasets, snapshotDatasetNamed } from "../../src/datasets/index.ts";
import type { SimulatedAccount, SimulatedSubAccount } from "../../src/simulator/simulator.ts";
import { replay } from "../../src/store/responses/replay.ts";
import { verify } from "../../src/store/verify/verify.ts";
import { classic, credentials } from "../support/settings.ts";
import { expectTruth } from "../support/truth.ts";
import { createWorld, type World } from "../support/world.ts";

const spot = "/api/v2/spot/account/subaccount-assets";
const futures = "/api/v2/mix/account/sub-account-assets";

const sub = (uid: string, more: Partial<SimulatedSubAccount> = {}): SimulatedSubAccount => ({
  uid,
  name: `sub${uid}`,
  mode: "classic",
  ...more,
});

/** A main account with these sub-accounts, which the test may change. */
const mainWith = (...subAccounts: SimulatedSubAccount[]) => ({
  ...classic,
  addresses: "127.0.0.1",
  subAccounts,
});

/** Hourly, and with time for the pauses between requests. */
const hourly = {
  SUB_ACCOUNTS_OF: "main",
  SCHEDULE_SUB_ACCOUNTS: "0 * * * *",
  RUN_DEADLINE_SECONDS: "3500",
  BITGET_PRODUCT_TYPES: "umcbl,dmcbl,sumcbl",
};

const open = (account: SimulatedAccount, settings: Record<string, string> = {}): Promise<World> =>
  createWorld(
    "2026-03-01T09:30:00Z",
    { ...hourly, ...credentials(account), ...settings },
    // Two days of history: sixty accounts with a month each take seconds.
    { accounts: [account], from: Date.parse("2026-02-27T00:00:00Z") },
  );

/** Advances to a time, and lets time pass until everything that is due then is done. */
async function through(world: World, instant: string): Promise<void> {
  world.clock.advanceTo(Date.parse(instant));
  world.scheduler.tick();
  let isDone = false;
  const done = world.scheduler.idle().then(() => {
    isDone = true;
  });
  while (!isDone) {
    await pause(2);
    world.clock.advanceTo(world.clock.now() + 500);
  }
  await done;
  // Sub-accounts that were found last have their schedule from now on.
  await world.tick();
}

const allRuns = `select account || ' ' || dataset || ' ' || substr(scheduled_for, 12, 5) || ' ' || state || coalesce(' ' || cause, '') as run
  from runs order by account, dataset, scheduled_for`;
const runsOf = (world: World) => world.rows(allRuns).map((row) => (row as { run: string }).run);

/** Compares every row of the views with what the exchange sent; returns the number of rows. */
function comparedRows({ path, exchange }: World): number {
  const database = new Database(path, { readonly: true });
  try {
    return expectTruth(database, exchange.record);
  } finally {
    database.close();
  }
}

const hours = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `${String(from + at).padStart(2, "0")}:00`);

it("are collected from the slot after the first sight until two lists leave them out, each digit as sent", async () => {
  const account = mainWith(sub("101"), sub("102", { isEmpty: true }), sub("103", { type: "common" }));
  const world = await open(account);
  await through(world, "2026-03-01T09:31:00Z");
  await through(world, "2026-03-01T10:00:00Z");
  account.subAccounts.splice(0, 1);
  account.subAccounts.push(sub("104"));
  for (const hour of [11, 12, 13]) await through(world, `2026-03-01T${hour}:00:00Z`);
  account.subAccounts.push(sub("101"));
  for (const hour of [14, 15]) await through(world, `2026-03-01T${hour}:00:00Z`);

  const series = (name: string, from: number, to: number, mix: string, spot = mix) => [
    ...hours(from, to).map((at) => `main/${name} mix-accounts ${at} ${mix}`),
    ...hours(from, to).map((at) => `main/${name} spot-assets ${at} ${spot}`),
  ];
  expect(runsOf(world)).toEqual([
    "main/101 mix-accounts 10:00 ok",
    ...hours(11, 12).map((at) => `main/101 mix-accounts ${at} failed unknown`),
    "main/101 mix-accounts 15:00 ok",
    "main/101 spot-assets 10:00 ok",
    ...hours(11, 12).map((at) => `main/101 spot-assets ${at} skipped not offered`),
    "main/101 spot-assets 15:00 ok",
    ...series("102", 10, 15, "skipped not offered"),
    // The list of v2 does not contain it, but the responses do.
    ...series("103", 11, 15, "ok"),
    ...series("104", 12, 15, "ok"),
  ]);
  expect(comparedRows(world)).toBeGreaterThan(60);
  // Writes the raw responses that are waiting. They contain all sub-accounts; each snapshot can be parsed from its part again.
  await world.restart();
  const outcomes = (name: string) =>
    [...replay(world.path, snapshotDatasetNamed(name), 0)].map(({ outcome }) => outcome);
  expect(new Set(outcomes("spot-assets"))).toEqual(new Set(["same"]));
  expect(new Set(outcomes("mix-accounts"))).toEqual(new Set(["same", "other failure"]));
  // Demo product types are not requested.
  expect(new Set(world.exchange.record.map(({ scope }) => scope))).toEqual(new Set([null, "umcbl", "dmcbl"]));
  const at = world.exchange.record.filter((one) => one.dataset === "mix-accounts").map(({ takenAt }) => takenAt);
  const times = [...new Set(at)].sort();
  expect(Math.min(...times.slice(1).map((time, n) => time - (times[n] ?? 0)))).toBeGreaterThanOrEqual(10_000);
  expect(world.exchange.counts.limitViolations).toBe(0);
  expect((await verify(world.path, datasets)).problems).toEqual([]);
});

it("are read page by page; those before a page that fails are stored, the others are unknown", async () => {
  const account = mainWith(...Array.from({ length: 60 }, (_, at) => sub(String(201 + at))));
  const world = await open(account, { BITGET_PRODUCT_TYPES: "umcbl" });
  await through(world, "2026-03-01T09:31:00Z");
  await through(world, "2026-03-01T10:00:00Z");
  // The second page begins behind the fiftieth of 60.
  world.exchange.injectFault({ path: spot, params: { idLessThan: "1010" }, code: "40014", times: 1 });
  await through(world, "2026-03-01T11:00:00Z");

  const states = `select substr(scheduled_for, 12, 5) || ' ' || state || coalesce(' ' || cause, '') as run, count(*) as count
    from runs where dataset = 'spot-assets' group by 1 order by 1`;
  expect(world.rows(states)).toEqual([
    { run: "10:00 ok", count: 60 },
    { run: "11:00 failed 40014", count: 10 },
    { run: "11:00 ok", count: 50 },
  ]);
  // One request a page, whichever run sends it.
  expect(world.rows("select sum(requests) as sum from runs where dataset = 'spot-assets'")).toEqual([{ sum: 2 + 2 }]);
  expect(comparedRows(world)).toBeGreaterThan(700);
  expect(world.exchange.counts.limitViolations).toBe(0);
});

it("that are in no list continue without a break when they are in a response again", async () => {
  const common = sub("103", { type: "common" });
  const world = await open(mainWith(sub("102", { isEmpty: true }), common), { BITGET_PRODUCT_TYPES: "umcbl" });
  await through(world, "2026-03-01T09:31:00Z");
  for (const hour of [10, 11, 12, 13, 14]) {
    common.isEmpty = hour === 12;
    await through(world, `2026-03-01T${hour}:00:00Z`);
  }

  const states = ["11:00 ok", "12:00 skipped not offered", "13:00 ok", "14:00 ok"];
  expect(runsOf(world).filter((run) => run.startsWith("main/103 spot-assets"))).toEqual(
    states.map((state) => `main/103 spot-assets ${state}`),
  );
  const schedules = "select count(*) as count from schedules where account = 'main/103' and dataset = 'spot-assets'";
  expect(world.rows(schedules)).toEqual([{ count: 1 }]);
  expect((await verify(world.path, datasets)).problems).toEqual([]);
});

it("that are in no list are not given up while the responses cannot be read", async () => {
  const world = await open(mainWith(sub("103", { type: "common" }), sub("102", { isEmpty: true })), {
    BITGET_PRODUCT_TYPES: "umcbl",
  });
  await through(world, "2026-03-01T09:31:00Z");
  for (const hour of [10, 11]) await through(world, `2026-03-01T${hour}:00:00Z`);
  for (const path of [spot, futures])
    world.exchange.injectFault({ path, code: "40014", times: Number.POSITIVE_INFINITY });
  for (const hour of [12, 13, 14]) await through(world, `2026-03-01T${hour}:00:00Z`);
  world.exchange.clearFaults();
  for (const hour of [15, 16]) await through(world, `2026-03-01T${hour}:00:00Z`);

  expect(runsOf(world).filter((run) => run.startsWith("main/103 spot-assets"))).toEqual([
    "main/103 spot-assets 11:00 ok",
    ...hours(12, 14).map((at) => `main/103 spot-assets ${at} failed 40014`),
    ...hours(15, 16).map((at) => `main/103 spot-assets ${at} ok`),
  ]);
});

it("that a response leaves out once are looked for again in the same slot", async () => {
  const world = await open(mainWith(sub("101"), sub("102")), { BITGET_PRODUCT_TYPES: "umcbl" });
  await through(world, "2026-03-01T09:31:00Z");
  await through(world, "2026-03-01T10:00:00Z");
  for (const path of [spot, futures])
    world.exchange.injectFault({ path, edit: (envelope) => ({ ...(envelope as object), data: [] }) });
  await through(world, "2026-03-01T11:00:00Z");

  expect(runsOf(world).filter((run) => !run.endsWith(" ok"))).toEqual([]);
  expect(world.exchange.pendingFaults()).toBe(0);
});

it.each([
  ["twice in a response", (row: object) => [row, row], "shape"],
  ["without a user id", (row: object) => [{ ...row, userId: "main" }], "shape"],
])("%s are unknown, not guessed", async (_, edit, cause) => {
  const world = await open(mainWith(sub("101")), { BITGET_PRODUCT_TYPES: "umcbl" });
  await through(world, "2026-03-01T09:31:00Z");
  world.exchange.injectFault({
    path: spot,
    edit: (envelope) => ({ ...(envelope as object), data: (envelope as { data: object[] }).data.flatMap(edit) }),
  });
  await through(world, "2026-03-01T10:00:00Z");

  expect(runsOf(world)).toEqual(["main/101 mix-accounts 10:00 ok", `main/101 spot-assets 10:00 failed ${cause}`]);
});

it("go on after a restart, also while the list cannot be read, until the settings no longer name the main account", async () => {
  const world = await open(mainWith(sub("101")), { BITGET_PRODUCT_TYPES: "umcbl" });
  await through(world, "2026-03-01T09:31:00Z");
  await through(world, "2026-03-01T10:00:00Z");
  world.exchange.injectFault({ path: "/api/v2/user/virtual-subaccount-list", code: "40014", times: 2 });
  await world.restart();
  await through(world, "2026-03-01T11:00:00Z");
  await world.restart({ ...hourly, SUB_ACCOUNTS_OF: "", ...credentials(classic) });
  await through(world, "2026-03-01T12:00:00Z");
  await through(world, "2026-03-01T13:00:00Z");

  expect(runsOf(world)).toEqual([
    ...hours(10, 11).map((at) => `main/101 mix-accounts ${at} ok`),
    ...hours(10, 11).map((at) => `main/101 spot-assets ${at} ok`),
  ]);
  expect(world.rows("select count(*) as inForce from schedules where until is null")).toEqual([{ inForce: 0 }]);
  expect((await verify(world.path, datasets)).problems).toEqual([]);
});

it("of a unified main account share the responses of both datasets; classic ones are not collected", async () => {
  const many = Array.from({ length: 60 }, (_, at) => sub(String(301 + at), { mode: "unified" }));
  const account = {
    ...mainWith(...many, sub("400"), sub("401", { mode: "unified", isEmpty: true })),
    mode: "unified" as const,
  };
  const world = await open(account);
  await through(world, "2026-03-01T09:31:00Z");
  await through(world, "2026-03-01T10:00:00Z");

  const states =
    "select dataset, state, count(*) as count, sum(requests) as requests from runs group by 1, 2 order by 1";
  expect(world.rows(states)).toEqual([
    { dataset: "mix-accounts", state: "ok", count: 61, requests: 0 },
    { dataset: "spot-assets", state: "ok", count: 61, requests: 2 },
  ]);
  expect(comparedRows(world)).toBeGreaterThan(600);
  expect(world.rows("select rows from runs where account = 'main/401' order by dataset")).toEqual([
    { rows: 0 },
    { rows: 0 },
  ]);
  expect(world.exchange.counts.limitViolations).toBe(0);
});

it("follow the upgrade of their main account in the same slot", async () => {
  const account = mainWith(sub("101"));
  const world = await open(account);
  await through(world, "2026-03-01T09:31:00Z");
  await through(world, "2026-03-01T10:00:00Z");
  world.exchange.upgrade("main");
  for (const one of account.subAccounts) one.mode = "unified";
  await through(world, "2026-03-01T11:00:00Z");
  await through(world, "2026-03-01T12:00:00Z");

  expect(runsOf(world).filter((run) => !run.endsWith(" ok"))).toEqual([]);
  expect(world.rows("select api from account_modes where account = 'main/101' order by since")).toEqual([
    { api: "v2" },
    { api: "v3" },
  ]);
  const latest = "select distinct product_type from mix_accounts_latest where account = 'main/101'";
  expect(world.rows(latest)).toEqual([{ product_type: "unified" }]);
  expect(comparedRows(world)).toBeGreaterThan(20);
});

it("fail with the reason for which the key of their main account is not used", async () => {
  const world = await open(mainWith(sub("101")), { BITGET_PRODUCT_TYPES: "umcbl" });
  await through(world, "2026-03-01T09:31:00Z");
  world.exchange.permit("main", "trade");
  await world.restart();
  await through(world, "2026-03-01T10:00:00Z").catch(() => {});

  expect(runsOf(world)).toEqual([
    "main/101 mix-accounts 10:00 failed write-key",
    "main/101 spot-assets 10:00 failed write-key",
  ]);
});
