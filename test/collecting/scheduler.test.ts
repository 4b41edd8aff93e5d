/** That what is due (`due.test.ts`) is done and stored: the real scheduler, client, store and exchange on a clock we set. */
import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { collect } from "../../src/collecting/collect.ts";
import { datasets } from "../../src/datasets/index.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { withHistory } from "../../src/store/read/open-history.ts";
import { verify } from "../../src/store/verify/verify.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { until } from "../support/wait.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;

const runs = () =>
  (
    world.rows("select substr(scheduled_for, 12, 8) as slot, state, cause from runs order by scheduled_for") as {
      slot: string;
      state: string;
      cause: string | null;
    }[]
  ).map(({ slot, state, cause }) => `${slot} ${state}${cause === null ? "" : ` ${cause}`}`);

/** A run begins at 12:01 and gets no answer until the clock has reached `instant`. */
async function hangUntil(instant: string): Promise<void> {
  world.exchange.injectFault({ path: "/api/v2/spot/account/assets", hang: true });
  world.clock.advanceTo(Date.parse("2026-03-01T12:01:00Z"));
  world.scheduler.tick();
  await until(() => world.exchange.pendingFaults() === 0);
  world.clock.advanceTo(Date.parse(instant));
  await world.scheduler.idle();
}

const everyMinute = { SCHEDULE_SPOT_ASSETS: "* * * * *" };

describe("a slot", () => {
  it("is run at its time, and not before", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.tick();
    expect(runs()).toEqual([]);
    await world.at("2026-03-01T12:01:00Z");
    await world.tick();
    await world.at("2026-03-01T12:02:00Z");
    expect(runs()).toEqual(["12:01:00 ok", "12:02:00 ok"]);
  });

  it("reached a little late is run and recorded as late", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:29Z");
    expect(runs()).toEqual(["12:01:00 ok late"]);
    expect(world.rows("select late_ms >= 29000 as late from runs")).toEqual([{ late: 1 }]);
  });

  it("is missed if the machine sleeps through it, and the next one is run at its time", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    world.clock.setWallClock(Date.parse("2026-03-01T12:04:40Z"));
    await world.tick();
    await world.at("2026-03-01T12:05:00Z");
    const asleep = "missed asleep or clock set forward";
    expect(runs()).toEqual([
      "12:01:00 ok",
      `12:02:00 ${asleep}`,
      `12:03:00 ${asleep}`,
      `12:04:00 ${asleep}`,
      "12:05:00 ok",
    ]);
  });

  it("is missed while no daemon runs, also between two good ones", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    await world.scheduler.stop();
    world.clock.advanceTo(Date.parse("2026-03-01T12:03:45Z"));
    await world.restart();
    await world.at("2026-03-01T12:04:00Z");
    expect(runs()).toEqual([
      "12:01:00 ok",
      "12:02:00 missed not running",
      "12:03:00 missed not running",
      "12:04:00 ok",
    ]);
  });

  it("is not forgotten after a manual run while no daemon was running", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    await world.scheduler.stop();
    world.clock.advanceTo(Date.parse("2026-03-01T12:02:45Z"));
    const [session] = world.app.sessions;
    const slot = world.clock.now();
    if (session) await collect({ dataset: spotAssets, session, slot, trigger: "demand" }, world.app.deps);
    world.clock.advanceTo(Date.parse("2026-03-01T12:03:45Z"));
    await world.restart();
    await world.tick();
    expect(runs()).toEqual([
      "12:01:00 ok",
      "12:02:00 missed not running",
      "12:02:45 ok",
      "12:03:00 missed not running",
    ]);
  });

  it("is never run twice, also when the clock is set back", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    await world.at("2026-03-01T12:02:00Z");
    world.clock.setWallClock(Date.parse("2026-03-01T12:00:50Z"));
    for (const time of ["12:01:00", "12:02:00", "12:03:00"]) await world.at(`2026-03-01T${time}Z`);
    expect(runs()).toEqual(["12:01:00 ok", "12:02:00 ok", "12:03:00 ok"]);
    expect(world.rows("select count(*) as n from snapshots")).toEqual([{ n: 3 }]);
  });

  it("recorded as missed while the clock was ahead is run when it is really due", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    world.clock.setWallClock(Date.parse("2026-03-01T12:03:45Z"));
    await world.tick();
    expect(runs().map((run) => run.slice(0, 15))).toEqual(["12:01:00 missed", "12:02:00 missed", "12:03:00 missed"]);
    world.clock.setWallClock(Date.parse("2026-03-01T12:00:50Z"));
    for (const time of ["12:01:00", "12:02:00", "12:03:00"]) await world.at(`2026-03-01T${time}Z`);
    expect(runs()).toEqual(["12:01:00 ok", "12:02:00 ok", "12:03:00 ok"]);
  });

  it("whose run hangs is aborted when the next one is due, which is run", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", { ...everyMinute, RUN_DEADLINE_SECONDS: "3600" });
    await hangUntil("2026-03-01T12:02:00Z");
    expect(runs()).toEqual(["12:01:00 failed deadline", "12:02:00 ok"]);
  });

  it("is not filled with a response received after the machine slept during its run", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    world.exchange.injectFault({ path: "/api/v2/spot/account/assets", status: 503, code: "45001" });
    world.clock.advanceTo(Date.parse("2026-03-01T12:01:00Z"));
    world.scheduler.tick();
    await until(() => world.exchange.pendingFaults() === 0);
    world.clock.setWallClock(Date.parse("2026-03-01T12:10:05Z"));
    await world.scheduler.idle();
    await world.tick();
    const asleep = "missed asleep or clock set forward";
    const night = ["02", "03", "04", "05", "06", "07", "08", "09"].map((minute) => `12:${minute}:00 ${asleep}`);
    expect(runs()).toEqual(["12:01:00 failed deadline", ...night, "12:10:00 ok late"]);
  });

  it("that is due during the run of the previous one is skipped", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await hangUntil("2026-03-01T12:04:20Z");
    expect(runs()).toEqual([
      "12:01:00 failed deadline",
      "12:02:00 skipped overlap",
      "12:03:00 skipped overlap",
      "12:04:00 ok late",
    ]);
  });
});

