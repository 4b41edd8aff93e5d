import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Secret } from "../src/core/domain.ts";
import { datasets } from "../src/datasets/index.ts";
import { Postgres } from "../src/store/postgres/connection.ts";
import { Shipper } from "../src/store/postgres/copy/ship.ts";
import { ShipFollower } from "../src/store/postgres/copy/ship-follower.ts";
import { query, storeAt } from "../test/store/kit.ts";
import { pseudoRandom } from "../test/store/minutes.ts";
import { type Comparison, compare, type Figure, median, percentile } from "./figure.ts";
import { copyRows, onServer, recorder } from "./mirror.ts";

const days = { whole: 10, quick: 2 };
/** Passes of several minutes, and minutes of each; passes of one minute; commits whose copy is waited for. */
const passes = 20;
const batch = 10;
const singles = 200;
const commits = { whole: 100, quick: 25 };

export const shipped: Figure = {
  name: "ship",
  summary: `a copy in PostgreSQL: ${days.whole} days (--quick: ${days.quick}) of minutes, three datasets, 50 coins, 20 positions`,
  run: ({ quick }) =>
    onServer((_, folder, url) =>
      measured(folder, url, {
        minutes: (quick ? days.quick : days.whole) * 1440,
        ends: quick ? commits.quick : commits.whole,
      }),
    ),
};

async function measured(
  folder: string,
  url: Secret,
  { minutes, ends }: { minutes: number; ends: number },
): Promise<Comparison[]> {
  const path = join(folder, "original.db");
  const store = await storeAt(path);
  const record = recorder(store, minutes + passes * batch + singles + ends);
  await record(minutes);
  const plain = copyRows(path, join(folder, "again.db"));
  const postgres = await Postgres.open(url, { name: "bench", connections: 1, keepsPlans: true });
  const shipper = new Shipper({ path, postgres, datasets, now: Date.now });
  const startedAt = performance.now();
  const { rows } = await shipper.pass();
  const first = performance.now() - startedAt;
  /** Returns the median CPU time of this process for a pass that adds minutes, per minute. Milliseconds. */
  const cpuOf = async (count: number, added: number) => {
    const cpu: number[] = [];
    for (let n = 0; n < count; n += 1) {
      await record(added);
      const before = process.cpuUsage();
      await shipper.pass();
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000 / added);
    }
    return median(cpu);
  };
  const [several, single] = [await cpuOf(passes, batch), await cpuOf(singles, 1)];
  shipper.close();
  const lags = await lagsOf({ path, url, postgres, ends, record: () => record(1) });
  await postgres.close();
  store.close();
  return [
    compare("the first copy", (rows / first) * 1000, "rows/s", "the same rows to an SQLite file", plain),
    compare("CPU of a pass of one account-minute", single, "ms", `a pass of ${batch}, per account-minute`, several),
    compare("from a commit to its copy, 99th percentile", percentile(lags, 99), "ms", "median", median(lags)),
  ];
}

/** Returns how long the copy of each of some commits took while a collector ships every second. Milliseconds. */
async function lagsOf(options: {
  path: string;
  url: Secret;
  postgres: Postgres;
  ends: number;
  record: () => Promise<void>;
}): Promise<number[]> {
  const { path, url, postgres, ends, record } = options;
  const follower = new ShipFollower({ path, url, datasets, now: Date.now, report: console.error });
  follower.start();
  const random = pseudoRandom(22);
  const lags: number[] = [];
  for (let n = 0; n < ends; n += 1) {
    await sleep(random(1000));
    await record();
    const committedAt = performance.now();
    const last = query(path, "select max(id) as id from link")[0]?.id;
    while ((await postgres.query<{ link: number }>("select link from shipped"))[0]?.link !== last) await sleep(5);
    lags.push(performance.now() - committedAt);
  }
  await follower.stop();
  return lags;
}
