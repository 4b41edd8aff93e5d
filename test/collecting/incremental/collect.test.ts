/** Runs of an incremental dataset against the exchange's ledger: everything is stored, each entry once, whatever happens on the way. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { collect } from "../../../src/collecting/collect.ts";
import { Scheduler } from "../../../src/collecting/scheduler.ts";
import { parsePattern } from "../../../src/core/cron.ts";
import type { RunState } from "../../../src/core/domain.ts";
import { createLog } from "../../../src/core/log.ts";
import type { IncrementalDataset } from "../../../src/datasets/incremental.ts";
import { random } from "../../../src/simulator/market/random.ts";
import type { Bill, Fault } from "../../../src/simulator/simulator.ts";
import { openHistory, withHistory } from "../../../src/store/read/open-history.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { change } from "../../store/kit.ts";
import { billAt, bills, billsPath, billsWithCursor } from "../../support/bills.ts";
import { temporaryFolder } from "../../support/files.ts";
import { until } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const start = Date.parse("2026-10-20T10:00:30Z");
const minute = 60_000;
const day = 1440 * minute;
const deadline = 20_000;
const settings = { BITGET_PRODUCT_TYPES: "umcbl", RUN_DEADLINE_SECONDS: String(deadline / 1000) };

/**
 * Entries of each window of 30 days, in days before the start: one by one; in threes of one millisecond; seven of one millisecond. Each
 * has one full page, whose last entry has such a twin on the next one.
 */
const ledger: readonly Bill[] = [89, 85, 81, 77, 73, 69, 50, 50, 50, 40, 40, 40, 9, 9, 9, 9, 9, 9, 9].map((days, at) =>
  billAt(start - days * day, at),
);

/** Requests of a first run: two pages of each window, behind one for the mode of the account and one for what its key may do. */
const requests = 2 + 6;

async function createLedger(entries: readonly Bill[] = ledger, more: Record<string, string> = {}): Promise<World> {
  const world = await createWorld(new Date(start).toISOString(), { ...settings, ...more });
  world.exchange.bills.push(...entries);
  return world;
}

interface Options {
  dataset?: IncrementalDataset;
  /** Takes the warnings. */
  warnings?: string[];
}

/** Runs the slot `minutes` after the start. */
function run(
  world: World,
  minutes: number,
  { dataset = bills, warnings = [] }: Options = {},
): Promise<RunState | null> {
  const { deps, sessions } = world.app;
  const [session] = sessions;
  if (!session) throw new Error("there is no session");
  const slot = start + minutes * minute;
  world.clock.advanceTo(slot);
  const write = (line: string) => warnings.push(JSON.parse(line).msg);
  const log = createLog({ level: "warn", format: "json", secrets: [], write });
  return collect({ dataset, session, slot, trigger: "schedule" }, { ...deps, log, datasets: [dataset] });
}

const query = "select bill_id, at_ms, type, coin, amount, fee, balance, version from bills order by bill_id, version";
const stored = (world: World): unknown[] => world.rows(query);

/** The rows that a faithful record of these entries has. */
const rowsOf = (entries: readonly Bill[]): unknown[] =>
  entries
    .map(({ row: { billId, cTime, businessType, coin, amount, fee, balance } }) => ({
      bill_id: billId,
      at_ms: Number(cTime),
      type: businessType,
      coin,
      amount,
      fee,
      balance,
      version: 0,
    }))
    .sort((one, other) => (one.bill_id < other.bill_id ? -1 : 1));

const runs = "select state, cause, rows from runs order by run_id";
const readings = "select * from reading order by snapshot_id";
const asIs = (envelope: unknown): unknown => envelope;
type Envelope = { data: { bills: Bill["row"][]; endId?: string } };

/** Lets `count` pages pass; `fault` befalls the next one. */
function befall(world: World, count: number, fault: Fault): void {
  if (count > 0) world.exchange.injectFault({ path: billsPath, times: count, edit: asIs });
  world.exchange.injectFault({ path: billsPath, ...fault });
}

