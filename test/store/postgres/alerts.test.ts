/** Alerts of several processes that record into one PostgreSQL: which of them evaluates an account, and that each alert is sent once. */
import { expect, it } from "vitest";
import { AlertEvaluator } from "../../../src/alerts/evaluator.ts";
import { type Clock, systemClock } from "../../../src/core/clock.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { AlertSettings } from "../../../src/settings/sections/alerts.ts";
import type { Recorder } from "../../../src/store/postgres/recorder/recorder.ts";
import { until } from "../../support/wait.ts";
import { collect, good, item, minute, start } from "../kit.ts";
import { connected, describePostgres } from "./kit.ts";
import { databaseTime, newRecordedHistory, recorderAt, setDatabaseTime } from "./recorder-kit.ts";

const names = ["main", "hedge", "desk", "risk", "copy", "fund"];
const settings: AlertSettings = {
  ...{ webhook: null, liquidationDistance: null, marginRatio: null, drawdown: "0.1", drawdownHours: 24 },
  ...{ stale: true, keyRefused: false, ledgerBreak: false },
};
const equity = snapshotDatasetNamed("equity");
const at = (n: number): number => start + n * minute;

interface Process {
  store: Recorder;
  beat(): void;
  /** Evaluates what is new. Returns the notifications as "state kind account". */
  evaluate(): Promise<string[]>;
}

/** A process that beats when it is told to. `passed` is the time since the start, milliseconds. */
async function startProcess(url: string, name: string, time: { passed: number }): Promise<Process> {
  let beat = () => {};
  const clock: Clock = {
    now: () => start + time.passed,
    monotonic: () => time.passed,
    after(_ms, action) {
      beat = action;
      return () => {};
    },
  };
  const registration = { name, version: "1.0.0", settings: {}, accounts: names };
  const store = await recorderAt(url, { worker: name, registration, clock });
  const evaluator = new AlertEvaluator(store, settings, { ...systemClock, now: clock.now, monotonic: clock.monotonic });
  await evaluator.begin();
  const evaluate = async () => {
    const found = [...(await evaluator.evaluateStaleness())];
    for (let more = true; more; ) {
      const batch = await evaluator.evaluateNew();
      found.push(...batch.notifications);
      more = batch.more;
    }
    return found.map(({ state, kind, account }) => `${state} ${kind} ${account}`);
  };
  return { store, beat: () => beat(), evaluate };
}

const storeEquity = (store: Recorder, account: string, n: number, usdtEquity: string) =>
  collect(store, equity, at(n), { snapshots: [good([item(equity, { usdtEquity, complete: 1 })], at(n))] }, account);

describePostgres("alerts of several processes", () => {
  it("are evaluated by the first process of an account, by the one that stored a snapshot, and by the next one when it is gone", async () => {
    const url = await newRecordedHistory();
    const time = { passed: 0 };
    const [one, two] = [await startProcess(url, "a", time), await startProcess(url, "b", time)];
    one.beat();
    await until(() => one.store.sharing.hasOthers());
    const firstOf = ({ store }: Process) => names.filter((account) => store.sharing.delayMs(account) === 0);
    const [ofOne, ofTwo] = [firstOf(one), firstOf(two)];
    expect([ofOne.length > 0, ofTwo.length > 0, [...ofOne, ...ofTwo].sort()]).toEqual([true, true, [...names].sort()]);

    const read = async ({ store }: Process) => {
      const { snapshots } = await store.alerts.newSnapshots(await store.alerts.begin(), 100);
      return [...new Set(snapshots.map(({ account }) => account))].sort();
    };
    const { store } = one;
    for (const account of names) await store.setSchedule(account, "equity", "* * * * *", start - 1);
    for (const account of names) await storeEquity(ofOne.includes(account) ? store : two.store, account, 0, "1000");
    expect([await read(one), await read(two)]).toEqual([[...ofOne].sort(), [...ofTwo].sort()]);
    for (const process of [one, two]) expect(await process.evaluate()).toEqual([]);

    // The first process of all accounts stores nothing: the other one stores late, and evaluates what it stored.
    time.passed = minute;
    for (const account of names) await storeEquity(two.store, account, 1, "500");
    expect(await read(two)).toEqual([...names].sort());
    const fired = (await Promise.all([one.evaluate(), two.evaluate()])).flat().sort();
    expect(fired).toEqual(names.map((account) => `fired drawdown ${account}`).sort());
    time.passed = 2 * minute;
    expect(names.filter((account) => two.store.alerts.isOwn(account))).toEqual(ofTwo);

    // One stores its last snapshots, and is gone before it evaluates them.
    for (const account of ofOne) await storeEquity(store, account, 2, "1000");
    expect(await two.evaluate()).toEqual([]);
    await setDatabaseTime(url, databaseTime + 10_001);
    two.beat();
    await until(() => !two.store.sharing.hasOthers());
    expect((await two.evaluate()).sort()).toEqual(ofOne.map((account) => `recovered drawdown ${account}`).sort());
    // It was only suspended, and still believes to be the first one.
    expect(await one.evaluate()).toEqual([]);

    for (const account of ofTwo) await storeEquity(two.store, account, 2, "1000");
    expect((await two.evaluate()).sort()).toEqual(ofTwo.map((account) => `recovered drawdown ${account}`).sort());
    time.passed = 9 * minute;
    // Both evaluate all accounts of the first one; it writes between what the second one reads and writes.
    const { alerts } = two.store;
    const record = alerts.record.bind(alerts);
    let ofFirst: string[] = [];
    alerts.record = async (changes) => {
      alerts.record = record;
      ofFirst = await one.evaluate();
      return record(changes);
    };
    const ofSecond = await two.evaluate();
    const staleOf = (accounts: string[]) => accounts.map((account) => `fired stale ${account}`).sort();
    expect([ofFirst.sort(), ofSecond.sort()]).toEqual([staleOf(ofOne), staleOf(ofTwo)]);
    const sent = await (await connected(url)).query(
      "select account, state, count(*) as messages from alert_message where kind = 'drawdown' group by 1, 2 order by 1, 2",
    );
    const once = [...names]
      .sort()
      .flatMap((account) => ["fired", "recovered"].map((state) => ({ account, state, messages: 1 })));
    expect(sent).toEqual(once);
  });
});
