/** Collects one slot after another, and prints each stored one. Argument: the path of the database. */
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { coins, collect, good, minute, start, storeAt } from "../kit.ts";

const store = await storeAt(process.argv[2] ?? "");
await store.recover();
const spotAssets = snapshotDatasetNamed("spot-assets");
const first = ((await store.schedule("main", "spot-assets"))?.processedThrough ?? start) + minute;
if (first === start + minute) await store.setSchedule("main", "spot-assets", "* * * * *", start);
for (let slot = first; ; slot += minute) {
  await collect(store, spotAssets, slot, { snapshots: [good(coins(slot / minute), slot)] });
  process.stdout.write(`${slot}\n`);
}