it("a first run reads all that the exchange remembers, and names the time before", async () => {
  const world = await createLedger();
  const windows: unknown[] = [];
  world.app.observers.push({ onWindow: (...of) => windows.push(of) });
  expect(await run(world, 1)).toBe("ok");
  expect(stored(world)).toEqual(rowsOf(ledger));
  expect(world.rows("select requests from runs")).toEqual([{ requests }]);
  expect(world.exchange.counts.limitViolations).toBe(0);
  const [reading] = world.rows(readings) as Record<string, number>[];
  expect(reading).toMatchObject({ hole_from: 0, window_from: null, window_to: null, cursor: null });
  expect(windows).toEqual([1, 2, 3].map((done) => ["main", "bills", "umcbl", done, 3]));
  const minutesOff = (instant: number | undefined, expected: number) => Math.abs((instant ?? 0) - expected) / minute;
  expect(minutesOff(reading?.through, start + minute)).toBeLessThan(1);
  expect(minutesOff(reading?.hole_to, start - 90 * day)).toBeLessThan(5);
});

describe.each([0, 1, 2, 3, 4, 5])("at page %i of a first run", (page) => {
  it("a kill causes no lost and no duplicate record", async () => {
    const world = await createLedger();
    befall(world, page, { hang: true });
    const going = run(world, 1);
    await until(() => world.exchange.pendingFaults() === 0);
    // The files as a kill leaves them, for nothing is being written.
    const killed = join(temporaryFolder(), "collector.db");
    for (const part of ["", "-wal"]) copyFileSync(world.path + part, killed + part);
    world.clock.advanceTo(start + minute + deadline);
    await going;
    await world.restart({ ...settings, DATABASE_URL: `file:${killed}` });
    expect(await run(world, 3)).toBe("ok");
    const database = new Database(killed, { readonly: true });
    expect(database.prepare(query).all()).toEqual(rowsOf(ledger));
    expect(database.prepare(runs).all()).toEqual([
      { state: "failed", cause: "crashed", rows: 0 },
      { state: "ok", cause: null, rows: ledger.length },
    ]);
    database.close();
  });

  it("a deadline keeps the records that were read, and the next run continues after them", async () => {
    const world = await createLedger();
    befall(world, page, { hang: true });
    const going = run(world, 1);
    await until(() => world.exchange.pendingFaults() === 0);
    world.clock.advanceTo(start + minute + deadline);
    expect(await going).toBe(page === 0 ? "failed" : "partial");
    const before = stored(world).length;
    expect(before > 0).toBe(page > 0);
    expect(await run(world, 3)).toBe("ok");
    expect(stored(world)).toEqual(rowsOf(ledger));
    const [cut, rest] = world.rows("select requests, rows from runs order by run_id") as Record<string, number>[];
    expect([cut?.rows, rest?.rows]).toEqual([before, ledger.length - before]);
    // No page twice but the one that hung; the overlap with what was read is empty, and asked for twice.
    expect((cut?.requests ?? 0) + (rest?.requests ?? 0)).toBeLessThanOrEqual(requests + 3);
  });
});

const empty = (envelope: Envelope): Envelope => ({ ...envelope, data: { bills: [], endId: "" } });
const withoutCursor = (envelope: Envelope): Envelope => ({ ...envelope, data: { ...envelope.data, endId: "" } });

it.each([
  ["an empty answer where there is something", bills, empty],
  ["a response without the cursor, which is not needed", bills, withoutCursor],
  ["a full page without the cursor that it needs", billsWithCursor, withoutCursor],
] as const)("%s, at each page, loses nothing", async (_, dataset, change) => {
  const world = await createLedger();
  // Each page is sent right when it is asked for again.
  befall(world, 0, { edit: byTurns(change, (envelope) => envelope), times: Number.POSITIVE_INFINITY });
  expect(await run(world, 1, { dataset })).toBe("ok");
  expect(stored(world)).toEqual(rowsOf(ledger));
});

