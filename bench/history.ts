/** A long history of one account, a snapshot a minute: in our database, and as plain rows beside it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { collect, minute, start, storeAt } from "../test/store/kit.ts";
import { accountMinutes, equity, type Minute, positions, spotAssets } from "../test/store/minutes.ts";

export const datasets = [spotAssets, positions, equity];

/** So many minutes share a commit: with one of its own for each, a year would mostly wait for the disk. */
export const together = 240;

export interface History {
  path: string;
  plainPath: string;
  /** The first slot, epoch ms. */
  from: number;
  /** The end of the last minute, epoch ms. */
  to(): number;
  /** Adds so many minutes. Resolves with the milliseconds that each took in ours and in the plain one. */
  grow(minutes: number): Promise<{ ours: number; plain: number }>;
  /** The same for ours alone, which is then ahead of the plain one. */
  growAlone(minutes: number): Promise<void>;
  /** Adds the next minute to ours alone, in commits of its own, as the collector does. */
  collectMinute(): Promise<void>;
  close(): Promise<void>;
}

export async function startHistory(folder: string): Promise<History> {
  const path = join(folder, "collector.db");
  const plainPath = join(folder, "plain.db");
  const store = await storeAt(path);
  await Promise.all(datasets.map(({ name }) => store.setSchedule("main", name, "* * * * *", start - minute)));
  const plain = fork(join(import.meta.dirname, "children", "plain.ts"), [plainPath], {
    execArgv: ["--import", "tsx"],
  });
  const source = accountMinutes(Number.POSITIVE_INFINITY);
  let grown = 0;

  async function growOurs(count: number): Promise<number> {
    let took = 0;
    for (let left = count; left > 0; left -= together) {
      const minutes = take(source, Math.min(together, left));
      const startedAt = performance.now();
      // What is asked for at the same time shares a commit.
      await Promise.all(minutes.map(collectOne));
      took += performance.now() - startedAt;
    }
    grown += count;
    return took / count;
  }

  const collectOne = ({ slot, coins, lines, equity: worth, spreadMs }: Minute) =>
    Promise.all([
      collect(store, spotAssets, slot, { snapshots: [coins] }),
      collect(store, positions, slot, { snapshots: lines, requests: lines.length, spreadMs }),
      collect(store, equity, slot, { snapshots: [worth] }),
    ]);

  return {
    path,
    plainPath,
    from: start,
    to: () => start + grown * minute,
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
      const gone = once(plain, "exit");
      plain.disconnect();
      await gone;
      store.close();
    },
  };
}

/** The next minutes of a generator, which goes on from there. */
export const take = (source: Generator<Minute>, count: number): Minute[] =>
  Array.from({ length: count }, () => source.next().value);
