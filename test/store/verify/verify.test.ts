import { describe, expect, it } from "vitest";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { change, coins, collect, failed, good, item, minute, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");

const position = (markPrice: string) =>
  item(positions, {
    symbol: "BTCUSDT",
    marginCoin: "USDT",
    holdSide: "long",
    marginMode: "crossed",
    total: "1",
    markPrice,
  });

async function seeded(): Promise<string> {
  const path = temporaryPath();
  const store = await open(path);
  const at = (n: number) => start + n * minute;
  await collect(store, spotAssets, at(0), { snapshots: [good(coins(10), at(0))] });
  await collect(store, spotAssets, at(1), { snapshots: [good(coins(11).slice(1), at(1))] });
  const extra = { note: "x1" };
  await collect(store, positions, at(0), { snapshots: [good([{ ...position("61250.4"), extra }], at(0), "umcbl")] });
  const failures = [failed("timeout", at(1), "dmcbl")];
  await collect(store, positions, at(1), { snapshots: [good([position("61250.5")], at(1), "umcbl")], failures });
  await collect(store, positions, at(2), { snapshots: [good([position("61250.6")], at(2), "umcbl")] });
  await collect(store, positions, at(3), { snapshots: [good([], at(3), "umcbl")] });
  store.close();
  return path;
}

describe("verifying", () => {
  it("an unaltered database has no problems", async () => {
    const progress: number[][] = [];
    const found = await verify(await seeded(), datasets, (...step) => progress.push(step));
    expect(found).toMatchObject({ problems: [], runs: 6, snapshots: 7, rows: 83 });
    expect(progress.at(-1)).toEqual([13, 13]);
  });

  it.each([
    ["spot_assets", "update spot_assets_steady set available = x'12' where item_id = 7 and since = 1"],
    ["spot_assets", "update spot_assets_steady set frozen = x'0f' where item_id = 7 and since = 1"],
    ["spot_assets", "update spot_assets_steady set available = x'1f' where item_id = 1 and since = 2"],
    ["spot_assets", "update spot_assets_steady set present = 1 where item_id = 1 and since = 2"],
    ["spot_assets", "delete from spot_assets_steady where item_id = 9 and since = 1"],
    ["spot_assets", "update spot_assets_item set coin = 'COIN99' where id = 3"],
    ["positions", "update positions_moving set mark_price = x'61250b5f' where since = 3"],
    ["positions", "update positions_moving set since = 5 where since = 4"],
    ["not a good snapshot", "update positions_moving set since = 5 where since = 6"],
    ["positions", "update positions_steady set present = 1 where present = 0"],
    ["positions", 'update positions_extra set fields = \'{"note":"x2"}\' where since = 3'],
    ["rows", "update snapshot set rows = rows + 1 where id = 1"],
    ["rows", "update run set rows = rows + 1 where id = 1"],
    ["snapshot 2", "update snapshot set taken_at = taken_at + 1 where id = 2"],
    ["snapshot 5", "update snapshot set taken_at = taken_at + 1 where id = 5"],
    ["snapshot 5", "update snapshot set error_code = '40015' where id = 5"],
    ["snapshot 1", "update run set slot = slot - 1 where id = 1"],
    ["snapshot 1", "update account set name = 'other'"],
    ["snapshot 3", "update scope set product_type = 'cmcbl' where product_type = 'umcbl'"],
    ["last good snapshot", "update scope set latest = 1 where id = 1"],
    ["run 4", "update run set state = 'ok' where id = 4"],
    ["run 6", "delete from snapshot where id = 7"],
    ["but its state is running", "update run set state = 'running', rows = null where id = 5"],
    ["foreign|refers", "delete from spot_assets_item where id = 3"],
  ])("reports %s after an alteration: %s", async (named, sql) => {
    const path = await seeded();
    expect(change(path, sql)).toBeGreaterThan(0);
    expect((await verify(path, datasets)).problems.join("\n")).toMatch(new RegExp(named));
  });

  it.each([
    ["snapshot 3 (positions): is not what was received", "update positions_steady set present = 0 where present = 1"],
    [
      "(positions): is not what was received: check BTCUSDT",
      "update positions_steady set present = 1 where present = 0",
    ],
    ["item 3 (spot_assets_item.scope_id)", "update spot_assets_item set scope_id = 2 where id = 3"],
  ])("reports %s first", async (named, sql) => {
    const path = await seeded();
    expect(change(path, sql)).toBe(1);
    expect((await verify(path, datasets)).problems[0]).toContain(named);
  });
});

describe("a database of an older version with a manual run in the slot that was due next", () => {
  async function ofOlderVersion(): Promise<string> {
    const path = temporaryPath();
    const store = await open(path);
    await store.setSchedule("main", "spot-assets", "* * * * *", start);
    await collect(store, spotAssets, start + minute, { snapshots: [good(coins(3), start + minute)] });
    const manual = start + 2 * minute;
    const run = (await store.begin("main", "spot-assets", manual, manual + 2)) ?? 0;
    await store.finish(run, {
      dataset: spotAssets,
      snapshots: [good(coins(3), manual)],
      failures: [],
      skipped: false,
      cause: null,
      finishedAt: manual + 300,
      requests: 1,
      retries: 0,
      spreadMs: null,
      skewMs: null,
    });
    store.close();
    // As the older version left it: a manual run does not move the watermark.
    change(path, `update series set accounted_to = ${start + minute}`);
    return path;
  }

  it("verifies", async () => {
    expect((await verify(await ofOlderVersion(), datasets)).problems).toEqual([]);
  });

  it.each([
    ["two slots behind", `update series set accounted_to = ${start}`],
    ["at no slot", `update series set accounted_to = accounted_to + 1`],
  ])("does not verify with a watermark %s", async (_, sql) => {
    const path = await ofOlderVersion();
    change(path, sql);
    expect((await verify(path, datasets)).problems.length).toBe(1);
  });
});
