/** The scheduler of a process that shares its slots with others, on a real PostgreSQL whose clock the test sets. */
import { expect, it } from "vitest";
import type { SimulatedAccount } from "../../../src/simulator/simulator.ts";
import { connected, describePostgres } from "../../store/postgres/kit.ts";
import { newRecordedHistory, recorderAt, setDatabaseTime } from "../../store/postgres/recorder-kit.ts";
import { classic, credentials } from "../../support/settings.ts";
import { until } from "../../support/wait.ts";
import { createWorld } from "../../support/world.ts";

const slot = Date.parse("2026-03-01T12:01:00Z");

const named = (name: string): SimulatedAccount => ({
  ...classic,
  ...{ name, key: `bg_${name}`.padEnd(35, "a"), secret: name.padEnd(64, "1") },
});

describePostgres("a process that shares its slots", () => {
  it("has at most sixty runs in flight; slots that wait for one of them to end can be claimed by others", async () => {
    const accounts = Array.from({ length: 70 }, (_, n) => named(`desk${n}`));
    const url = await newRecordedHistory(slot - 30_000);
    const world = await createWorld(
      "2026-03-01T12:00:30Z",
      {
        DATABASE_URL: url,
        WORKER_NAME: "one",
        BITGET_ACCOUNTS: accounts.map(({ name }) => name).join(","),
        ...Object.assign({}, ...accounts.map((one) => credentials(one, `BITGET_${one.name.toUpperCase()}`))),
        BITGET_API_VERSION: "v2",
        SCHEDULE_SPOT_ASSETS: "0 * * * * *",
        RUN_DEADLINE_SECONDS: "20",
      },
      { accounts, from: Date.parse("2026-02-28T00:00:00Z") },
    );
    await world.tick();
    world.exchange.injectFault({ path: "/api/v2/spot/account/assets", hang: true, times: 60 });
    await setDatabaseTime(url, slot);
    world.clock.advanceTo(slot);
    world.scheduler.tick();
    await until(() => world.exchange.pendingFaults() === 0);
    const postgres = await connected(url);
    const counts = () => postgres.query(`select state, cause, count(*) as runs from runs group by 1, 2 order by 1, 2`);
    expect(await counts()).toEqual([{ state: "running", cause: null, runs: 60 }]);
    const [free] = await postgres.query<{ name: string }>(
      "select name from account where name like 'desk%' and name not in (select account from runs) limit 1",
    );
    const other = await recorderAt(url, { worker: "two" });
    expect(await other.begin(free?.name ?? "", "spot-assets", slot, slot)).toEqual(expect.any(Number));

    await setDatabaseTime(url, slot + 20_000);
    world.clock.advanceTo(slot + 20_000);
    await world.scheduler.idle();
    expect(await counts()).toEqual([
      { state: "failed", cause: "deadline", runs: 60 },
      { state: "ok", cause: "late", runs: 9 },
      { state: "running", cause: null, runs: 1 },
    ]);
  });

  it("accounts for the slots of a schedule that another one has begun in the meantime, and did not run", async () => {
    const at = (second: number) => Date.parse("2026-03-01T12:00:00Z") + second * 1000;
    const url = await newRecordedHistory(at(10));
    const open = (second: number, name: string) =>
      createWorld(
        new Date(at(second)).toISOString(),
        { DATABASE_URL: url, WORKER_NAME: name, SCHEDULE_SPOT_ASSETS: "*/10 * * * * *" },
        { from: Date.parse("2026-02-28T00:00:00Z") },
      );
    const [one, two] = [await open(10, "one"), await open(40, "two")];
    await one.at(at(11));
    await setDatabaseTime(url, at(43));
    await two.at(at(43));
    const postgres = await connected(url);
    expect(await postgres.query("select scheduled_for, state from runs order by 1")).toEqual([
      { scheduled_for: "2026-03-01T12:00:20.000Z", state: "missed" },
      { scheduled_for: "2026-03-01T12:00:30.000Z", state: "missed" },
      { scheduled_for: "2026-03-01T12:00:40.000Z", state: "ok" },
    ]);
    expect(await postgres.query("select until from schedules")).toEqual([{ until: null }]);
  });

  it("closes the slots of an account whose key no live process has, and leaves its schedule in force", async () => {
    const at = (second: number) => Date.parse("2026-03-01T12:00:00Z") + second * 1000;
    const url = await newRecordedHistory(at(0));
    const world = await createWorld(
      "2026-03-01T12:00:01Z",
      { DATABASE_URL: url, WORKER_NAME: "one", SCHEDULE_SPOT_ASSETS: "*/10 * * * * *" },
      { from: Date.parse("2026-02-28T00:00:00Z") },
    );
    const postgres = await connected(url);
    const [one] = await postgres.query<{ settings: string }>("select settings from worker");
    const { settings } = JSON.parse(one?.settings ?? "");
    const registration = { name: "two", version: "1.0.0", settings, accounts: ["gone"] };
    const two = await recorderAt(url, { worker: "two", registration });
    const hasOthers = () => world.app.store.sharing?.hasOthers() === true;
    world.clock.advanceTo(at(5));
    await until(hasOthers);
    await two.setSchedule("gone", "spot-assets", "*/10 * * * * *", at(0));
    const found = () =>
      postgres.query<{ slot: string }>(
        `select substr(scheduled_for, 15, 5) || ' ' || state || ' ' || cause as slot from runs where account = 'gone' order by 1`,
      );
    await world.at(at(43));
    expect(await found()).toEqual([]);
    await two.leave();
    await setDatabaseTime(url, at(103));
    world.clock.advanceTo(at(60));
    await until(() => !hasOthers());
    await world.at(at(103));
    const missed = ["00:10", "00:20", "00:30", "00:40", "00:50", "01:00", "01:10", "01:20", "01:30"];
    expect(await found()).toEqual(missed.map((slot) => ({ slot: `${slot} missed not running` })));
    expect(await postgres.query("select until from schedules where account = 'gone'")).toEqual([{ until: null }]);
  });
});
