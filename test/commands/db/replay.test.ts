/** Tests `db replay` and its output, also while a daemon is running. */
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { datasets } from "../../../src/datasets/index.ts";
import { rawFile } from "../../../src/store/responses/archive-file.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { corrected, other } from "../../store/corrections.ts";
import { change } from "../../store/kit.ts";
import { temporaryPath } from "../../store/temporary.ts";
import { runInProcess } from "../../support/in-process.ts";
import { run } from "../../support/program.ts";
import { everyDataset } from "../../support/settings.ts";
import { createWorld, openWorld } from "../../support/world.ts";

const settings = { DATABASE_URL: "file:./collector.db" };

/** Collects two minutes; the daemon keeps running. */
async function collected(days = "30") {
  const world = await createWorld("2026-10-20T10:00:30Z", { ...everyDataset("* * * * *"), KEEP_RAW_DAYS: days });
  for (const slot of ["2026-10-20T10:01:00Z", "2026-10-20T10:02:00Z"]) await world.at(slot);
  await world.restart();
  return { world, replay: replayIn(dirname(world.path)) };
}

const replayIn =
  (folder: string) =>
  (...args: string[]) =>
    runInProcess(["db", "replay", ...args], folder, settings);

it("reports unchanged rows", async () => {
  const { replay } = await collected();
  const { code, stdout, stderr } = await replay("--dataset", "spot-assets");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.split("\n")).toEqual([
    "spot-assets: 2 snapshots since 2026-10-20T10:01:00.000Z; newest raw response: 2026-10-20T10:02:00.000Z",
    "2 unchanged",
    "dry run: nothing was written",
    "",
  ]);
});

it("shows what would change, and writes nothing", async () => {
  const { world, replay } = await collected();
  const cells = "select hex(available) as cells from spot_assets_steady order by item_id, since";
  change(world.path, "update spot_assets_steady set available = x'1b5f' where item_id = 1");
  const before = world.rows(cells);
  const { code, stdout } = await replay("--dataset", "spot-assets");
  const { coin } = world.rows("select coin from spot_assets_item where id = 1")[0] as { coin: string };
  expect(code).toBe(0);
  expect(stdout).toContain("2 would change\ndifferences by field: available 2\nfirst differences:\n");
  expect(stdout).toContain(`  2026-10-20T10:01:00.000Z main ${coin} available: is "1.5", would be "`);
  expect(world.rows(cells)).toEqual(before);
});

it("reports that there are no raw responses", async () => {
  const { replay } = await collected("0");
  const { code, stdout } = await replay("--dataset", "positions");
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^no raw responses of positions in .*collector\.raw\.db\n$/),
  ]);
});

it("rejects an unknown dataset", async () => {
  const { replay } = await collected("0");
  const { code, stderr } = await replay("--dataset", "balances");
  expect([code, stderr]).toEqual([
    64,
    expect.stringContaining(
      'unknown dataset "balances"; did you mean spot-assets? datasets: spot-assets, funding-assets',
    ),
  ]);
});

/** Returns a database of two minutes as another version of the parser would have stored them; no daemon is running. */
async function misread(): Promise<{ path: string; replay: ReturnType<typeof replayIn> }> {
  const path = temporaryPath();
  const world = await openWorld(path, "2026-10-20T10:00:30Z", everyDataset("1-2 10 * * *"));
  for (const slot of ["2026-10-20T10:01:00Z", "2026-10-20T10:02:00Z"]) await world.at(slot);
  await world.close();
  await corrected(path, other);
  return { path, replay: replayIn(dirname(path)) };
}

it("corrects differences after a backup, and finds none the next time", async () => {
  const { path, replay } = await misread();
  const { code, stdout, stderr } = await replay("--dataset", "positions", "--apply");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/would change\ndifferences by field: unrealized_pl \d+\nfirst differences:\n/);
  expect(stdout).toContain("\nmain umcbl since 2026-10-20T10:01:00.000Z: 2 snapshots corrected\n");
  expect(stdout).toMatch(
    /\nbackup of the database before the correction: .*collector\.db\.before-correction-\d{8}T\d{6}Z\n$/,
  );
  expect((await replay("--dataset", "positions", "--apply")).stdout).toContain("\n8 unchanged\nnothing to correct\n");
  // Eight snapshots, once by the other version and once back.
  expect(await verify(path, datasets)).toMatchObject({ problems: [], corrected: 16 });
});

it("reports why a scope is not corrected, and exits with 1", async () => {
  const { path, replay } = await misread();
  change(
    rawFile(path),
    `delete from answer where slot = ${Date.parse("2026-10-20T10:02:00Z")}
    and source_id = (select id from source where dataset = 'positions' and product_type = 'umcbl')`,
  );
  const { code, stdout } = await replay("--dataset", "positions", "--apply");
  expect(code).toBe(1);
  expect(stdout).toContain(
    "\nmain umcbl since 2026-10-20T10:01:00.000Z: not corrected: the response of 2026-10-20T10:02:00.000Z is not kept",
  );
  expect(stdout).toContain("\nmain dmcbl since 2026-10-20T10:01:00.000Z: 2 snapshots corrected\n");
});

it("corrects neither an altered database nor one that a daemon uses", async () => {
  const { path, replay } = await misread();
  change(path, "update spot_assets_steady set available = x'1b5f' where item_id = 1");
  const altered = await replay("--dataset", "positions", "--apply");
  expect(altered.code).toBe(1);
  expect(altered.stdout).toMatch(/nothing was written: the database was altered \(see db verify\): .*spot_assets/);
  const { world } = await collected();
  const inUse = await run(["db", "replay", "--dataset", "positions", "--apply"], dirname(world.path), settings);
  expect([inUse.code, inUse.stdout]).toEqual([75, ""]);
});