it("a missing cursor or a repeated page fails the run, and the watermark does not pass it", async () => {
  const faults: [IncrementalDataset, (envelope: unknown) => unknown][] = [
    [
      billsWithCursor,
      (envelope) => ({ ...(envelope as Envelope), data: { ...(envelope as Envelope).data, endId: "" } }),
    ],
    [billsWithCursor, byTurns(withoutCursor, empty)],
    [bills, repeated()],
  ];
  for (const [dataset, edit] of faults) {
    const world = await createLedger(ledger.slice(0, 12));
    befall(world, 2, { edit, times: Number.POSITIVE_INFINITY });
    expect(await run(world, 1, { dataset })).toBe("partial");
    const [reading] = world.rows(readings) as Record<string, number>[];
    expect(reading?.through).toBeLessThan(start - 55 * day);
    world.exchange.clearFaults();
    expect(await run(world, 3, { dataset })).toBe("ok");
    expect(stored(world)).toEqual(rowsOf(ledger.slice(0, 12)));
  }
});

const byTurns = (...changes: ((envelope: Envelope) => Envelope)[]): ((envelope: unknown) => unknown) => {
  let answers = 0;
  return (envelope) => changes[answers++ % changes.length]?.(envelope as Envelope);
};

/** Answers with the same page, whatever is asked for. */
function repeated(): (envelope: unknown) => unknown {
  let first: unknown = null;
  return (envelope) => {
    first ??= envelope;
    return first;
  };
}

it("entries that appear late are found by the overlap: of minutes by the next run, of days by the first of a day", async () => {
  const late = billAt(start + minute - 8000, 50, { visibleAt: start + 2 * minute });
  const veryLate = billAt(start - 2 * day, 51, { visibleAt: start + 5 * minute });
  const world = await createLedger([...ledger, late, veryLate]);
  await run(world, 1);
  expect(stored(world)).toEqual(rowsOf(ledger));
  await run(world, 6);
  expect(stored(world)).toEqual(rowsOf([...ledger, late]));
  await run(world, 1440);
  expect(stored(world)).toEqual(rowsOf([...ledger, late, veryLate]));
  expect(world.rows(runs)).toEqual([ledger.length, 1, 1].map((rows) => ({ state: "ok", cause: null, rows })));
});

it("an entry that has changed is stored in both versions, reported once, and not stored again", async () => {
  const world = await createLedger([billAt(start, 1)]);
  await run(world, 1);
  const [bill] = world.exchange.bills;
  const before = { ...bill?.row };
  if (bill) bill.row.amount = "-7.50";
  const warnings: string[] = [];
  for (const minutes of [2, 3]) expect(await run(world, minutes, { warnings })).toBe("ok");
  if (bill) Object.assign(bill.row, before);
  expect(await run(world, 4, { warnings })).toBe("ok");
  expect(world.rows("select amount, version from bills order by version")).toEqual([
    { amount: before.amount, version: 0 },
    { amount: "-7.50", version: 1 },
  ]);
  expect(warnings).toEqual([
    `the exchange sent 1 bills with changed content; both versions are stored: ${before.billId}`,
  ]);
});

it("a field that the exchange begins to send is stored of new entries, and makes no second version of the others", async () => {
  const world = await createLedger([billAt(start, 1)]);
  await run(world, 1);
  world.exchange.bills.push(billAt(start + minute, 2));
  for (const { row } of world.exchange.bills) row.reward = "0.10";
  await run(world, 2);
  expect(world.rows("select extra, version from bills order by bill_id")).toEqual([
    { extra: null, version: 0 },
    { extra: '{"reward":"0.10"}', version: 0 },
  ]);
});

