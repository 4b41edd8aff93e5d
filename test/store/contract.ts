/** Tests the `Store` interface. Every implementation must pass this suite, which uses nothing but the interface. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { Row, Scope, Snapshot } from "../../src/core/domain.ts";
import { snapshotDatasetNamed, snapshotDatasets } from "../../src/datasets/index.ts";
import {
  type AlertPositions,
  type Notification,
  noChanges,
  type OpenAlert,
} from "../../src/store/alerts/alert-store.ts";
import type { RunEnd, Store } from "../../src/store/store.ts";
import { collect, failed, good, item, minute, start } from "./kit.ts";

/** Creates an empty database. Returns a function that opens it, any number of times. */
export type NewDatabase = () => () => Promise<Store>;

const spot = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");
const prices = snapshotDatasetNamed("prices");
const at = (n: number): number => start + n * minute;

const balances = (...coins: [coin: string, available: string][]) =>
  coins.map(([coin, available]) => item(spot, { coin, available }));

const end = (more: Partial<RunEnd>): RunEnd => ({
  dataset: spot,
  snapshots: [],
  failures: [],
  cause: null,
  finishedAt: at(0) + 300,
  requests: 1,
  retries: 0,
  spreadMs: null,
  skewMs: null,
  skipped: false,
  ...more,
});

/** A snapshot that makes storing fail with an unexpected error. */
const broken: Snapshot = {
  scope: null,
  takenAt: at(0),
  get items(): never {
    throw new TypeError("a bug");
  },
};

export function storeContract(newDatabase: NewDatabase): void {
  const opened = async (open: () => Promise<Store>): Promise<Store> => {
    const store = await open();
    onTestFinished(() => store.close());
    return store;
  };
  const fresh = (): Promise<Store> => opened(newDatabase());

  describe("the run ledger", () => ledgerContract(fresh));
  describe("schedules", () => scheduleContract(fresh));
  describe("snapshots", () => snapshotContract(fresh));
  describe("a database that is reopened", () => durabilityContract(newDatabase, opened));
  describe("the state of alerts", () => alertContract(newDatabase, opened));
}

/** Returns state and cause of the newest ended run of main's spot assets, and schedules them, which that requires. */
async function lastRun(store: Store): Promise<string | null> {
  if (!(await store.schedule("main", "spot-assets")))
    await store.setSchedule("main", "spot-assets", "* * * * *", at(-1));
  const [freshness] = await store.freshness(at(60));
  return freshness?.last ? `${freshness.last.state} ${freshness.last.cause}` : null;
}

