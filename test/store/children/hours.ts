/** Goes on collecting hour by hour into a database that has three days, printing each slot that is stored. */
import { datasetNamed } from "../../../src/datasets/index.ts";
import { coins, collect, good, start, storeAt } from "../kit.ts";

const store = await storeAt(process.argv[2] ?? "");
for (let n = 72; ; n += 1) {
  const slot = start + n * 3_600_000;
  await collect(store, datasetNamed("spot-assets"), slot, { snapshots: [good(coins(n), slot)] });
  process.stdout.write(`${slot}\n`);
}
