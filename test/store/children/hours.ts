/** Continues a database of three days hour by hour, and prints each stored slot. Argument: the path of the database. */
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { coins, collect, good, start, storeAt } from "../kit.ts";

const store = await storeAt(process.argv[2] ?? "");
for (let n = 72; ; n += 1) {
  const slot = start + n * 3_600_000;
  await collect(store, snapshotDatasetNamed("spot-assets"), slot, { snapshots: [good(coins(n), slot)] });
  process.stdout.write(`${slot}\n`);
}
