/**
 * Simulates the 24 hours before and after a daylight-saving change in each of the given time zones, with the process's
 * own zone set to it. Arguments: a folder for the databases, then ZONE INSTANT pairs. Prints the runs as JSON.
 */
import { join } from "node:path";
import { openWorld } from "../../support/world.ts";

export interface ZoneRuns {
  zone: string;
  /** In the order of their slots, epoch ms. */
  runs: { dataset: string; slot: number; state: string }[];
  /** The offset of local time from UTC at each slot, minutes (as `getTimezoneOffset`). */
  offsets: number[];
}

const halfHour = 1_800_000;
const [folder = "", ...words] = process.argv.slice(2);
const zones: ZoneRuns[] = [];
for (let n = 0; n < words.length; n += 2) {
  const [zone = "", change = ""] = words.slice(n);
  process.env.TZ = zone;
  const middle = Date.parse(change);
  const begin = new Date(middle - 48 * halfHour).toISOString();
  const settings = { SCHEDULE_SPOT_ASSETS: "*/30 * * * *", SCHEDULE_POSITIONS: "30 2 * * *" };
  const world = await openWorld(join(folder, `${n}.db`), begin, settings);
  const offsets: number[] = [];
  for (let slot = 1; slot <= 96; slot += 1) {
    const instant = middle + (slot - 48) * halfHour;
    offsets.push(new Date(instant).getTimezoneOffset());
    await world.at(instant);
  }
  const runs = world.rows(
    "select dataset, scheduled_for_ms as slot, state from runs order by 1, 2",
  ) as ZoneRuns["runs"];
  zones.push({ zone, runs, offsets });
  await world.close();
}
process.stdout.write(JSON.stringify(zones));
