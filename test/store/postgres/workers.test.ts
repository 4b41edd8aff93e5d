/** Several processes that record into one PostgreSQL: their names, their settings, and whose turn it is. */
import { describe, expect, it, onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../../src/core/clock.ts";
import { ConfigError, LockedError } from "../../../src/core/errors.ts";
import { type Candidate, rankOf } from "../../../src/store/postgres/recorder/rank.ts";
import type { Recorder } from "../../../src/store/postgres/recorder/recorder.ts";
import { Worker, type WorkerDescription } from "../../../src/store/postgres/recorder/workers.ts";
import { until } from "../../support/wait.ts";
import { minute, start } from "../kit.ts";
import { connected, describePostgres } from "./kit.ts";
import { databaseTime, newRecordedHistory, recorderAt, setDatabaseTime } from "./recorder-kit.ts";

const described = (name: string, more: Partial<WorkerDescription> = {}): WorkerDescription => ({
  ...{ name, version: "1.0.0", settings: { SCHEDULE_POSITIONS: "* * * * *" }, accounts: ["main", "hedge"] },
  ...more,
});

/** A clock whose waits end when `act` has ended. */
const clockOf = (act: () => Promise<unknown>): Clock => ({
  ...systemClock,
  after(_ms, action) {
    void act().then(action);
    return () => {};
  },
});

const accounts = Array.from({ length: 600 }, (_, n) => `account-${n}`);

describe("the rank of a process for an account", () => {
  const [a, b, c] = ["a", "b", "c"].map((name): Candidate => ({ name, isPaused: false })) as [
    Candidate,
    Candidate,
    Candidate,
  ];
  const paused = (one: Candidate): Candidate => ({ ...one, isPaused: true });

  it("is another one for each process, and each is the first for about as many accounts", () => {
    for (const account of accounts)
      expect([a, b, c].map((worker) => rankOf(worker, account, [a, b, c])).sort()).toEqual([0, 1, 2]);
    for (const worker of [a, b, c]) {
      const first = accounts.filter((account) => rankOf(worker, account, [a, b, c]) === 0);
      expect(first.length).toBeGreaterThan(150);
      expect(first.length).toBeLessThan(250);
    }
  });

  it("moves only the accounts of a process that is gone, each to its second process", () => {
    for (const account of accounts)
      for (const worker of [a, b]) {
        const before = rankOf(worker, account, [a, b, c]);
        const goneIsBefore = rankOf(c, account, [a, b, c]) < before;
        expect(rankOf(worker, account, [a, b])).toBe(goneIsBefore ? before - 1 : before);
      }
  });

  it("is the last one while it is paused; the others keep their order, and so do all where all are paused", () => {
    for (const account of accounts) {
      const among = [a, b, paused(c)];
      expect(rankOf(paused(c), account, among)).toBe(2);
      for (const worker of [a, b]) expect(rankOf(worker, account, among)).toBe(rankOf(worker, account, [a, b]));
      const all = [a, b, c].map(paused);
      for (const worker of [a, b, c])
        expect(rankOf(paused(worker), account, all)).toBe(rankOf(worker, account, [a, b, c]));
    }
  });
});

describePostgres("processes that record into one PostgreSQL", () => {
  const register = async (url: string, own: WorkerDescription, clock: Clock = systemClock) => {
    const worker = await Worker.register(await connected(url), own, clock);
    onTestFinished(() => worker.close());
    return worker;
  };

  it("take turns by account among the live ones that have its key", async () => {
    const url = await newRecordedHistory();
    const [one, two] = [
      await register(url, described("a", { mains: ["main"] })),
      await register(url, described("b", { accounts: ["hedge"] })),
    ];
    await one.beat();
    expect(one.delayMs("main")).toBe(0);
    expect([one.delayMs("hedge"), two.delayMs("hedge")].sort()).toEqual([0, 5000]);
    expect([one.delayMs("public"), two.delayMs("public")].sort()).toEqual([0, 5000]);
    // Only one of them collects the sub-accounts of `main`. Nobody has the key of `gone`.
    expect([one.delayMs("main/1001"), two.delayMs("main/1001")]).toEqual([0, 5000]);
    expect([one.delayMs("gone"), two.delayMs("gone")].sort()).toEqual([0, 5000]);
    const abandoned = (account: string) => [one, two].filter((worker) => worker.isAbandoned(account)).length;
    expect(["main", "hedge", "public", "main/1001", "gone", "hedge/1001"].map(abandoned)).toEqual([0, 0, 0, 0, 1, 1]);
    await setDatabaseTime(url, databaseTime + 10_001);
    await two.beat();
    expect(two.delayMs("hedge")).toBe(0);
  });

  it("let the others go first while they are paused, as the view `workers` shows, and come back by themselves", async () => {
    const url = await newRecordedHistory();
    const postgres = await connected(url);
    let passed = 0;
    const clock: Clock = { ...systemClock, monotonic: () => passed };
    const one = await register(url, described("a"), clock);
    const two = await register(url, described("b"), clock);
    const turns = () => ["main", "hedge"].map((account) => [one.delayMs(account), two.delayMs(account)]);
    const pausedUntil = async () =>
      (await postgres.query<{ until: string | null }>("select paused_until as until from workers order by worker"))[0];
    await one.beat();
    expect(turns().map((delays) => [...delays].sort())).toEqual([
      [0, 5000],
      [0, 5000],
    ]);
    const before = turns();
    one.pause(60_000);
    // A shorter pause does not end a longer one.
    one.pause(10);
    // It knows at once, the other with its next beat.
    expect(["main", "hedge"].map((account) => one.delayMs(account))).toEqual([5000, 5000]);
    await one.beat();
    await two.beat();
    expect(turns()).toEqual([
      [5000, 0],
      [5000, 0],
    ]);
    const until = new Date(databaseTime + 60_000).toISOString();
    expect(await pausedUntil()).toEqual({ until });
    passed = 59_999;
    await setDatabaseTime(url, databaseTime + 59_999);
    await one.beat();
    expect(await pausedUntil()).toEqual({ until });
    passed = 60_000;
    await setDatabaseTime(url, databaseTime + 60_000);
    await one.beat();
    await two.beat();
    expect(await pausedUntil()).toEqual({ until: null });
    expect(turns()).toEqual(before);
  });

  it("have different names: a second live one is refused", async () => {
    const url = await newRecordedHistory();
    const first = await register(url, described("a"));
    const clock = clockOf(async () => {
      await setDatabaseTime(url, databaseTime + 1000);
      await first.beat();
    });
    await expect(register(url, described("a"), clock)).rejects.toThrow(LockedError);
    const crashed = clockOf(() => setDatabaseTime(url, databaseTime + 11_001));
    const second = await register(url, described("a"), crashed);
    // The first one was suspended, and has lost its name.
    await first.beat();
    expect([first.isLost, second.isLost]).toEqual([true, false]);
  });

  it("are refused with other schedules, whose difference is named; those of a process that is gone do not matter", async () => {
    const url = await newRecordedHistory();
    await register(url, described("a"));
    const other = described("b", { settings: { SCHEDULE_POSITIONS: "*/5 * * * *" } });
    const refused = register(url, other);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(/SCHEDULE_POSITIONS=\*\/5 \* \* \* \* \(there \* \* \* \* \*\)/);
    await setDatabaseTime(url, databaseTime + 10_001);
    await register(url, other);
  });

  it("are refused where one reads a demo account and the other a real one, as one of an older version does", async () => {
    const url = await newRecordedHistory();
    const { settings } = described("a");
    await register(url, described("a"));
    const refused = register(url, described("b", { settings: { ...settings, BITGET_DEMO_TRADING: "true" } }));
    await expect(refused).rejects.toThrow(/other settings: BITGET_DEMO_TRADING=true \(there false\)/);
    await register(url, described("c", { settings: { ...settings, BITGET_DEMO_TRADING: "false" } }));
  });

  it("are refused where only one of them collects the sub-accounts of a main account that both have", async () => {
    const url = await newRecordedHistory();
    await register(url, described("a", { mains: ["main", "hedge"] }));
    const refused = register(url, described("b", { mains: ["main"] }));
    await expect(refused).rejects.toThrow(/other settings: SUB_ACCOUNTS_OF=main \(there hedge,main\)/);
    await register(url, described("c", { accounts: ["main"], mains: ["main"] }));
  });

  it("leave at once when they are closed, and are shown with their runs while they are live", async () => {
    const url = await newRecordedHistory();
    const postgres = await connected(url);
    const store = await recorderAt(url, { worker: "a", registration: described("a") });
    await store.begin("main", "positions", start, start);
    expect(await postgres.query("select worker, version, accounts, running from workers")).toEqual([
      { worker: "a", version: "1.0.0", accounts: 2, running: 1 },
    ]);
    const worker = await register(url, described("b"));
    await worker.close();
    expect(await postgres.query("select worker from workers")).toEqual([{ worker: "a" }]);
  });

  it("do not lock an account to see that the slots of others are taken, and claim those that are not", async () => {
    const url = await newRecordedHistory();
    const beats: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      after(_ms, action) {
        beats.push(action);
        return () => {};
      },
    };
    const stores: Recorder[] = [];
    for (const worker of ["a", "b"])
      stores.push(await recorderAt(url, { worker, registration: described(worker), clock }));
    for (const beat of beats.splice(0)) beat();
    await until(() => stores.every((store) => store.sharing.hasOthers()));
    const [first, second] = [...stores].sort(
      (one, other) => one.sharing.delayMs("main") - other.sharing.delayMs("main"),
    );
    const begin = (store: typeof first, n: number) =>
      store?.begin("main", "positions", start + n * minute, start + n * minute);
    await begin(first, 0);
    await begin(first, 1);
    await first?.closeSlots("main", "positions", [{ slot: start + 2 * minute, state: "missed", cause: "too late" }]);
    await (await connected(url)).transaction(async (connection) => {
      await connection.run("select 1 from account for update");
      expect(await Promise.all([begin(second, 0), begin(second, 1)])).toEqual([null, null]);
    });
    const id = expect.any(Number);
    expect(await Promise.all([1, 2, 3].map((n) => begin(second, n)))).toEqual([null, id, id]);
    await second?.setSchedule("main", "positions", "* * * * *", start);
    await first?.setSchedule("main", "positions", null, start + 4 * minute);
    expect(await begin(second, 4)).toBeNull();
  });

  it("keep the row of one that is gone for thirty days", async () => {
    const url = await newRecordedHistory();
    const postgres = await connected(url);
    const days = (n: number) => databaseTime - n * 86_400_000;
    await postgres.run("insert into worker values ('x', $1, '1', '{}', 1, null), ('y', $2, '1', '{}', 1, null)", [
      days(30),
      days(31),
    ]);
    await register(url, described("a"));
    expect(await postgres.query("select name from worker order by name")).toEqual([{ name: "a" }, { name: "x" }]);
  });

  it("fail the runs of a process that is gone", async () => {
    const url = await newRecordedHistory();
    const gone = await recorderAt(url, { worker: "a" });
    await gone.begin("main", "positions", start, start);
    await setDatabaseTime(url, databaseTime + 2 * minute);
    let beats = 0;
    const swept = new Promise<void>((resolve) => {
      const clock: Clock = {
        ...systemClock,
        after(_ms, action) {
          beats += 1;
          // The second beat begins after the first one has swept.
          if (beats === 1) setImmediate(action);
          else resolve();
          return () => {};
        },
      };
      void recorderAt(url, { worker: "b", registration: described("b"), clock });
    });
    await swept;
    const runs = await (await connected(url)).query("select state, cause, worker from runs");
    expect(runs).toEqual([{ state: "failed", cause: "crashed", worker: "a" }]);
  });
});