it("a record with an unknown or empty type, or a missing field, is stored; one without an id is refused", async () => {
  const world = await createLedger([1, 2, 3].map((id) => billAt(start, id)));
  const [unknown, blank, short] = world.exchange.bills;
  if (unknown) unknown.row.businessType = "moon_dividend";
  if (blank) blank.row.businessType = "";
  if (short) delete (short.row as Record<string, unknown>).fee;
  const warnings: string[] = [];
  expect(await run(world, 1, { warnings })).toBe("ok");
  expect(world.rows("select type, fee from bills order by bill_id")).toEqual([
    { type: "moon_dividend", fee: "0" },
    { type: "", fee: "0" },
    { type: "contract_settle_fee", fee: null },
  ]);
  expect(warnings).toEqual(["the exchange omits a documented field: bills.fee; it is unknown"]);
  if (short) short.row.billId = "";
  expect(await run(world, 2)).toBe("failed");
  expect(world.rows("select error_message from snapshots where state = 'failed'")).toEqual([
    { error_message: `${billsPath}: data.bills[2].billId: is missing` },
  ]);
});

it("a category without permission is a gap with its cause, does not delay the others, and is read once permitted", async () => {
  const other = ledger.map((bill) => ({ ...bill, category: "USDC-FUTURES" }));
  const world = await createLedger([...ledger, ...other], { BITGET_PRODUCT_TYPES: "umcbl,cmcbl" });
  world.exchange.injectFault({
    path: billsPath,
    params: { productType: "USDC-FUTURES" },
    code: "40014",
    times: Number.POSITIVE_INFINITY,
  });
  expect(await run(world, 0.5)).toBe("partial");
  expect(await run(world, 1.5)).toBe("partial");
  const count = "select wallet as product_type, count(*) as n from bills group by wallet order by wallet";
  expect(world.rows(count)).toEqual([{ product_type: "umcbl", n: ledger.length }]);
  world.exchange.clearFaults();
  expect(await run(world, 2.5)).toBe("ok");
  expect(world.rows(count)).toEqual(["cmcbl", "umcbl"].map((product_type) => ({ product_type, n: ledger.length })));
  expect(world.rows("select product_type, cause, slots, from_at, to_at from gaps")).toEqual([
    {
      product_type: "cmcbl",
      cause: "40014",
      slots: 2,
      from_at: "2026-10-20T10:01:00.000Z",
      to_at: "2026-10-20T10:02:00.000Z",
    },
  ]);
});

it("a machine that was off for longer than the exchange remembers leaves a hole with its bounds", async () => {
  const world = await createLedger();
  await run(world, 1);
  const [{ through = 0 } = {}] = world.rows("select through from reading") as { through: number }[];
  const back = start + 100 * day;
  const [lost, kept] = [billAt(start + 5 * day, 60), billAt(start + 50 * day, 61)];
  world.exchange.bills.push(lost, kept);
  const warnings: string[] = [];
  expect(await run(world, 100 * 1440, { warnings })).toBe("ok");
  expect(stored(world)).toEqual(rowsOf([...ledger, kept]));
  const [, reading] = world.rows(readings) as Record<string, number>[];
  expect(reading?.hole_from).toBe(through);
  expect(Math.abs((reading?.hole_to ?? 0) - (back - 90 * day))).toBeLessThan(5 * minute);
  const text = (instant = 0) => new Date(instant).toISOString();
  expect(warnings).toEqual([
    `bills of umcbl between ${text(through)} and ${text(reading?.hole_to)} were not read in time; the exchange no longer has them`,
  ]);
  const gap = {
    ...{ account: "main", product_type: "umcbl", slots: 0 },
    ...{ from_at: text(through), to_at: text(reading?.hole_to) },
  };
  const gaps = "select account, product_type, from_at, to_at, slots, cause from gaps";
  expect(world.rows(gaps)).toEqual([{ ...gap, cause: "switched off" }]);
  change(world.path, "insert into schedule (series_id, since, pattern) select id, 0, '* * * * *' from series");
  expect(world.rows(gaps)).toEqual([{ ...gap, cause: "not read in time" }]);
  const history = openHistory(world.path);
  const gapsUntil = (to: number) => [...history.gaps("main", { from: back - 100 * day, to })];
  expect(gapsUntil(back + minute)).toMatchObject([
    { fromSlot: through, toSlot: reading?.hole_to, slots: 0, cause: "not read in time" },
  ]);
  // It was found by the run of that day.
  expect(gapsUntil(back - day)).toEqual([]);
  history.close();
  change(world.path, `update schedule set until = ${back}`);
  expect(world.rows(`${gaps} where to_at is null`)).toEqual([
    { account: "main", product_type: null, from_at: text(back), to_at: null, slots: 0, cause: "switched off" },
  ]);
  change(
    world.path,
    `insert into schedule (series_id, since, pattern) select id, ${back + day}, '* * * * *' from series`,
  );
  const isOff = (at: number) =>
    withHistory(world.path, (one) =>
      one.recordGaps(null, { from: at - minute, to: at }).some(({ toSlot }) => toSlot === null),
    );
  expect([back - minute, back + minute, back + 2 * day].map(isOff)).toEqual([false, true, false]);
});

