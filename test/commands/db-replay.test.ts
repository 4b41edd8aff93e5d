/** Deriving rows again with the real program, beside a daemon that collects. */
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { change } from "../store/kit.ts";
import { run } from "../support/program.ts";
import { everyDataset } from "../support/settings.ts";
import { createWorld } from "../support/world.ts";

const settings = { DATABASE_URL: "file:./collector.db" };

/** Two minutes; the program that collected them goes on. */
async function collected(days = "30") {
  const world = await createWorld("2026-10-20T10:00:30Z", { ...everyDataset("* * * * *"), KEEP_RAW_DAYS: days });
  for (const slot of ["2026-10-20T10:01:00Z", "2026-10-20T10:02:00Z"]) await world.at(slot);
  await world.restart();
  const folder = dirname(world.path);
  return { world, replay: (...args: string[]) => run(["db", "replay", ...args], folder, settings) };
}

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

it("refuses to change what is stored", async () => {
  const { replay } = await collected();
  const { code, stderr } = await replay("--dataset", "positions", "--apply");
  expect([code, stderr]).toEqual([64, expect.stringContaining("rows that were stored are not changed")]);
});