function ledgerContract(fresh: () => Promise<Store>): void {
  it("lets only one of several concurrent callers claim a slot of an account and dataset", async () => {
    const store = await fresh();
    const claims = await Promise.all([1, 2, 3].map((n) => store.begin("main", "spot-assets", at(0), at(0) + n)));
    expect(claims.filter((run) => run !== null)).toHaveLength(1);
    expect(await store.begin("main", "spot-assets", at(0), at(0))).toBeNull();
    const others = [
      await store.begin("hedge", "spot-assets", at(0), at(0)),
      await store.begin("main", "positions", at(0), at(0)),
      await store.begin("main", "spot-assets", at(1), at(1)),
    ];
    expect(new Set([...claims, ...others].filter((run) => run !== null)).size).toBe(4);
  });

  it("lets a missed slot be claimed later, but no other slot with a row", async () => {
    const store = await fresh();
    await store.closeSlots("main", "spot-assets", [
      { slot: at(0), state: "missed", cause: "asleep" },
      { slot: at(1), state: "skipped", cause: "overlap" },
    ]);
    expect(await store.begin("main", "spot-assets", at(0), at(0))).not.toBeNull();
    expect(await store.begin("main", "spot-assets", at(0), at(0))).toBeNull();
    expect(await store.begin("main", "spot-assets", at(1), at(1))).toBeNull();
    await collect(store, spot, at(2), { failures: [failed("tls", at(2))] });
    expect(await store.begin("main", "spot-assets", at(2), at(2))).toBeNull();
  });

  it("returns whether a slot has a row of any state", async () => {
    const store = await fresh();
    const known = () => Promise.all([0, 1, 2].map((n) => store.hasRun("main", "spot-assets", at(n))));
    expect(await known()).toEqual([false, false, false]);
    await store.begin("main", "spot-assets", at(0), at(0));
    await store.closeSlots("main", "spot-assets", [{ slot: at(1), state: "missed", cause: "asleep" }]);
    expect(await known()).toEqual([true, true, false]);
    expect(await store.hasRun("hedge", "spot-assets", at(0))).toBe(false);
  });

  it("keeps the first row of a slot that is closed twice", async () => {
    const store = await fresh();
    await collect(store, spot, at(0), { snapshots: [good([], at(0))] });
    await store.closeSlots("main", "spot-assets", [{ slot: at(0), state: "missed", cause: "asleep" }]);
    expect(await lastRun(store)).toBe("ok null");
  });

  it.each<[string, Partial<RunEnd>, string]>([
    ["good snapshots alone", { snapshots: [good([], at(0))] }, "ok null"],
    ["nothing that failed, but late", { snapshots: [good([], at(0))], cause: "late" }, "ok late"],
    [
      "a good and a failed one",
      { snapshots: [good([], at(0))], failures: [failed("tls", at(0), "umcbl")] },
      "partial tls",
    ],
    [
      "failures with several causes",
      { failures: [failed("tls", at(0)), failed("timeout", at(0), "umcbl"), failed("tls", at(0), "dmcbl")] },
      "failed tls, timeout",
    ],
    ["no response at all", { cause: "deadline" }, "failed deadline"],
    ["no request necessary", { skipped: true, cause: "not offered" }, "skipped not offered"],
  ])("derives the state of a run from its snapshots: %s", async (_, more, ended) => {
    const store = await fresh();
    await collect(store, spot, at(0), more);
    expect(await lastRun(store)).toBe(ended);
  });

  it("keeps the first end of a run that is ended twice", async () => {
    const store = await fresh();
    const run = (await store.begin("main", "spot-assets", at(0), at(0))) ?? 0;
    const first = end({ snapshots: [good(balances(["BTC", "1"]), at(0))] });
    expect(await store.finish(run, first)).toMatchObject({ state: "ok", failures: [] });
    expect(await store.finish(run, first)).toMatchObject({ state: "ok" });
    expect(await store.finish(run, end({ failures: [failed("tls", at(0))] }))).toMatchObject({ state: "ok" });
    expect(await lastRun(store)).toBe("ok null");
    expect((await store.latest(spot))[0]?.rows).toHaveLength(1);
  });

  it("fails the runs of a crashed process, and ignores their end afterwards", async () => {
    const store = await fresh();
    await collect(store, spot, at(0), { snapshots: [good(balances(["BTC", "1"]), at(0))] });
    const run = (await store.begin("main", "spot-assets", at(1), at(1))) ?? 0;
    await store.begin("hedge", "positions", at(1), at(1));
    expect(await store.recover()).toBe(2);
    expect(await store.recover()).toBe(0);
    expect(await lastRun(store)).toBe("failed crashed");
    const late = end({ snapshots: [good(balances(["BTC", "2"]), at(1))] });
    expect(await store.finish(run, late)).toMatchObject({ state: "failed" });
    expect((await store.latest(spot))[0]).toMatchObject({ slot: at(0), rows: [{ available: "1" }] });
  });
}

