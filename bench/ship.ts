import { join } from "node:path";
import { datasets } from "../src/datasets/index.ts";
import type { Postgres } from "../src/store/postgres/connection.ts";
import { Shipper } from "../src/store/postgres/copy/ship.ts";
import { storeAt } from "../test/store/kit.ts";
import { type Comparison, compare, type Figure } from "./figure.ts";
import { copyRows, onServer, recorder } from "./mirror.ts";

const days = { whole: 10, quick: 2 };
/** Passes that add minutes, and minutes of each. */
const passes = 20;
const batch = 10;

export const shipped: Figure = {
  name: "ship",
  summary: `a copy in PostgreSQL: ${days.whole} days (--quick: ${days.quick}) of minutes, 50 coins, 20 positions`,
  run: ({ quick }) =>
    onServer((postgres, folder) => measured(postgres, folder, (quick ? days.quick : days.whole) * 1440)),
};

async function measured(postgres: Postgres, folder: string, minutes: number): Promise<Comparison[]> {
  const path = join(folder, "original.db");
  const store = await storeAt(path);
  const record = recorder(store, minutes + passes * (batch + 1));
  await record(minutes);
  const plain = copyRows(path, join(folder, "again.db"));
  const shipper = new Shipper({ path, postgres, datasets, now: Date.now });
  const startedAt = performance.now();
  const { rows } = await shipper.pass();
  const first = performance.now() - startedAt;
  /** Returns the CPU time of this process for a pass that adds minutes, per minute. Milliseconds. */
  const cpuOf = async (added: number) => {
    let cpu = 0;
    for (let n = 0; n < passes; n += 1) {
      await record(added);
      const before = process.cpuUsage();
      await shipper.pass();
      const { user, system } = process.cpuUsage(before);
      cpu += (user + system) / 1000;
    }
    return cpu / passes / added;
  };
  const [several, single] = [await cpuOf(batch), await cpuOf(1)];
  shipper.close();
  store.close();
  return [
    compare("the first copy", (rows / first) * 1000, "rows/s", "the same rows to an SQLite file", plain),
    compare(`CPU of a pass of ${batch} account-minutes, per minute`, several, "ms", "of a pass of one", single),
  ];
}
