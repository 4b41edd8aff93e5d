/** Sub-accounts whose main account moves from one process to another, on a real PostgreSQL whose clock the test sets. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import type { SimulatedSubAccount } from "../../../src/simulator/simulator.ts";
import { rankOf } from "../../../src/store/postgres/recorder/rank.ts";
import { connected, describePostgres } from "../../store/postgres/kit.ts";
import { newRecordedHistory } from "../../store/postgres/recorder-kit.ts";
import { classic, credentials } from "../../support/settings.ts";
import { until } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const sub = (uid: string): SimulatedSubAccount => ({ uid, name: `sub${uid}`, mode: "classic" });
const day = "2026-03-01";

/** The processes live through a slot and the time after it in which the second one looks for what the first one did not run. */
async function through(worlds: readonly World[], time: string): Promise<void> {
  const slot = Date.parse(`${day}T${time}:00Z`);
  for (const at of [slot, slot + 6000]) {
    for (const { clock } of worlds) clock.advanceTo(at);
    for (const { scheduler } of worlds) scheduler.tick();
    let isDone = false;
    const done = Promise.all(worlds.map(({ scheduler }) => scheduler.idle())).then(() => {
      isDone = true;
    });
    // The limits of the exchange need time.
    while (!isDone) {
      await pause(2);
      const now = Math.max(...worlds.map(({ clock }) => clock.now())) + 500;
      for (const { clock } of worlds) clock.advanceTo(now);
    }
    await done;
    for (const world of worlds) await world.tick();
  }
}

describePostgres("sub-accounts", () => {
  it("are listed by one process; another one that takes over continues with those that it would collect now", async () => {
    // The database is at the end of the day: every slot has come, and a process is live until it leaves.
    const url = await newRecordedHistory(Date.parse(`${day}T23:00:00Z`));
    const names = ["a", "b"].map((name) => ({ name, isPaused: false }));
    names.sort((one, other) => rankOf(one, "main", names) - rankOf(other, "main", names));
    const account = { ...classic, addresses: "127.0.0.1", subAccounts: [sub("101"), sub("102")] };
    const open = (time: string, name = "", more: Record<string, string> = {}) =>
      createWorld(
        `${day}T${time}:00Z`,
        {
          ...{ DATABASE_URL: url, WORKER_NAME: name, SUB_ACCOUNTS_OF: "main", SCHEDULE_SUB_ACCOUNTS: "0 * * * *" },
          ...{ RUN_DEADLINE_SECONDS: "3500", BITGET_PRODUCT_TYPES: "umcbl" },
          ...credentials(account),
          ...more,
        },
        { accounts: [account], from: Date.parse("2026-02-28T00:00:00Z") },
      );
    const one = await open("09:30", names[0]?.name);
    await through([one], "09:31");
    await through([one], "10:00");
    const two = await open("10:30", names[1]?.name, { BITGET_BASE_URL: one.exchange.url });
    one.clock.advanceTo(two.clock.now());
    await until(() => one.app.store.sharing?.hasOthers() === true);
    account.subAccounts.splice(0, 1);
    account.subAccounts.push(sub("104"));
    for (const time of ["11:00", "12:00", "13:00", "14:00"]) await through([one, two], time);
    expect(two.app.mains[0]?.sessions.map(({ name }) => name).sort()).toEqual(["main/101", "main/102"]);

    await one.scheduler.stop();
    await one.app.store.leave?.();
    two.clock.advanceTo(two.clock.now() + 2000);
    await until(() => two.app.store.sharing?.hasOthers() === false);
    await two.tick();
    expect(two.app.mains[0]?.sessions.map(({ name }) => name).sort()).toEqual(["main/102", "main/104"]);
    await through([two], "15:00");

    const postgres = await connected(url);
    const runs = await postgres.query<{ run: string }>(
      `select account || ' ' || substr(scheduled_for, 12, 5) || ' ' || worker as run from runs
       where dataset = 'mix-accounts' order by 1`,
    );
    const [first, second] = names.map(({ name }) => name);
    const by = (account: string, ...hours: number[]) =>
      hours.map((hour) => `main/${account} ${hour}:00 ${hour < 15 ? first : second}`);
    expect(runs.map(({ run }) => run)).toEqual([
      ...by("101", 10, 11, 12),
      ...by("102", 10, 11, 12, 13, 14, 15),
      ...by("104", 12, 13, 14, 15),
    ]);
    expect(await postgres.query("select 1 from runs where state = 'missed'")).toEqual([]);
    const ended = "case when until is null then 'in force' else 'ended' end";
    expect(
      await postgres.query(
        `select account, ${ended} as state from schedules where dataset = 'mix-accounts' order by 1`,
      ),
    ).toEqual([
      { account: "main/101", state: "ended" },
      { account: "main/102", state: "in force" },
      { account: "main/104", state: "in force" },
    ]);
    expect(one.exchange.counts.limitViolations).toBe(0);
  });
});
