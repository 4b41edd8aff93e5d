/**
 * Stores a snapshot for each number N read from stdin, with the slot `start` plus N minutes, and retries until it
 * succeeds. Prints `N failed` for each failed attempt and `N ok` when the store reports success.
 */
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { StorageError } from "../../../src/core/errors.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { coins, good, minute, start, storeAt } from "../../store/kit.ts";

const store = await storeAt(process.argv[2] ?? "");
const dataset = snapshotDatasetNamed("spot-assets");
await store.setSchedule("main", dataset.name, "* * * * *", start);

async function retryWhileStorageFails<T>(n: number, write: () => Promise<T>): Promise<T> {
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
  const run = await retryWhileStorageFails(n, () => store.begin("main", dataset.name, slot, slot + 20));
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
  const { state } = await retryWhileStorageFails(n, () => store.finish(run, end));
  process.stdout.write(`${n} ${state}\n`);
}
store.close();