it("every due slot has its run, or the reason why there is none, as in any other dataset", async () => {
  const world = await createLedger();
  await world.scheduler.stop();
  const { app, clock, exchange } = world;
  const deps = { ...app.deps, datasets: [bills], scheduleOf: () => parsePattern("*/5 * * * *") };
  const onFatal = (error: Error) => {
    throw error;
  };
  const open = () => Scheduler.open({ ...app, deps, onFatal });
  const tickAt = async (scheduler: Scheduler, time: string) => {
    clock.advanceTo(Date.parse(`2026-10-20T${time}Z`));
    scheduler.tick();
    await scheduler.idle();
  };
  const first = await open();
  await tickAt(first, "10:01:00");
  await tickAt(first, "10:05:00");
  await first.stop();
  clock.advanceTo(Date.parse("2026-10-20T10:16:00Z"));
  const second = await open();
  exchange.bills.push(billAt(Date.parse("2026-10-20T10:12:00Z"), 70));
  await tickAt(second, "10:16:00");
  await tickAt(second, "10:20:00");
  await second.stop();
  expect(world.rows("select substr(scheduled_for, 12, 5) as slot, state, cause, rows from runs order by slot")).toEqual(
    [
      { slot: "10:05", state: "ok", cause: null, rows: ledger.length },
      { slot: "10:10", state: "missed", cause: "not running", rows: 0 },
      { slot: "10:15", state: "ok", cause: "late", rows: 1 },
      { slot: "10:20", state: "ok", cause: null, rows: 0 },
    ],
  );
  expect((await verify(world.path, [bills])).problems).toEqual([]);
});

it.each([1, 2])("after random faults, all records are stored two days later (seed %i)", async (seed) => {
  const chance = random(seed);
  const world = await createLedger();
  const faults: Fault[] = [
    { edit: (envelope) => empty(envelope as Envelope) },
    { edit: (envelope) => withoutCursor(envelope as Envelope) },
    { code: "40014" },
    { edit: repeated(), times: 20 },
  ];
  let minutes = 0;
  for (let at = 0; at < 20; at++) {
    const { bills: entries } = world.exchange;
    world.exchange.clearFaults();
    minutes += chance.integer(1, 90);
    for (let more = chance.integer(0, 3); more > 0; more--) {
      const instant = start + minutes * minute - chance.integer(0, 30) * 1000;
      entries.push(billAt(instant, entries.length, { visibleAt: instant + chance.pick([0, 0, 15_000, 30 * minute]) }));
    }
    if (chance.integer(0, 2) > 0) befall(world, chance.integer(0, 4), chance.pick(faults));
    if (chance.integer(0, 9) === 0) await world.restart();
    await run(world, minutes);
  }
  world.exchange.clearFaults();
  for (const later of [1440, 2880]) expect(await run(world, minutes + later)).toBe("ok");
  expect(stored(world)).toEqual(rowsOf(world.exchange.bills));
  expect((await verify(world.path, [bills])).problems).toEqual([]);
});