function scheduleContract(fresh: () => Promise<Store>): void {
  it("begin with the watermark at their start, and end when the dataset is switched off", async () => {
    const store = await fresh();
    expect(await store.schedule("main", "positions")).toBeNull();
    await store.setSchedule("main", "positions", "*/5 * * * *", at(0));
    expect(await store.schedule("main", "positions")).toEqual({
      pattern: "*/5 * * * *",
      since: at(0),
      processedThrough: at(0),
    });
    await store.begin("main", "positions", at(5), at(5));
    await store.setSchedule("main", "positions", "* * * * *", at(10));
    expect(await store.schedule("main", "positions")).toEqual({
      pattern: "* * * * *",
      since: at(10),
      processedThrough: at(10),
    });
    expect(await store.schedule("hedge", "positions")).toBeNull();
    await store.setSchedule("main", "positions", null, at(20));
    expect(await store.schedule("main", "positions")).toBeNull();
    expect(await store.freshness(at(20))).toEqual([]);
  });

  it.each<[string, (store: Store) => Promise<unknown>, number]>([
    ["a claim", (store) => store.begin("main", "spot-assets", at(3), at(3)), 3],
    ["a manual claim, which does not account for the slots before it", (store) => onDemand(store), 1],
    ["closing slots", (store) => store.closeSlots("main", "spot-assets", [missed(2), missed(4)]), 4],
    ["closing no slots", (store) => store.closeSlots("main", "spot-assets", []), 1],
    ["closing an earlier slot", (store) => store.closeSlots("main", "spot-assets", [missed(0)]), 1],
    ["another account", (store) => store.begin("hedge", "spot-assets", at(3), at(3)), 1],
  ])("move the watermark to the latest slot with a row: %s", async (_, write, upTo) => {
    const store = await fresh();
    await store.setSchedule("main", "spot-assets", "* * * * *", at(0));
    await store.begin("main", "spot-assets", at(1), at(1));
    await write(store);
    expect((await store.schedule("main", "spot-assets"))?.processedThrough).toBe(at(upTo));
  });

  const missed = (n: number) => ({ slot: at(n), state: "missed", cause: "asleep" }) as const;
  const onDemand = (store: Store) => store.begin("main", "spot-assets", at(3) + 1, at(3) + 1, "demand");

  it("are fresh until the second slot after the last complete run", async () => {
    const store = await fresh();
    await store.setSchedule("main", "spot-assets", "* * * * *", at(0));
    await collect(store, spot, at(1), { snapshots: [good([], at(1))] });
    await collect(store, spot, at(2), { failures: [failed("tls", at(2))] });
    const [freshness, ...rest] = await store.freshness(at(3));
    expect(rest).toEqual([]);
    expect(freshness).toMatchObject({
      ...{ account: "main", dataset: "spot-assets", schedule: "* * * * *", since: at(0) },
      ...{ lastOkAt: at(1), ageMs: 2 * minute, nextAt: at(4), staleAt: at(3), fresh: true, offered: true },
      last: { slot: at(2), state: "failed", cause: "tls" },
    });
    expect(await store.freshness(at(3) + 1)).toMatchObject([{ fresh: false }]);
  });

  it("are independent of the API version, which each account has its own of", async () => {
    const store = await fresh();
    expect(await store.apiVersion("main")).toBeNull();
    await store.setApiVersion("main", "v2", at(0), "first seen");
    await store.setApiVersion("hedge", "v1", at(0), "first seen");
    await store.setApiVersion("main", "v3", at(1), "upgraded");
    expect([await store.apiVersion("main"), await store.apiVersion("hedge")]).toEqual(["v3", "v1"]);
    expect((await store.accounts()).sort()).toEqual(["hedge", "main"]);
  });
}

function snapshotContract(fresh: () => Promise<Store>): void {
  it("keep every digit", async () => {
    const store = await fresh();
    const digits = ["0.10", "-0.00", "007", "12345678901234567890.000000000000000001"];
    const items = balances(...digits.map((one, n) => [`COIN${n}`, one] as [string, string]));
    await collect(store, spot, at(0), { snapshots: [good(items, at(0) + 7)] });
    const [known] = await store.latest(spot);
    expect(known).toMatchObject({ account: "main", scope: null, slot: at(0), takenAt: at(0) + 7 });
    expect(known?.rows).toEqual(items.map(({ row }) => row));
  });

  it("`latest` returns the last good one of every requested scope, of one account or of all", async () => {
    const store = await fresh();
    const run = (account: string, n: number, good_: Scope[], failed_: Scope[] = []) =>
      collect(
        store,
        positions,
        at(n),
        {
          snapshots: good_.map((scope) => good([], at(n), scope)),
          failures: failed_.map((scope) => failed("tls", at(n), scope)),
        },
        account,
      );
    const known = async (account?: string) =>
      (await store.latest(positions, account)).map(
        (one) => `${one.account} ${one.scope} ${(one.slot - start) / minute}`,
      );
    await run("main", 0, ["umcbl", "dmcbl"]);
    await run("hedge", 0, ["umcbl"]);
    await run("main", 1, ["umcbl"], ["dmcbl"]);
    expect((await known()).sort()).toEqual(["hedge umcbl 0", "main dmcbl 0", "main umcbl 1"]);
    expect(await known("hedge")).toEqual(["hedge umcbl 0"]);
    expect((await store.requestedScopes(positions, "main")).sort()).toEqual(["dmcbl", "umcbl"]);
    // Only a complete run retires the scopes that it did not request.
    await run("main", 2, ["umcbl"]);
    expect(await known("main")).toEqual(["main umcbl 2"]);
    expect(await store.requestedScopes(positions, "main")).toEqual(["umcbl"]);
    await run("main", 3, ["umcbl"], ["cmcbl"]);
    expect((await store.requestedScopes(positions, "main")).sort()).toEqual(["cmcbl", "umcbl"]);
    expect(await known("main")).toEqual(["main umcbl 3"]);
    expect(await store.requestedScopes(positions, "third")).toEqual([]);
  });

  it("contain a removed coin once more, with zeros", async () => {
    const store = await fresh();
    const rows = async () => (await store.latest(spot))[0]?.rows.map(({ coin, available }) => `${coin} ${available}`);
    await collect(store, spot, at(0), { snapshots: [good(balances(["BTC", "1"], ["ETH", "2"]), at(0))] });
    await collect(store, spot, at(1), { snapshots: [good(balances(["BTC", "1"]), at(1))] });
    expect(await rows()).toEqual(["BTC 1", "ETH 0"]);
    await collect(store, spot, at(2), { snapshots: [good(balances(["BTC", "1"]), at(2))] });
    expect(await rows()).toEqual(["BTC 1"]);
  });

  it("that cannot be stored exactly count as failed, and do not affect the others", async () => {
    const store = await fresh();
    const run = (await store.begin("main", "positions", at(0), at(0))) ?? 0;
    const bad = good([item(positions, { symbol: "BTCUSDT", total: "1e5" })], at(0), "umcbl");
    const outcome = await store.finish(run, end({ dataset: positions, snapshots: [bad, good([], at(0), "dmcbl")] }));
    expect(outcome).toMatchObject({ state: "partial", failures: [{ scope: "umcbl", code: "shape" }] });
    expect((await store.latest(positions)).map(({ scope }) => scope)).toEqual(["dmcbl"]);
  });
}