it("stops before all of many missed slots are recorded, and continues at the next start", async () => {
  world = await createWorld("2026-03-01T12:00:30Z", { SCHEDULE_SPOT_ASSETS: "* * * * * *" });
  world.clock.setWallClock(Date.parse("2026-03-01T15:00:30Z"));
  world.scheduler.tick();
  await until(() => (world.rows("select count(*) as n from runs")[0] as { n: number }).n > 0);
  await world.scheduler.stop();
  const [{ n }] = world.rows("select count(*) as n from runs") as [{ n: number }];
  expect(n).toBeLessThan(10_000);
  await world.restart();
  await world.tick();
  expect(world.rows("select count(*) as n from runs where scheduled_for <= '2026-03-01T15:00:29.999Z'")).toEqual([
    { n: 10_799 },
  ]);
});

it("leaves no event listeners of a run behind", async () => {
  world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
  await world.at("2026-03-01T12:01:00Z");
  await world.at("2026-03-01T12:02:00Z");
  expect(getEventListeners(world.app.deps.stopping, "abort")).toEqual([]);
});

it("records why a run was aborted when the program stops", async () => {
  world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
  world.exchange.injectFault({ path: "/api/v2/spot/account/assets", hang: true });
  world.clock.advanceTo(Date.parse("2026-03-01T12:01:00Z"));
  world.scheduler.tick();
  await until(() => world.exchange.pendingFaults() === 0);
  world.app.abortRuns();
  await world.scheduler.idle();
  expect(world.rows("select error_code, error_message from snapshots")).toEqual([
    { error_code: "deadline", error_message: "the program was stopped before it was finished" },
  ]);
});

