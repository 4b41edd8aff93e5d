/** Deriving rows again with the real program, beside a daemon that collects. */
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { datasets } from "../../../src/datasets/index.ts";
import { rawFile } from "../../../src/store/responses/archive-file.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { corrected, other } from "../../store/corrections.ts";
import { change } from "../../store/kit.ts";
import { temporaryPath } from "../../store/temporary.ts";
import { run } from "../../support/program.ts";
import { everyDataset } from "../../support/settings.ts";
import { createWorld, openWorld } from "../../support/world.ts";

const settings = { DATABASE_URL: "file:./collector.db" };

/** Two minutes; the program that collected them goes on. */
async function collected(days = "30") {
  const world = await createWorld("2026-10-20T10:00:30Z", { ...everyDataset("* * * * *"), KEEP_RAW_DAYS: days });
  for (const slot of ["2026-10-20T10:01:00Z", "2026-10-20T10:02:00Z"]) await world.at(slot);
  await world.restart();
  return { world, replay: replayIn(dirname(world.path)) };
}

const replayIn =
  (folder: string) =>
  (...args: string[]) =>
    run(["db", "replay", ...args], folder, settings);

it("says that the rows would be the same", async () => {
  const { replay } = await collected();
  const { code, stdout, stderr } = await replay("--dataset", "spot-assets");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.split("\n")).toEqual([
    "spot-assets: 2 snapshots since 2026-10-20T10:01:00.000Z; the last answer that is kept is of 2026-10-20T10:02:00.000Z",
    "2 would be the same",
    "nothing was changed",
    "",
  ]);
});

it("shows what would be different, and changes nothing", async () => {
  const { world, replay } = await collected();
  const cells = "select hex(available) as cells from spot_assets_steady order by item_id, since";
  change(world.path, "update spot_assets_steady set available = x'1b5f' where item_id = 1");
  const before = world.rows(cells);
  const { code, stdout } = await replay("--dataset", "spot-assets");
  const { coin } = world.rows("select coin from spot_assets_item where id = 1")[0] as { coin: string };
  expect(code).toBe(0);
  expect(stdout).toContain("2 would be different\ndifferences by field: available 2\nthe first:\n");
  expect(stdout).toContain(`  2026-10-20T10:01:00.000Z main ${coin} available: is "1.5", would be "`);
  expect(world.rows(cells)).toEqual(before);
});

it("has nothing to say where no answers are kept", async () => {
  const { replay } = await collected("0");
  const { code, stdout } = await replay("--dataset", "positions");
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^no answers of positions are kept in .*collector\.raw\.db\n$/),
  ]);
});

it("wants to know of which dataset", async () => {
  const { replay } = await collected("0");
  const { code, stderr } = await replay("--dataset", "balances");
  expect([code, stderr]).toEqual([64, expect.stringContaining("--dataset spot-assets, funding-assets")]);
});

/** Two minutes as another version of the program would have stored them, and nobody who collects. */
async function misread(): Promise<{ path: string; replay: ReturnType<typeof replayIn> }> {
  const path = temporaryPath();
  const world = await openWorld(path, "2026-10-20T10:00:30Z", everyDataset("1-2 10 * * *"));
  for (const slot of ["2026-10-20T10:01:00Z", "2026-10-20T10:02:00Z"]) await world.at(slot);
  await world.close();
  await corrected(path, other);
  return { path, replay: replayIn(dirname(path)) };
}

it("corrects what is different, behind a backup, and finds nothing the next time", async () => {
  const { path, replay } = await misread();
  const { code, stdout, stderr } = await replay("--dataset", "positions", "--apply");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/would be different\ndifferences by field: unrealized_pl \d+\nthe first:\n/);
  expect(stdout).toContain("\nmain umcbl since 2026-10-20T10:01:00.000Z: 2 snapshots corrected\n");
  expect(stdout).toMatch(
    /\nthe database as it was before is kept in .*collector\.db\.before-correction-\d{8}T\d{6}Z\n$/,
  );
  expect((await replay("--dataset", "positions", "--apply")).stdout).toContain(
    "\n8 would be the same\nnothing was changed\n",
  );
  // Eight snapshots, once by the other version and once back.
  expect(await verify(path, datasets)).toMatchObject({ problems: [], corrected: 16 });
});

it("says why a scope stays as it is, and ends with 1", async () => {
  const { path, replay } = await misread();
  change(
    rawFile(path),
    `delete from answer where slot = ${Date.parse("2026-10-20T10:02:00Z")}
    and source_id = (select id from source where dataset = 'positions' and product_type = 'umcbl')`,
  );
  const { code, stdout } = await replay("--dataset", "positions", "--apply");
  expect(code).toBe(1);
  expect(stdout).toContain(
    "\nmain umcbl since 2026-10-20T10:01:00.000Z: not corrected: the answer of 2026-10-20T10:02:00.000Z is not kept",
  );
  expect(stdout).toContain("\nmain dmcbl since 2026-10-20T10:01:00.000Z: 2 snapshots corrected\n");
});

it("corrects no database that was altered, and none that a daemon has", async () => {
  const { path, replay } = await misread();
  change(path, "update spot_assets_steady set available = x'1b5f' where item_id = 1");
  const altered = await replay("--dataset", "positions", "--apply");
  expect(altered.code).toBe(1);
  expect(altered.stdout).toMatch(
    /nothing was changed, for the database is not what was recorded \(see db verify\): .*spot_assets/,
  );
  const inUse = await (await collected()).replay("--dataset", "positions", "--apply");
  expect([inUse.code, inUse.stdout]).toEqual([75, ""]);
});
