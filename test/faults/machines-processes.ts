/** Machines that die, hang, or have a wrong clock: rows M1 to M5. */
import { expect } from "vitest";
import { seconds } from "../support/wait.ts";
import { namesOf, rowOfMachines, type StoredRun, statesOf } from "./machines.ts";
import { preload } from "./preload.ts";

const crashed = (runs: readonly StoredRun[]): string[] => namesOf(runs.filter(({ cause }) => cause === "crashed"));

rowOfMachines(
  "M1",
  "SIGKILL of one of three machines in the middle of a slot",
  { inEveryRun: true },
  async (machines) => {
    await machines.startAll(["one", "two", "three"]);
    const slot = await machines.heldSlot();
    const { machine, runs } = machines.busiest(slot);
    machine.running.child.kill("SIGKILL");
    await machine.running.finished;
    machines.release();
    const next = await machines.ended(machines.slotAfter(slot));
    expect(statesOf(next)).toEqual(["ok"]);
    expect(next.map(({ worker }) => worker)).not.toContain(machine.name);
    // Only what it had requested is lost.
    const ended = await machines.ended(slot);
    expect(crashed(ended)).toEqual(runs);
    expect(statesOf(ended)).toEqual(["failed (crashed)", "ok"]);
    await machines.start(machine.name);
    await machines.collectsAgain(machine.name, Date.now());
  },
);

rowOfMachines("M2", "SIGSTOP of one of three machines past the deadline of its runs", {}, async (machines) => {
  await machines.startAll(["one", "two", "three"]);
  const slot = await machines.heldSlot();
  const { machine, runs } = machines.busiest(slot);
  machine.running.child.kill("SIGSTOP");
  machines.release();
  const next = await machines.ended(machines.slotAfter(slot));
  expect(statesOf(next)).toEqual(["ok"]);
  expect(crashed(await machines.ended(slot))).toEqual(runs);
  const continued = Date.now();
  machine.running.child.kill("SIGCONT");
  await machines.collectsAgain(machine.name, continued);
  // It had its responses, and they were refused.
  expect(crashed(await machines.ended(slot))).toEqual(runs);
  expect(statesOf(await machines.ended(machines.slotAfter(continued)))).toEqual(["ok"]);
});

rowOfMachines("M3", "SIGSTOP of one of two machines across a slot", { period: 20 }, async (machines) => {
  const [one] = await machines.startAll(["one", "two"]);
  const slot = machines.slotAfter(Date.now() + 1000);
  await seconds((slot - 500 - Date.now()) / 1000);
  one?.running.child.kill("SIGSTOP");
  const runs = await machines.ended(slot);
  expect([...new Set(runs.map(({ state, worker }) => `${state} ${worker}`))]).toEqual(["ok two"]);
  one?.running.child.kill("SIGCONT");
  await machines.collectsAgain("one", slot);
});

rowOfMachines(
  "M4",
  "the clock of one of two machines is 5 s ahead, then 5 s behind",
  { period: 20 },
  async (machines) => {
    const { env, setClock } = preload(machines.bench);
    await machines.start("wrong", env);
    await machines.startAll(["right"]);
    const started = Date.now();
    for (const offset of [5000, -5000]) {
      setClock(offset);
      const since = Date.now();
      await machines.collectsAgain("wrong", since);
      expect(statesOf(await machines.ended(machines.slotAfter(since + 10_000)))).toEqual(["ok"]);
    }
    const unusual = await machines.query<StoredRun>(
      `select account, dataset, state, cause, worker from runs where state <> 'ok' and scheduled_for_ms > ${started}`,
    );
    expect(unusual.map((run) => JSON.stringify(run)).join()).toBe("");
    expect(
      await machines.query("select 1 from snapshots join runs using (run_id) where taken_at_ms < scheduled_for_ms"),
    ).toEqual([]);
  },
);

rowOfMachines("M5", "all machines down over slots", {}, async (machines) => {
  const all = await machines.startAll(["one", "two"]);
  const stopped = Date.now();
  for (const { running } of all) running.child.kill("SIGTERM");
  for (const { running } of all) expect((await running.finished).code).toBe(0);
  const first = machines.slotAfter(stopped + 3000);
  await seconds((first + 11_000 - Date.now()) / 1000);
  await machines.startAll(["one", "two"]);
  const runs = await machines.ended(first);
  expect(statesOf(runs)).toEqual(["missed (not running)"]);
});
