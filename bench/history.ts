/** Builds a long history of one account, a snapshot a minute: in our database, and as plain rows for comparison. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { collect, minute, start, storeAt } from "../test/store/kit.ts";
import { accountMinutes, equity, type Minute, positions, spotAssets } from "../test/store/minutes.ts";

export const datasets = [spotAssets, positions, equity];

/** This many minutes share a commit: with one commit per minute, a year would mostly wait for the disk. */
export const together = 240;

export interface History {
  path: string;
  plainPath: string;
  /** The first slot, epoch ms. */
  from: number;
  /** The end of the last minute, epoch ms. */
  to(): number;
  /** Adds minutes to both databases. Resolves with the milliseconds per minute in each. */
  grow(minutes: number): Promise<{ ours: number; plain: number }>;
  /** Adds minutes to our database only. */
  growAlone(minutes: number): Promise<void>;
  /** Adds the next minute to our database only, in commits of its own, as the collector does. */
  collectMinute(): Promise<void>;
  close(): Promise<void>;
}

/** Begins an empty history whose first minute is at `from`, epoch ms. */
export async function startHistory(folder: string, from = start): Promise<History> {
  const path = join(folder, "collector.db");
  const plainPath = join(folder, "plain.db");
  const store = await storeAt(path);
  await Promise.all(datasets.map(({ name }) => store.setSchedule("main", name, "* * * * *", from - minute)));
  const plain = fork(join(import.meta.dirname, "children", "plain.ts"), [plainPath], {
    execArgv: ["--import", "tsx"],
  });
  const source = accountMinutes(Number.POSITIVE_INFINITY, from);
  let grown = 0;

  async function growOurs(count: number): Promise<number> {
    let took = 0;
    for (let left = count; left > 0; left -= together) {
      const minutes = take(source, Math.min(together, left));
      const startedAt = performance.now();
      // Concurrent writes share a commit.
      await Promise.all(minutes.map(collectOne));
      took += performance.now() - startedAt;
    }
    grown += count;
    return took / count;
  }

  const collectOne = ({ slot, coins, lines, equity: equitySnapshot, spreadMs }: Minute) =>
    Promise.all([
      collect(store, spotAssets, slot, { snapshots: [coins] }),
      collect(store, positions, slot, { snapshots: lines, requests: lines.length, spreadMs }),
      collect(store, equity, slot, { snapshots: [equitySnapshot] }),
    ]);

  return {
    path,
    plainPath,
    from,
    to: () => from + grown * minute,
    async grow(minutes) {
      plain.send(minutes);
      const [[plainTook], ours] = await Promise.all([once(plain, "message"), growOurs(minutes)]);
      return { ours, plain: plainTook };
    },
    async growAlone(minutes) {
      await growOurs(minutes);
    },
    async collectMinute() {
      await growOurs(1);
    },
    async close() {
      const exited = once(plain, "exit");
      plain.disconnect();
      await exited;
      store.close();
    },
  };
}

/** Returns the next minutes of a generator. */
export const take = (source: Generator<Minute>, count: number): Minute[] =>
  Array.from({ length: count }, () => source.next().value);