describe("a schedule", () => {
  it("that was switched off for a week has no missed slots of that week", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    await world.restart({});
    await world.tick();
    world.clock.advanceTo(Date.parse("2026-03-08T12:00:30Z"));
    await world.restart(everyMinute);
    await world.tick();
    await world.at("2026-03-08T12:01:00Z");
    expect(runs()).toEqual(["12:01:00 ok", "12:01:00 ok"]);
  });
});

describe("a clock that is years ahead", () => {
  const hourly = { SCHEDULE_SPOT_ASSETS: "0 * * * *" };

  it("records no future slots: the exchange is asked first and contradicts the clock", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", hourly);
    await world.at("2026-03-01T13:00:00Z");
    const wrong = Date.parse("2030-03-01T12:00:30Z");
    world.exchange.clockSkewMs = world.clock.now() - wrong;
    world.clock.setWallClock(wrong);
    await world.tick();
    expect(runs()).toEqual(["13:00:00 ok"]);
    world.exchange.clockSkewMs = 0;
    world.clock.setWallClock(Date.parse("2026-03-01T13:10:00Z"));
    await world.at("2026-03-01T14:00:00Z");
    expect(runs()).toEqual(["13:00:00 ok", "14:00:00 ok"]);
  });

  it("or behind causes no records of times before the schedule began", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", hourly);
    await world.at("2026-03-01T13:00:00Z");
    world.exchange.clockSkewMs = 10 * 86_400_000;
    world.clock.setWallClock(Date.parse("2026-02-19T13:10:00Z"));
    await world.restart();
    await world.tick();
    world.exchange.clockSkewMs = 0;
    world.clock.setWallClock(Date.parse("2026-03-01T13:20:00Z"));
    await world.tick();
    await world.at("2026-03-01T14:00:00Z");
    expect(runs()).toEqual(["13:00:00 ok", "14:00:00 ok"]);
  });

  it("is accepted if the exchange confirms it, because that much time has passed", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", { SCHEDULE_SPOT_ASSETS: "*/10 * * * *" });
    world.clock.setWallClock(Date.parse("2026-06-01T12:00:30Z"));
    await world.tick();
    expect(world.rows("select count(*) as n, count(distinct scheduled_for) as slots from runs")).toEqual([
      { n: 13_248, slots: 13_248 },
    ]);
  });
});

