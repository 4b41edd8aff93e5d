/** Why records are missing is said for each dataset of records: in the view `gaps`, by `status`, and on the page of data health. */
import { describe, expect, it, onTestFinished } from "vitest";
import { status } from "../../../src/commands/read/status.ts";
import { missingRecordLines } from "../../../src/commands/shared/missing-records.ts";
import { isOnByDefault, recordDatasets } from "../../../src/datasets/index.ts";
import { scheduleSetting } from "../../../src/settings/sections/collecting.ts";
import { withHistory } from "../../../src/store/read/open-history.ts";
import { serve } from "../../../src/web/server.ts";
import { openSite } from "../../../src/web/site.ts";
import { fetchOnce } from "../../support/http.ts";
import { classic, credentials, unified } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";
import { idle } from "../../web/site.ts";

const start = Date.parse("2026-10-20T10:00:00Z");
const hour = 3_600_000;
const day = 24 * hour;
const names = recordDatasets
  .filter(isOnByDefault)
  .map(({ name }) => name)
  .sort();
const schedules = Object.fromEntries(names.map((name) => [scheduleSetting(name), "0 10 * * *"]));

async function serving(world: World): Promise<(path: string) => Promise<Response>> {
  const site = openSite({ databasePath: world.path, timezone: "UTC", sqlTimeoutSeconds: 10 }, idle);
  const place = { host: "127.0.0.1", port: 0, token: null, names: [] };
  const server = await serve({ ...site, now: () => world.clock.now() }, place, (problem) => {
    throw problem;
  });
  onTestFinished(() => {
    server.close();
    site.close();
  });
  return (path) => fetchOnce(new URL(path, server.url));
}

type Gap = Record<"dataset" | "cause" | "to_at", string | null>;

const gapsIn = (world: World) => world.rows("select dataset, cause, to_at from gaps") as Gap[];
/** Returns the datasets that have a gap with this cause. */
const withCause = (gaps: readonly Gap[], cause: string) =>
  [...new Set(gaps.filter((gap) => gap.cause === cause).map(({ dataset }) => dataset))].sort();
const lines = (world: World) =>
  withHistory(world.path, (history) => missingRecordLines(history, world.clock.now())).join("\n");
/** Returns what `status` prints. */
async function statusOf(world: World): Promise<string> {
  const printed: string[] = [];
  const print = (line: string) => void printed.push(line);
  const write = async () => true;
  const env = { DATABASE_URL: `file:${world.path}` };
  await status.run({
    args: [],
    options: {},
    env,
    print,
    write,
    printError: print,
    isTerminal: false,
    isColoured: false,
    width: 120,
  });
  return printed.join("\n");
}

describe.each([
  ["classic", classic],
  ["unified", unified],
])("a %s account", (_, account) => {
  it("says of each dataset what may not be read, what was deleted before it was read, and what is switched off", async () => {
    const settings = { ...credentials(account), ...schedules, BITGET_PRODUCT_TYPES: "umcbl" };
    const world = await createWorld("2026-10-20T09:59:30Z", settings, {
      accounts: [account],
      from: start - hour,
      habits: { activity: 0 },
    });
    const request = await serving(world);
    const onPage = async () => ((await (await request("/api/gaps")).json()) as { rows: Gap[] }).rows;
    await world.at(start);
    expect(gapsIn(world)).toEqual([]);
    world.exchange.restrict(account.name, []);
    await world.at(start + day);
    expect(withCause(gapsIn(world), "40014")).toEqual(names);
    expect(withCause(await onPage(), "40014")).toEqual(names);
    const failures = await statusOf(world);
    for (const name of names) expect(failures).toMatch(new RegExp(`main ${name}.*: 40014 `));
    world.exchange.restrict(account.name, ["coor", "cpor", "stor", "smor", "wtor", "uta_mgt", "uta_trade"]);
    await world.at(start + 100 * day);
    expect(withCause(gapsIn(world), "not read in time")).toEqual(names);
    expect(withCause(await onPage(), "not read in time")).toEqual(names);
    for (const name of names) expect(lines(world)).toMatch(new RegExp(`^main ${name}.*, not read in time$`, "m"));
    await world.restart(credentials(account));
    await world.at(start + 101 * day);
    const isOpen = (gap: Gap) => gap.to_at === null;
    expect(withCause(gapsIn(world).filter(isOpen), "switched off")).toEqual(names);
    expect(withCause((await onPage()).filter(isOpen), "switched off")).toEqual(names);
    expect(await (await request("/collection")).text()).toContain(
      "The dataset had no schedule, and the exchange has deleted",
    );
    for (const name of names) expect(lines(world)).toContain(`main ${name}: switched off since `);
    expect(await statusOf(world)).toMatch(/Records that are missing:\n(.*\n)* {2}main bills: switched off since /);
  });
});
