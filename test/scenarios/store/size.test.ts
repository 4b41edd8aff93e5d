import { statSync } from "node:fs";
import { expect, it } from "vitest";
import { datasets } from "../../../src/datasets/index.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { collect, query } from "../../store/kit.ts";
import { accountMinutes, positions, spotAssets } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";

const minutes = 1440;

it("a minute of 50 coins and 20 positions costs at most 1,950 bytes of file, and a database without any 256 KiB", async () => {
  const path = temporaryPath();
  const store = await open(path);
  const empty = statSync(path).size;
  let runs: Promise<unknown>[] = [];
  for (const { slot, coins, lines, spreadMs } of accountMinutes(minutes)) {
    runs.push(
      collect(store, spotAssets, slot, { snapshots: [coins] }),
      collect(store, positions, slot, { snapshots: lines, requests: 4, spreadMs }),
    );
    if (runs.length < 240) continue;
    // Concurrently, because each commit waits for the disk.
    await Promise.all(runs);
    runs = [];
  }
  store.close();

  expect(query(path, "select count(*) as n from positions_history")).toEqual([{ n: 20 * minutes }]);
  expect((await verify(path, datasets)).problems).toEqual([]);
  expect((statSync(path).size - empty) / minutes).toBeLessThanOrEqual(1950);
  expect(empty).toBeLessThanOrEqual(256 * 1024);
});
