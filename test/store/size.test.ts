import { statSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { datasets } from "../../src/datasets/index.ts";
import { verify } from "../../src/store/verify.ts";
import { collect, open, query, temporaryPath, tidyUp } from "./kit.ts";
import { accountMinutes, positions, spotAssets } from "./minutes.ts";

afterEach(tidyUp);

const minutes = 1440;

test("a day of minutes, 50 coins and 20 positions, costs at most 2 KiB of file a minute", async () => {
  const path = temporaryPath();
  const store = await open(path);
  for (const { slot, coins, lines, spreadMs } of accountMinutes(minutes)) {
    await collect(store, spotAssets, slot, { snapshots: [coins] });
    await collect(store, positions, slot, { snapshots: lines, requests: 4, spreadMs });
  }
  store.close();

  const perMinute = statSync(path).size / minutes;
  expect(query(path, "select count(*) as n from positions_history")).toEqual([{ n: 20 * minutes }]);
  expect((await verify(path, datasets)).problems).toEqual([]);
  expect(perMinute).toBeLessThanOrEqual(2048);
  console.info(`${perMinute.toFixed(0)} bytes a minute`);
});
