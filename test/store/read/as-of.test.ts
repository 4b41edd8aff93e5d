/** Reads the state as of an instant while another process writes. */
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { prepareAsOf } from "../../../src/store/read/as-of.ts";
import { change, coins, collect, good, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");

it("reads one state of the database, even if rows are deleted at the same time", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await collect(store, spotAssets, start, { snapshots: [good(coins(1), start + 100)] });
  let removed = 0;
  const verbose = (statement: unknown) => {
    if (removed === 0 && /from spot_assets_history/.test(String(statement)))
      removed = change(path, "update snapshot set error_code = 'gone'");
  };
  const sqlite = new Database(path, { readonly: true, verbose });
  const asOf = prepareAsOf(sqlite);
  const { scopes, rows } = asOf(spotAssets, {}, start + 1000);
  expect(removed).toBe(1);
  expect([scopes[0]?.known, rows.length]).toEqual([true, 40]);
  expect(asOf(spotAssets, {}, start + 1000)).toMatchObject({ scopes: [{ known: false }], rows: [] });
  sqlite.close();
});