function durabilityContract(newDatabase: NewDatabase, opened: (open: () => Promise<Store>) => Promise<Store>): void {
  it("has the same state, and continues from it", async () => {
    const open = newDatabase();
    const before = await opened(open);
    await before.setApiVersion("main", "v2", at(0), "first seen");
    await before.setSchedule("main", "spot-assets", "* * * * *", at(0));
    await collect(before, spot, at(1), { snapshots: [good(balances(["BTC", "1"], ["ETH", "2"]), at(1))] });
    const read = async (store: Store) => ({
      api: await store.apiVersion("main"),
      schedule: await store.schedule("main", "spot-assets"),
      latest: await store.latest(spot),
      asked: await store.requestedScopes(spot, "main"),
      freshness: await store.freshness(at(1)),
    });
    const known = await read(before);
    before.close();
    const after = await opened(open);
    expect(await read(after)).toEqual(known);
    expect(await after.begin("main", "spot-assets", at(1), at(1))).toBeNull();
    await collect(after, spot, at(2), { snapshots: [good(balances(["ETH", "2"]), at(2))] });
    expect((await after.latest(spot))[0]?.rows).toMatchObject([
      { coin: "BTC", available: "0" },
      { coin: "ETH", available: "2" },
    ]);
  });

  it("has all snapshots of a run or none, and fails a run whose end could not be written", async () => {
    const open = newDatabase();
    const store = await opened(open);
    const first = good(balances(["BTC", "1"]), at(0));
    const [one, two] = [
      (await store.begin("main", "spot-assets", at(0), at(0))) ?? 0,
      (await store.begin("hedge", "spot-assets", at(0), at(0))) ?? 0,
    ];
    const ends = await Promise.allSettled([
      store.finish(one, end({ snapshots: [first, broken] })),
      store.finish(two, end({ snapshots: [first] })),
    ]);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect((await store.latest(spot)).map(({ account }) => account)).toEqual(["hedge"]);
    await collect(store, spot, at(1), { snapshots: [first] }, "hedge");
    expect(await lastRun(store)).toBe("failed internal");
    await collect(store, spot, at(1), { snapshots: [first] });
    // The state in memory of the failed attempt is not used.
    const known = await store.latest(spot);
    expect(known).toMatchObject(
      ["hedge", "main"].map((account) => ({ account, rows: [{ coin: "BTC", available: "1" }] })),
    );
    store.close();
    expect(await (await opened(open)).latest(spot)).toEqual(known);
  });
}

