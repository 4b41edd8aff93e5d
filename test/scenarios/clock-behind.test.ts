/** A machine whose clock is wrong after a restart: nothing gets a new age, and nothing that is kept goes. */
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { causes } from "../../src/core/domain.ts";
import { withHistory } from "../../src/store/read/open-history.ts";
import { rawFile } from "../../src/store/responses/archive-file.ts";
import { causeDescriptions } from "../../src/web/data/collection.ts";
import { parseExposition } from "../support/exposition.ts";
import { createWorld, type World } from "../support/world.ts";

const minute = 60_000;
const day = 86_400_000;
const noon = Date.parse("2026-03-01T12:00:00Z");

/** Collects for so many minutes, then is off and starts again with a clock that says `clock` while it really is `later`. */
async function restarted(minutes: number, clock: number, later: number): Promise<World> {
  const world = await createWorld("2026-03-01T12:00:30Z", { SCHEDULE_SPOT_ASSETS: "* * * * *", KEEP_RAW_DAYS: "30" });
  for (let n = 1; n <= minutes; n += 1) await world.at(noon + n * minute);
  await world.scheduler.stop();
  world.exchange.clockSkewMs = later - clock;
  world.clock.setWallClock(clock);
  await world.restart();
  return world;
}

it("a clock that is before what is stored makes nothing fresh and gives nothing an age", async () => {
  const saved = noon + 10 * minute + 30_000;
  const world = await restarted(50, saved, noon + day);
  for (let n = 1; n <= 45; n += 1) {
    await world.at(saved + n * minute);
    const samples = parseExposition(await world.metrics.text());
    const valuesOf = (name: string) => samples.filter((one) => one.name === name).map(({ value }) => value);
    expect([n, valuesOf("bitget_collector_fresh")]).toEqual([n, [0]]);
    expect(valuesOf("bitget_collector_snapshot_age_seconds")).toEqual([]);
    // Another process, which asks nobody, sees that until the clock comes to the end of what is stored.
    if (world.clock.now() > noon + 49 * minute) continue;
    expect(withHistory(world.path, (history) => history.status(world.clock.now()))).toMatchObject([
      { dataset: "spot-assets", fresh: false, ageMs: null, lastOkAt: noon + 50 * minute },
    ]);
  }
});

it("a clock that is years ahead takes no kept answer away", async () => {
  const world = await restarted(20, Date.parse("2030-02-28T12:00:00Z"), noon + 20 * minute);
  await world.tick();
  await world.restart();
  const database = new Database(rawFile(world.path), { readonly: true });
  const kept = database.prepare("select count(*) from answer").pluck().get();
  database.close();
  expect(kept).toBe(20);
});

it("every cause of a slot without a snapshot has a sentence on the page", () => {
  const { late: _ran, ...without } = causes;
  expect(Object.values(without).filter((cause) => !Object.hasOwn(causeDescriptions, cause))).toEqual([]);
});