describe("a clock that the exchange has not confirmed", () => {
  const day = 86_400_000;
  const at = (instant: string) => Date.parse(instant);

  /** Starts on a new database, with the machine's clock off by so much. */
  async function startOff(byMs: number, settings: Record<string, string> = everyMinute): Promise<void> {
    world = await createWorld("2026-03-01T12:00:30Z", settings);
    world.exchange.clockSkewMs = -byMs;
    world.clock.setWallClock(world.clock.now() + byMs);
    await world.restart();
  }

  /** The machine's clock is set to that of the exchange; `instant` is how late it is by then. */
  function setRight(instant: string): void {
    world.exchange.clockSkewMs = 0;
    world.clock.setWallClock(at(instant));
  }

  it.each([
    ["a month behind", -30 * day],
    ["56 years behind", -at("2026-03-01T12:00:30Z")],
    ["four years ahead", 4 * 365 * day],
    ["eleven minutes behind", -660_000],
  ])("%s, at the first start, writes nothing; the first slot is the one after it is set right", async (_, byMs) => {
    await startOff(byMs);
    for (const minute of [1, 2, 3]) await world.at(at("2026-03-01T12:00:45Z") + byMs + minute * 60_000);
    for (const table of ["runs", "schedules", "gaps", "account_modes"])
      expect(world.rows(`select * from ${table}`), table).toEqual([]);
    setRight("2026-03-01T12:04:20Z");
    await world.tick();
    expect(world.rows("select distinct since from schedules")).toEqual([
      { since: expect.stringMatching(/^2026-03-01T12:04:2/) },
    ]);
    await world.at("2026-03-01T12:05:00Z");
    expect(runs()).toEqual(["12:05:00 ok"]);
    expect(world.rows("select substr(since, 1, 16) as since from account_modes")).toEqual([
      { since: "2026-03-01T12:05" },
    ]);
  });

  it("makes a new dataset due only once it is confirmed, and records missed slots of the others until then", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    await world.scheduler.stop();
    world.clock.advanceTo(at("2026-03-01T12:02:30Z"));
    world.exchange.clockSkewMs = 30 * day;
    world.clock.setWallClock(world.clock.now() - 30 * day);
    await world.restart({ ...everyMinute, SCHEDULE_POSITIONS: "* * * * *" });
    await world.at(world.clock.now() + 120_000);
    expect(world.rows("select count(*) as n from runs")).toEqual([{ n: 1 }]);
    setRight("2026-03-01T12:04:40Z");
    await world.tick();
    await world.at("2026-03-01T12:05:00Z");
    const of = (dataset: string) =>
      world.rows(
        `select substr(scheduled_for, 12, 8) as slot, state, cause from runs where dataset = '${dataset}' order by scheduled_for`,
      );
    expect(of("positions")).toEqual([{ slot: "12:05:00", state: "ok", cause: null }]);
    expect(of("spot-assets")).toEqual([
      { slot: "12:01:00", state: "ok", cause: null },
      { slot: "12:02:00", state: "missed", cause: "not running" },
      { slot: "12:03:00", state: "missed", cause: "clock not confirmed" },
      { slot: "12:04:00", state: "missed", cause: "clock not confirmed" },
      { slot: "12:05:00", state: "ok", cause: null },
    ]);
  });

  it("after a start lets no slot be run or missed until it is confirmed; then the cause is recorded", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    await world.scheduler.stop();
    world.exchange.injectFault({ path: "/api/v2/", reset: true, times: Number.POSITIVE_INFINITY });
    await world.restart();
    await world.at("2026-03-01T12:02:00Z");
    await world.at("2026-03-01T12:03:40Z");
    expect(runs()).toEqual(["12:01:00 ok"]);
    expect(world.scheduler.problem()).toContain("the exchange has not confirmed this machine's clock");
    world.exchange.clearFaults();
    await world.at("2026-03-01T12:04:00Z");
    expect(runs()).toEqual([
      "12:01:00 ok",
      "12:02:00 missed clock not confirmed",
      "12:03:00 missed clock not confirmed",
      "12:04:00 ok",
    ]);
    expect(world.scheduler.problem()).toBe("");
  });

  it("is confirmed first after a sleep: only slots during the sleep have that cause", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    world.exchange.injectFault({ path: "/api/v2/public/time", reset: true, times: Number.POSITIVE_INFINITY });
    world.clock.setWallClock(at("2026-03-01T12:03:50Z"));
    await world.tick();
    await world.at("2026-03-01T12:04:50Z");
    expect(runs()).toEqual(["12:01:00 ok"]);
    world.exchange.clearFaults();
    await world.at("2026-03-01T12:05:00Z");
    const asleep = "missed asleep or clock set forward";
    expect(runs()).toEqual([
      "12:01:00 ok",
      `12:02:00 ${asleep}`,
      `12:03:00 ${asleep}`,
      "12:04:00 missed clock not confirmed",
      "12:05:00 ok",
    ]);
  });

  it("a few minutes behind is corrected for, and a new schedule begins by the exchange's clock", async () => {
    await startOff(-240_000);
    await world.tick();
    expect(world.rows("select distinct substr(since, 12, 7) as since from schedules")).toEqual([{ since: "12:00:3" }]);
    setRight("2026-03-01T12:00:50Z");
    await world.at("2026-03-01T12:01:00Z");
    expect(runs()).toEqual(["12:01:00 ok"]);
  });

  it("years ahead in the middle of a run does not put the end of that run into the future", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    world.exchange.injectFault({ path: "/api/v2/spot/account/assets", delayMs: 20 });
    world.clock.advanceTo(at("2026-03-01T12:01:00Z"));
    world.scheduler.tick();
    await until(() => world.exchange.pendingFaults() === 0);
    world.exchange.clockSkewMs = -4 * 365 * day;
    world.clock.setWallClock(world.clock.now() + 4 * 365 * day);
    await world.scheduler.idle();
    expect(world.rows("select max(finished_at) < '2026-03-02' as ok from runs")).toEqual([{ ok: 1 }]);
    expect(world.rows("select max(taken_at) < '2026-03-02' as ok from snapshots")).toEqual([{ ok: 1 }]);
  });
});