function alertContract(newDatabase: NewDatabase, opened: (open: () => Promise<Store>) => Promise<Store>): void {
  const fresh = () => opened(newDatabase());
  const run = async (store: Store, account: string, n: number, rows: Row[] = []) => {
    await collect(
      store,
      spot,
      at(n),
      {
        snapshots: [
          good(
            rows.map((row) => item(spot, row)),
            at(n),
          ),
        ],
      },
      account,
    );
  };

  /** Returns account and minute of all new snapshots, read in batches of `limit`, and the positions after them. */
  async function readAll(store: Store, from: AlertPositions, limit: number) {
    const found: string[] = [];
    let after = from;
    for (let more = true; more; ) {
      const page = await store.alerts.newSnapshots(after, limit);
      found.push(...page.snapshots.map(({ account, takenAt }) => `${account} ${(takenAt - start) / minute}`));
      after = page.positions;
      more = page.more;
    }
    return { found, after };
  }

  const ofAccount = (found: readonly string[], account: string) => found.filter((one) => one.startsWith(`${account} `));

  const write = async (store: Store, from: AlertPositions, to: AlertPositions, accounts = [...to.keys()]) =>
    store.alerts.record({
      ...noChanges,
      positions: accounts.map((account) => ({ account, from: from.get(account) ?? null, to: to.get(account) ?? 0 })),
    });

  it("begins after the newest snapshot the first time, and later at the stored position", async () => {
    const open = newDatabase();
    const before = await opened(open);
    await run(before, "main", 0);
    const first = await before.alerts.begin();
    expect((await readAll(before, first, 10)).found).toEqual([]);
    await run(before, "main", 1);
    before.close();
    const after = await opened(open);
    expect(await after.alerts.begin()).toEqual(first);
    expect((await readAll(after, first, 10)).found).toEqual(["main 1"]);
  });

  it.each([1, 2, 3, 100])(
    "returns each snapshot once, in the order of storing within an account, %i at a time",
    async (limit) => {
      const store = await fresh();
      const from = await store.alerts.begin();
      for (const n of [0, 1, 2]) for (const account of ["main", "hedge"]) await run(store, account, n);
      const { found, after } = await readAll(store, from, limit);
      expect(found).toHaveLength(6);
      for (const account of ["main", "hedge"])
        expect(ofAccount(found, account)).toEqual([0, 1, 2].map((n) => `${account} ${n}`));
      await run(store, "third", 3);
      await run(store, "main", 3);
      expect((await readAll(store, after, limit)).found.sort()).toEqual(["main 3", "third 3"]);
    },
  );

  it("keeps a position for each account, and returns snapshots again if theirs was not written", async () => {
    const open = newDatabase();
    const before = await opened(open);
    const from = await before.alerts.begin();
    await run(before, "main", 0);
    await run(before, "hedge", 0);
    const both = (await readAll(before, from, 10)).after;
    expect(await write(before, from, both)).toBe(true);
    await run(before, "main", 1);
    await run(before, "hedge", 1);
    const { after } = await readAll(before, both, 10);
    expect(await write(before, both, after, ["main"])).toBe(true);
    before.close();
    const store = await opened(open);
    expect((await readAll(store, await store.alerts.begin(), 10)).found).toEqual(["hedge 1"]);
  });

  const alert = (name: string, more: Partial<OpenAlert> = {}): OpenAlert => ({
    ...{ name, kind: "drawdown", account: "main", subject: "equity", what: "equity", scopeId: null, firedAt: at(0) },
    ...more,
  });
  const message = (name: string): Notification => ({
    ...{ alert: name, kind: "drawdown", account: "main", what: "equity", at: at(0), value: "0.20", threshold: null },
    ...{ state: "fired", delivery: "pending", sentence: `Alert: ${name}.` },
  });

  it("writes all changes or none, and none that were computed from an outdated state", async () => {
    const store = await fresh();
    const { alerts } = store;
    const from = await alerts.begin();
    await run(store, "main", 0);
    const to = (await readAll(store, from, 10)).after;
    const positions = [{ account: "main", from: from.get("main") ?? null, to: to.get("main") ?? 0 }];
    const first = { ...noChanges, fired: [alert("one")], messages: [message("one")], positions };
    expect(await alerts.record(first)).toBe(true);
    const refused = [
      first,
      { ...noChanges, fired: [alert("two")], messages: [message("two")] },
      { ...noChanges, ended: [alert("none", { subject: "other" })], messages: [message("two")] },
      { ...noChanges, messages: [message("two")], positions },
      { ...noChanges, messages: [message("two")], ended: [alert("one")], fired: [], positions },
    ];
    for (const changes of refused) expect(await alerts.record(changes)).toBe(false);
    expect(await alerts.open()).toEqual([alert("one")]);
    // An alert that ended and fired again has a new name.
    expect(await alerts.record({ ...noChanges, ended: [alert("one")], fired: [alert("two")] })).toBe(true);
    expect(await alerts.open()).toEqual([alert("two")]);
    const pending = await alerts.nextPending();
    expect(pending).toMatchObject({ ...message("one"), attempts: 0, nextAt: at(0), problem: null });
    await alerts.mark(pending?.id ?? 0, { delivery: "delivered", attempts: 1, nextAt: at(0), problem: null });
    expect(await alerts.nextPending()).toBeNull();
  });

  it("returns pending messages in order until each is delivered or dropped", async () => {
    const { alerts } = await fresh();
    await alerts.record({ ...noChanges, messages: [message("one"), message("two")] });
    await alerts.record({ ...noChanges, messages: [{ ...message("log"), delivery: "log" }, message("three")] });
    const sent: string[] = [];
    for (let next = await alerts.nextPending(); next; next = await alerts.nextPending()) {
      sent.push(`${next.alert} ${next.attempts} ${next.problem}`);
      const again = next.alert === "two" && next.attempts === 0;
      const problem = again ? "responded with HTTP 500" : null;
      const delivery = again ? "pending" : next.alert === "three" ? "given up" : "delivered";
      await alerts.mark(next.id, { delivery, attempts: next.attempts + 1, nextAt: at(1), problem });
    }
    expect(sent).toEqual(["one 0 null", "two 0 null", "two 1 responded with HTTP 500", "three 0 null"]);
  });

  it("keeps the peak of each hour and account", async () => {
    const { alerts } = await fresh();
    const peak = (account: string, hours: number, equity: string) => ({ account, hour: at(60 * hours), equity });
    await alerts.record({ ...noChanges, peaks: [peak("main", 0, "9"), peak("main", 1, "10"), peak("hedge", 1, "7")] });
    await alerts.record({ ...noChanges, peaks: [peak("main", 1, "10.50"), peak("main", 2, "8")] });
    expect(await alerts.peaks("main", at(60), at(120))).toEqual([peak("main", 1, "10.50"), peak("main", 2, "8")]);
    // Peaks older than the longest window are deleted.
    await alerts.record({ ...noChanges, peaks: [peak("main", 90 * 24 + 1, "5")] });
    expect(await alerts.peaks("main", at(0), at(120))).toEqual([peak("main", 1, "10.50"), peak("main", 2, "8")]);
    await alerts.record({ ...noChanges, peaks: [peak("main", 90 * 24 + 2, "5")] });
    expect(await alerts.peaks("main", at(0), at(120))).toEqual([peak("main", 2, "8")]);
    expect(await alerts.peaks("hedge", at(0), at(120))).toEqual([peak("hedge", 1, "7")]);
  });

  it("keeps up to which equity the drawdown of an account was evaluated, and returns the later ones up to the position", async () => {
    const store = await fresh();
    const { alerts } = store;
    const equity = snapshotDatasetNamed("equity");
    await store.setSchedule("main", "equity", "* * * * *", at(0));
    await store.setSchedule("main", "spot-assets", "* * * * *", at(0));
    await alerts.begin();
    for (const n of [1, 2, 3, 4]) {
      const snapshots = n === 3 ? [] : [good([item(equity, { usdtEquity: String(n), complete: 1 })], at(n))];
      await collect(store, equity, at(n), n === 3 ? { failures: [failed("tls", at(n))] } : { snapshots });
      await collect(store, spot, at(n), { snapshots: [good([], at(n))] });
    }
    const { snapshots, positions } = await alerts.newSnapshots(await alerts.begin(), 100);
    const equities = snapshots.filter((one) => one.dataset === "equity" && one.errorCode === null);
    expect(equities.map(({ takenAt }) => takenAt)).toEqual([at(1), at(2), at(4)]);
    expect(await alerts.drawdownsTo()).toEqual(new Map());
    expect(await alerts.waitingEquities("main", 0)).toEqual([]);
    const moves = (to: number) => ({ ...noChanges, drawdowns: [{ account: "main", to }] });
    const [evaluated = 0, to = 0] = equities.map(({ id }) => id);
    await alerts.record(moves(0));
    await alerts.record(moves(evaluated));
    expect(await alerts.drawdownsTo()).toEqual(new Map([["main", evaluated]]));
    const from = [...(await alerts.begin())].find(([account]) => account === "main")?.[1] ?? null;
    await alerts.record({ ...noChanges, positions: [{ account: "main", from, to }] });
    expect(await alerts.waitingEquities("main", evaluated)).toEqual([equities[1]]);
    await alerts.record({ ...noChanges, positions: [{ account: "main", from: to, to: positions.get("main") ?? 0 }] });
    expect(await alerts.waitingEquities("main", evaluated)).toEqual(equities.slice(1));
    expect(await alerts.waitingEquities("hedge", 0)).toEqual([]);
    expect(await alerts.peaks("main", at(0), at(120))).toEqual([]);
  });

  it("returns the rows of a snapshot, the last outcomes of its account, and the scopes no longer requested", async () => {
    const store = await fresh();
    const { alerts } = store;
    const from = await alerts.begin();
    for (const name of ["spot-assets", "positions"] as const)
      await store.setSchedule("main", name, "* * * * *", at(-1));
    await collect(store, spot, at(0), { snapshots: [good(balances(["BTC", "1.10"]), at(0))] });
    await collect(store, positions, at(0), { failures: [failed("40037", at(0), "umcbl")] });
    await collect(store, spot, at(1), { failures: [failed("timeout", at(1))] });
    await collect(store, positions, at(1), { snapshots: [good([], at(1), "umcbl")] });
    const { snapshots } = await alerts.newSnapshots(from, 10);
    const [balance, refused, , answered] = snapshots;
    if (!balance || !refused || !answered) throw new Error(`there are ${snapshots.length} snapshots`);
    expect(snapshots.map(({ errorCode }) => errorCode)).toEqual([null, "40037", "timeout", null]);
    expect(balance).toMatchObject({ account: "main", dataset: "spot-assets", productType: null, takenAt: at(0) });
    expect(await alerts.rows(spot, balance.id)).toMatchObject([{ coin: "BTC", available: "1.10" }]);
    for (const dataset of snapshotDatasets) expect(await alerts.rows(dataset, answered.id)).toEqual([]);
    const verdicts = async (upTo: typeof balance) =>
      (await alerts.lastOutcomes(upTo, ["40037"])).map(({ scopeId, code }) => [scopeId, code]).sort();
    expect(await verdicts(refused)).toEqual([
      [balance.scopeId, null],
      [refused.scopeId, "40037"],
    ]);
    expect(await verdicts(answered)).toEqual([
      [balance.scopeId, null],
      [refused.scopeId, null],
    ]);
    const scopes = [balance.scopeId, refused.scopeId];
    expect(await alerts.inactiveScopes(scopes)).toEqual([]);
    await collect(store, positions, at(2), { snapshots: [good([], at(2), "dmcbl")] });
    expect(await alerts.inactiveScopes(scopes)).toEqual([refused.scopeId]);
    await store.setSchedule("main", "spot-assets", null, at(3));
    expect((await alerts.inactiveScopes(scopes)).sort()).toEqual(scopes.sort());
  });

  it("returns the prices of coins as of a snapshot", async () => {
    const store = await fresh();
    const from = await store.alerts.begin();
    for (const [n, price] of ["100", null, "120.50"].entries()) {
      const row = item(prices, { coin: "BTC", quote: "USDT", price });
      await collect(store, prices, at(n), { snapshots: [good([row], at(n))] }, "public");
      await run(store, "main", n);
    }
    const found = (await store.alerts.newSnapshots(from, 10)).snapshots.filter(({ account }) => account === "main");
    const results = [];
    for (const one of found) {
      const [last] = await store.alerts.lastPrices(["BTC", "ETH"], one);
      results.push([last?.price, await store.alerts.pricedUntil(["BTC", "ETH"], one, at(0))]);
    }
    expect(results).toEqual([
      ["100", at(0)],
      ["100", at(1)],
      ["120.50", at(2)],
    ]);
    expect(await store.alerts.lastPrices(["ETH"], found[0] ?? fail())).toEqual([]);
    expect(await store.alerts.pricedUntil(["ETH"], found[0] ?? fail(), at(0))).toBeNull();
  });
}

function fail(): never {
  throw new Error("nothing was found");
}
