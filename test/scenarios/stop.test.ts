/** A stop ends every wait of the program: for an exchange that never responds, endpoint by endpoint, and for a locked database. */
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { commonEndpoints } from "../../src/bitget/endpoints.ts";
import { snapshotDatasets } from "../../src/datasets/index.ts";
import { everyDataset } from "../support/settings.ts";
import { until } from "../support/wait.ts";
import { createWorld, type World } from "../support/world.ts";

const hang = Number.POSITIVE_INFINITY;
const { "v2/time": time, "v3/settings": mode, "v2/key": key } = commonEndpoints;

/** The requests of one cycle of a classic account, preceded by those for mode and key. */
const asked = [mode, key, ...snapshotDatasets.flatMap(({ sources }) => sources.v2?.endpoint ?? [])];

const start = "2026-03-01T12:00:30Z";
const slot = Date.parse("2026-03-01T12:01:00Z");

async function cutAt(world: World): Promise<void> {
  const stopped = world.scheduler.stop();
  world.app.abortRuns();
  await stopped;
  expect(world.rows("select count(*) as n from runs where state = 'running'")).toEqual([{ n: 0 }]);
}

it.each(asked.map(({ path }) => [path]))("a stop ends the wait for %s", async (path) => {
  const world = await createWorld(start, everyDataset("* * * * *"));
  let isAsked = false;
  world.exchange.injectFault({ path, hang: true, times: hang });
  const { record } = world.exchange;
  world.clock.advanceTo(slot);
  const before = world.exchange.counts.requests;
  world.scheduler.tick();
  // By then every request that does not depend on this endpoint has its response.
  await until(() => {
    isAsked = world.exchange.counts.requests > before;
    return isAsked && (record.length > 0 || [mode.path, key.path].includes(path));
  });
  await cutAt(world);
});

it("a stop ends the wait for the exchange's time, without aborting a run", async () => {
  const world = await createWorld(start, everyDataset("* * * * *"));
  world.exchange.injectFault({ path: time.path, hang: true });
  world.clock.setWallClock(slot + 3_600_000);
  world.scheduler.tick();
  await until(() => world.exchange.pendingFaults() === 0);
  await world.scheduler.stop();
  expect(world.rows("select count(*) as n from runs")).toEqual([{ n: 0 }]);
});

it.each([
  ["a pause that the exchange asked for", { status: 429, headers: { "retry-after": "30" } }],
  ["the pause before another attempt", { status: 503 }],
])("a stop ends the wait during %s", async (_, fault) => {
  const world = await createWorld(start, { SCHEDULE_SPOT_ASSETS: "* * * * *" });
  world.exchange.injectFault({ path: "/api/v2/spot/account/assets", ...fault });
  world.clock.advanceTo(slot);
  world.scheduler.tick();
  await until(() => world.exchange.pendingFaults() === 0);
  await cutAt(world);
});

it("a stop ends the wait for a database that another program has locked", async () => {
  const world = await createWorld(start, { SCHEDULE_SPOT_ASSETS: "* * * * *" });
  await world.tick();
  const other = new Database(world.path);
  other.exec("begin immediate");
  world.clock.advanceTo(slot);
  world.scheduler.tick();
  // During these turns of the event loop the claim of the slot begins to wait for the database.
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  const stopped = world.scheduler.stop();
  world.app.abortRuns();
  await stopped;
  await world.app.alerts.stop();
  other.exec("rollback");
  other.close();
  expect(world.rows("select count(*) as n from runs")).toEqual([{ n: 0 }]);
});
