/** A machine whose clock is wrong after a restart: no data gets a wrong age, and no raw response is deleted. */
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { causes } from "../../src/core/domain.ts";
import { withHistory } from "../../src/store/read/open-history.ts";
import { rawFile } from "../../src/store/responses/archive-file.ts";
import { causeDescriptions } from "../../src/web/data/health/collection.ts";
import { parseExposition } from "../support/exposition.ts";
import { createWorld, type World } from "../support/world.ts";

const minute = 60_000;
const day = 86_400_000;
const noon = Date.parse("2026-03-01T12:00:00Z");

/** Collects for some minutes, stops, and starts again at the true time `later` with a clock that shows `clock`. */
async function restarted(minutes: number, clock: number, later: number): Promise<World> {
  const world = await createWorld("2026-03-01T12:00:30Z", { SCHEDULE_SPOT_ASSETS: "* * * * *", KEEP_RAW_DAYS: "30" });
  for (let n = 1; n <= minutes; n += 1) await world.at(noon + n * minute);
  await world.scheduler.stop();
  world.exchange.clockSkewMs = later - clock;
  world.clock.setWallClock(clock);
  await world.restart();
  return world;
}

it("with a clock behind the stored data, nothing is fresh and nothing has an age", async () => {
  const saved = noon + 10 * minute + 30_000;
  const world = await restarted(50, saved, noon + day);
  for (let n = 1; n <= 45; n += 1) {
    await world.at(saved + n * minute);
    const samples = parseExposition(await world.metrics.text());
    const valuesOf = (name: string) => samples.filter((one) => one.name === name).map(({ value }) => value);
    expect([n, valuesOf("bitget_collector_fresh")]).toEqual([n, [0]]);
    expect(valuesOf("bitget_collector_snapshot_age_seconds")).toEqual([]);
    // Another process, without a connection to the exchange, shows this until the clock passes the stored data.
    if (world.clock.now() > noon + 49 * minute) continue;
    expect(withHistory(world.path, (history) => history.status(world.clock.now()))).toMatchObject([
      { dataset: "spot-assets", fresh: false, ageMs: null, lastOkAt: noon + 50 * minute },
    ]);
  }
});

it("a clock that is years ahead deletes no raw response", async () => {
  const world = await restarted(20, Date.parse("2030-02-28T12:00:00Z"), noon + 20 * minute);
  await world.tick();
  await world.restart();
  const database = new Database(rawFile(world.path), { readonly: true });
  const kept = database.prepare("select count(*) from answer").pluck().get();
  database.close();
  expect(kept).toBe(20);
});

it("every cause of a slot without a snapshot has a description on the page", () => {
  const { late: _ran, ...without } = causes;
  expect(Object.values(without).filter((cause) => !Object.hasOwn(causeDescriptions, cause))).toEqual([]);
});