describe("a response that cannot be stored as it is", () => {
  it("fails its run with the kind of failure as cause, also if the run was late", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    const twice = (envelope: unknown) => {
      const { data, ...rest } = envelope as { data: object[] };
      return { ...rest, data: [...data, { ...data[0], available: "1" }] };
    };
    world.exchange.injectFault({ path: "/api/v2/spot/account/assets", edit: twice });
    await world.at("2026-03-01T12:01:10Z");
    expect(runs()).toEqual(["12:01:00 failed shape"]);
  });
});

describe("a second account", () => {
  it("moves the slots of the first within their minute, and its removal moves them back: none is lost or run twice", async () => {
    const everyFive = { SCHEDULE_SPOT_ASSETS: "*/5 * * * *" };
    const both = { ...everyFive, ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
    world = await createWorld("2026-03-01T12:00:30Z", everyFive, { accounts: [classic, unified] });
    const restartAt = async (time: string, settings: Record<string, string>) => {
      world.clock.advanceTo(Date.parse(`2026-03-01T${time}Z`));
      await world.restart(settings);
      await world.tick();
    };
    await world.at("2026-03-01T12:05:00Z");
    await restartAt("12:10:01", both);
    for (const time of ["12:10:21", "12:10:45", "12:15:21", "12:15:45"]) await world.at(`2026-03-01T${time}Z`);
    await restartAt("12:20:10", everyFive);
    for (const time of ["12:20:45", "12:25:00"]) await world.at(`2026-03-01T${time}Z`);

    expect(runs()).toEqual([
      "12:05:00 ok",
      "12:10:21 ok",
      "12:10:45 ok",
      "12:15:21 ok",
      "12:15:45 ok",
      "12:20:00 ok late",
      "12:25:00 ok",
    ]);
    expect(world.rows("select account, pattern from schedules order by since, account desc")).toEqual([
      { account: "main", pattern: "*/5 * * * *" },
      { account: "main", pattern: "45 */5 * * * *" },
      { account: "hedge", pattern: "21 */5 * * * *" },
      { account: "main", pattern: "*/5 * * * *" },
    ]);
    expect((await verify(world.path, datasets)).problems).toEqual([]);
  });
});

describe("an account that was removed from the settings", () => {
  it("has its slots accounted for until then, and none after", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute, { accounts: [classic, unified] });
    const inSecond0 = { SCHEDULE_SPOT_ASSETS: "0 * * * * *" };
    const both = { ...inSecond0, ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
    await world.restart(both);
    await world.at("2026-03-01T12:01:00Z");
    await world.restart(inSecond0);
    await world.at("2026-03-01T12:02:00Z");
    await world.at("2026-03-01T12:03:00Z");
    const of = (account: string) =>
      world.rows(`select state from runs where account = '${account}' order by scheduled_for`);
    expect(of("hedge")).toEqual([{ state: "ok" }]);
    expect(of("main")).toEqual([{ state: "ok" }, { state: "ok" }, { state: "ok" }]);
    expect(
      withHistory(world.path, (history) => history.status(world.clock.now())).map(({ account }) => account),
    ).toEqual(["main"]);
  });
});
