/** A column added to a dataset later, and a history that was written without it. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { decimal, text } from "../../../src/core/columns.ts";
import type { Dataset } from "../../../src/datasets/dataset.ts";
import { snapshotDatasetNamed, snapshotDatasets } from "../../../src/datasets/index.ts";
import { exportHistory } from "../../../src/output/export.ts";
import { readFiles } from "../../../src/output/reading/rows.ts";
import { openStore } from "../../../src/store/open.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { prune } from "../../../src/store/retention/prune.ts";
import { importHistory } from "../../../src/store/transfer/import.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { change, collect, good, item, minute, query, quiet, start } from "../../store/kit.ts";
import { addColumns, withColumn } from "../../store/later.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { temporaryFolder } from "../../support/files.ts";

const coins = snapshotDatasetNamed("spot-assets");
const lines = snapshotDatasetNamed("positions");
const laterCoins = withColumn(withColumn(coins, "stakedSince", text().addedLater()), "airDrop", decimal().addedLater());
const laterLines = withColumn(lines, "adlRank", decimal().volatile().addedLater());
const later = snapshotDatasets.map((one) => [laterCoins, laterLines].find(({ name }) => name === one.name) ?? one);
const at = (n: number): number => start + n * minute;

const coin = (dataset: Dataset, name: string, cells = {}) => item(dataset, { coin: name, available: "1.50", ...cells });
const position = (dataset: Dataset, markPrice: string, cells = {}) =>
  item(dataset, {
    ...{ symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "1" },
    ...cells,
    markPrice,
  });

const problems = async (path: string, known = later) => (await verify(path, known)).problems;

/** Records two minutes without the columns, then two with them (`later`); one coin disappears before and one after. */
async function grown(between: (path: string) => Promise<void> = async () => {}): Promise<string> {
  const path = temporaryPath();
  const before = await open(path);
  await collect(before, coins, at(0), { snapshots: [good([coin(coins, "BTC"), coin(coins, "OLD")], at(0))] });
  await collect(before, lines, at(0), { snapshots: [good([position(lines, "100")], at(0), "umcbl")] });
  await collect(before, coins, at(1), { snapshots: [good([coin(coins, "BTC"), coin(coins, "ETH")], at(1))] });
  before.close();
  addColumns(path, laterCoins);
  addColumns(path, laterLines);
  const store = await openStore({ path, datasets: later, log: quiet, clock: systemClock });
  await between(path);
  const items = [coin(laterCoins, "BTC", { airDrop: "0.10", stakedSince: "May" }), coin(laterCoins, "ETH")];
  await collect(store, laterCoins, at(2), { snapshots: [good(items, at(2))] });
  await collect(store, laterLines, at(2), {
    snapshots: [good([position(laterLines, "100", { adlRank: "4" })], at(2), "umcbl")],
  });
  await collect(store, laterCoins, at(3), { snapshots: [good([coin(laterCoins, "ETH")], at(3))] });
  store.close();
  return path;
}

const shown = `select snapshot_id as n, coin, available, air_drop, staked_since from spot_assets_history order by n, coin`;

describe("a column added to a dataset later", () => {
  it("leaves every earlier digest unchanged and is part of the later ones", async () => {
    const path = await grown(async (path) => expect(await problems(path)).toEqual([]));
    expect(await problems(path)).toEqual([]);
    expect(query(path, shown)).toEqual([
      { n: 1, coin: "BTC", available: "1.50", air_drop: null, staked_since: null },
      { n: 1, coin: "OLD", available: "1.50", air_drop: null, staked_since: null },
      { n: 3, coin: "BTC", available: "1.50", air_drop: null, staked_since: null },
      { n: 3, coin: "ETH", available: "1.50", air_drop: null, staked_since: null },
      { n: 3, coin: "OLD", available: "0", air_drop: null, staked_since: null },
      { n: 4, coin: "BTC", available: "1.50", air_drop: "0.10", staked_since: "May" },
      { n: 4, coin: "ETH", available: "1.50", air_drop: null, staked_since: null },
      { n: 6, coin: "BTC", available: "0", air_drop: "0", staked_since: null },
      { n: 6, coin: "ETH", available: "1.50", air_drop: null, staked_since: null },
    ]);
  });

  it("comes after all existing columns", async () => {
    const path = await grown();
    const columns = query(path, "select name from pragma_table_info('spot_assets_history') order by cid");
    expect(columns.map(({ name }) => name).slice(-4)).toEqual(["extra", "taken_at_ms", "air_drop", "staked_since"]);
    const asked = openHistory(path);
    expect(asked.asOf(laterLines, {}, at(2)).rows[0]?.at(-1)).toBe("4");
    asked.close();
  });

  it.each([
    [
      "snapshot 4 (spot_assets): is not what was received: check BTC, its header",
      "update spot_assets_steady set air_drop = x'0b11' where since = 4",
    ],
    [
      "snapshot 1 (spot_assets): is not what was received: check BTC, OLD, its header",
      "update spot_assets_steady set available = x'1b40' where since = 1 and item_id = 2",
    ],
    [
      "snapshot 5 (positions): is not what was received: check BTCUSDT USDT long crossed, its header",
      "update positions_moving set adl_rank = x'5f' where since = 5",
    ],
    ["snapshot 1 (spot_assets): is not what was", "update spot_assets_steady set air_drop = x'1f' where since = 1"],
  ])("reports %s when the data was altered", async (problem, alteration) => {
    const path = await grown();
    change(path, alteration);
    expect((await problems(path)).join("\n")).toContain(problem);
  });

  it("is pruned with the rest", async () => {
    const path = await grown();
    const before = query(path, shown);
    expect(await prune(path, later, start + 86_400_000)).toMatchObject({ days: 1 });
    expect(await problems(path)).toEqual([]);
    const kept = query(path, shown);
    expect(before).toEqual(expect.arrayContaining(kept));
  });

  it.each(["csv", "ndjson", "parquet"])(
    "is exported to %s and imported; a file from before it is, too",
    async (ending) => {
      const path = await grown();
      const old = temporaryPath();
      const store = await open(old);
      await collect(store, coins, at(0), { snapshots: [good([coin(coins, "BTC")], at(0))] });
      store.close();
      for (const [source, dataset] of [
        [path, laterCoins],
        [old, coins],
      ] as const) {
        const folder = temporaryFolder();
        const [file, target] = [join(folder, `coins.${ending}`), join(folder, "collector.db")];
        const history = openHistory(source);
        const span = { from: 0, to: Number.MAX_SAFE_INTEGER };
        await exportHistory(history, dataset, file, { span, signal: new AbortController().signal });
        history.close();
        (await open(target)).close();
        addColumns(target, laterCoins);
        addColumns(target, laterLines);
        (await openStore({ path: target, datasets: later, log: quiet, clock: systemClock })).close();
        await importHistory(
          target,
          later,
          readFiles([file], () => {}),
        );
        const stored = "select coin, available, taken_at_ms from spot_assets_history order by snapshot_id, coin";
        expect(query(target, stored)).toEqual(query(source, stored));
        expect(query(target, "select air_drop from spot_assets_history where air_drop = '0.10'").length).toBe(
          source === path ? 1 : 0,
        );
        expect(await problems(target)).toEqual([]);
      }
    },
  );
});
