import { rmSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "../src/core/domain.ts";
import { datasets } from "../src/datasets/index.ts";
import { connect } from "../src/store/files/connections.ts";
import { Postgres } from "../src/store/postgres/connection.ts";
import { type Mirrored, mirror } from "../src/store/postgres/copy/mirror.ts";
import { prepareSchema } from "../src/store/postgres/migrations.ts";
import type { Store } from "../src/store/store.ts";
import { verify } from "../src/store/verify/verify.ts";
import { collect, storeAt } from "../test/store/kit.ts";
import { accountMinutes, equity, positions, spotAssets } from "../test/store/minutes.ts";
import { fill, tables } from "../test/store/postgres/fill.ts";
import { findPostgres, Server } from "../test/support/postgres.ts";
import { type Comparison, compare, type Figure } from "./figure.ts";
import { newFolder } from "./folder.ts";

const days = { whole: 10, quick: 2 };
/** Minutes that a pass adds. */
const added = 10;

export const mirrored: Figure = {
  name: "mirror",
  summary: `an SQLite file of a history in PostgreSQL: ${days.whole} days (--quick: ${days.quick}) of minutes, 50 coins, 20 positions`,
  run: ({ quick }) =>
    onServer((postgres, folder) => measured(postgres, folder, (quick ? days.quick : days.whole) * 1440)),
};

/** Measures with an empty history on a PostgreSQL server of its own, its URL, and a folder. */
export async function onServer<Result>(
  measure: (postgres: Postgres, folder: string, url: Secret) => Promise<Result>,
): Promise<Result> {
  const bin = findPostgres();
  if (bin === null) throw new Error("no PostgreSQL was found (apt-get install postgresql)");
  const [folder, server] = [newFolder(), new Server(bin)];
  await server.start();
  const url = new Secret(`postgres://postgres@${encodeURIComponent(server.folder)}/postgres`);
  const postgres = await Postgres.open(url, { name: "bench" });
  try {
    await prepareSchema(postgres, datasets);
    return await measure(postgres, folder, url);
  } finally {
    await postgres.close();
    await server.remove();
    rmSync(folder, { recursive: true });
  }
}

async function measured(postgres: Postgres, folder: string, minutes: number): Promise<Comparison[]> {
  const [original, copy, again] = ["original.db", "copy.db", "again.db"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const store = await storeAt(original);
  const record = recorder(store, minutes + added);
  await record(minutes);
  await fill(postgres, original);
  const first = await timedPass(postgres, copy);
  const plain = copyRows(original, again);
  await record(added);
  store.close();
  await fill(postgres, original);
  const pass = await timedPass(postgres, copy);
  const { problems } = await verify(copy, datasets);
  if (problems.length > 0) throw new Error(problems[0]);
  return [
    compare("the first copy", first.rowsPerSecond, "rows/s", "the same rows from an SQLite file", plain),
    compare("a pass, per minute that it adds", pass.ms / added, "ms", "first copy, per minute", first.ms / minutes),
  ];
}

/** Returns a function that records the next minutes of an account, of `limit` minutes at most. */
export function recorder(store: Store, limit: number): (count: number) => Promise<void> {
  const all = accountMinutes(limit);
  return async (count) => {
    const runs: Promise<unknown>[] = [];
    for (let n = 0; n < count; n += 1) {
      const { slot, coins, lines, equity: worth } = all.next().value ?? never();
      runs.push(
        collect(store, spotAssets, slot, { snapshots: [coins] }),
        collect(store, positions, slot, { snapshots: lines, requests: lines.length }),
        collect(store, equity, slot, { snapshots: [worth] }),
      );
      // Concurrently, because each commit waits for the disk.
      if (runs.length >= 240) await Promise.all(runs.splice(0));
    }
    await Promise.all(runs);
  };
}

const never = (): never => {
  throw new Error("the minutes are used up");
};

async function timedPass(postgres: Postgres, path: string): Promise<Mirrored & { ms: number; rowsPerSecond: number }> {
  const startedAt = performance.now();
  const done = await mirror(postgres, path, { datasets, now: Date.now });
  const ms = performance.now() - startedAt;
  return { ...done, ms, rowsPerSecond: (done.rows / ms) * 1000 };
}

/** Copies every row from one file to another, one by one, without constraints; returns rows per second. */
export function copyRows(from: string, to: string): number {
  const [source, target] = [connect(from, { readonly: true }), connect(to)];
  target.exec("pragma synchronous = off; pragma journal_mode = off; begin");
  const startedAt = performance.now();
  let rows = 0;
  for (const { name, columns } of tables) {
    target.exec(`create table ${name} (${columns.map((one) => `"${one.name}"`).join(", ")})`);
    const insert = target.prepare(`insert into ${name} values (${columns.map(() => "?").join(", ")})`);
    for (const row of source.prepare(`select * from ${name}`).raw().iterate()) {
      insert.run(row);
      rows += 1;
    }
  }
  target.exec("commit");
  const seconds = (performance.now() - startedAt) / 1000;
  source.close();
  target.close();
  return rows / seconds;
}
