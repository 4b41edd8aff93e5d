/**
 * A process that stores a snapshot for each number it reads, `start` plus so many minutes being the slot, as often as it
 * takes. It prints `N failed` for each attempt that did not succeed, and `N ok` when the snapshot was said to be stored.
 */
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { StorageError } from "../../src/core/errors.ts";
import { datasetNamed } from "../../src/datasets/index.ts";
import { coins, good, minute, start, storeAt } from "../store/kit.ts";

const store = await storeAt(process.argv[2] ?? "");
const dataset = datasetNamed("spot-assets");
await store.setSchedule("main", dataset.name, "* * * * *", start);

async function untilStored<T>(n: number, write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      process.stdout.write(`${n} failed\n`);
      await setTimeout(20);
    }
  }
}

process.stdout.write("ready\n");
for await (const line of createInterface(process.stdin)) {
  const n = Number(line);
  const slot = start + n * minute;
  const run = await untilStored(n, () => store.begin("main", dataset.name, slot, slot + 20));
  if (run === null) throw new Error(`slot ${n} is taken`);
  const end = {
    dataset,
    snapshots: [good(coins(n), slot)],
    failures: [],
    cause: null,
    finishedAt: slot + 300,
    requests: 1,
    retries: 0,
    spreadMs: null,
    skewMs: null,
    skipped: false,
  };
  const { state } = await untilStored(n, () => store.finish(run, end));
  process.stdout.write(`${n} ${state}\n`);
}
store.close();
