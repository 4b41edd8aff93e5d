/**
 * Prunes the intraday snapshots of old days. Keeps every run, every failed snapshot, and for each scope and day the first and the last
 * good snapshot, those at which an item was removed or a position was opened, and the range of each amount.
 *
 * The contents of kept snapshots do not change: a version that began at a deleted snapshot begins at the next kept one. The digests of
 * deleted snapshots are kept, so that the links of their runs can still be verified. The chain is valid at every moment, and
 * interrupted pruning continues with the next call.
 */
import { setTimeout } from "node:timers/promises";
import { systemClock } from "../../core/clock.ts";
import { StorageError } from "../../core/errors.ts";
import { dayMs, startOfDay } from "../../core/time.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { createChain, dayKey, type PrunedNote, prunedNotes } from "../chain/chain.ts";
import { adviceFor } from "../files/draft.ts";
import { layoutOf, type StorageLayout } from "../schema/storage-layout.ts";
import { openReadOnly, openWriter, type Sqlite } from "../sqlite/database.ts";
import { createWriteQueue } from "../sqlite/write-queue.ts";
import { createRangeWriter } from "./daily-extremes.ts";
import { createPlanner, type DayPlan, dayText, type ExpiredSnapshot } from "./prune-plan.ts";
import { prepareRetainedRows, retainedDigest } from "./retained-digest.ts";

/** The amount of data that pruning deleted. */
export interface Pruned {
  /** Days of which something was deleted. */
  days: number;
  /** Deleted snapshots, the rows that history views showed for them, and the stored versions deleted with them. */
  snapshots: number;
  rows: number;
  versions: number;
}

/** Snapshots deleted in one transaction, for which a writing daemon waits ten to twenty milliseconds. */
const batchSize = 200;

/** The pause between transactions, in which a waiting daemon can write; it retries every 25 to 100 ms. */
const pauseMs = 20;

/**
 * Prunes the whole UTC days that ended by `before` (epoch ms, not in the future), except records of incremental datasets, which the
 * exchange no longer has. The daemon may keep running. `onProgress` is called after each transaction with the number of processed snapshots and their total. Throws a ConfigError if the file is not a database of
 * this program, a StorageError if it cannot be written.
 */
export async function prune(
  path: string,
  datasets: readonly AnyDataset[],
  before: number,
  onProgress?: (done: number, total: number) => void,
): Promise<Pruned> {
  const found: Pruned = { days: 0, snapshots: 0, rows: 0, versions: 0 };
  const reader = openReadOnly(path);
  const sqlite = openWriter(path);
  try {
    // For each deleted snapshot SQLite would search every table that refers to it; those rows are deleted before.
    sqlite.pragma("foreign_keys = OFF");
    const write = createWriteQueue(path, sqlite, systemClock, () => {});
    const ofSnapshots = datasets.filter((one) => one.mode === "snapshot");
    const plan = createPlanner(reader, ofSnapshots);
    const recordDay = prepareDayRecorder(sqlite, ofSnapshots);
    const remove = prepareRemoval(sqlite, ofSnapshots);
    const guard = preparePlanGuard(reader, sqlite);
    for (const { day, done, total } of wholeDays(reader, before)) {
      // Both in one read transaction, because another process may be pruning at the same time.
      const [plans, requireAsPlanned] = reader.transaction(() => [plan(day), guard()] as const)();
      if (plans.length === 0) continue;
      await write(() => {
        requireAsPlanned();
        plans.forEach(recordDay);
      });
      onProgress?.(done, total);
      const expired = plans.flatMap(({ expire }) => expire).sort((one, other) => one.id - other.id);
      for (let from = 0; from < expired.length; from += batchSize) {
        const batch = expired.slice(from, from + batchSize);
        const removed = await write(() => remove(batch));
        found.snapshots += batch.length;
        found.rows += removed.rows;
        found.versions += removed.versions;
        onProgress?.(done + from + batch.length, total);
        await setTimeout(pauseMs);
      }
      found.days += 1;
    }
    onProgress?.(1, 1);
    return found;
  } finally {
    sqlite.close();
    reader.close();
  }
}

/** Remembers the head of the chain. The returned function throws, in a later transaction, if a correction was written since. */
function preparePlanGuard(reader: Sqlite, sqlite: Sqlite): () => () => void {
  const last = reader.prepare<[], number | null>("select max(id) from link").pluck();
  const corrected = sqlite.prepare(`select 1 from link where id > ? and note like '["corrected",%' limit 1`);
  return () => {
    const planned = last.get() ?? 0;
    return () => {
      if (corrected.get(planned))
        throw new StorageError("Another process is correcting this database. Prune again when it has finished.");
    };
  };
}

/** What is stored of the whole days before an instant, and the free space of the file. */
export interface Remaining {
  runs: number;
  good: number;
  failed: number;
  ranges: number;
  freeBytes: number;
}

/** Counts what is stored of the whole UTC days before `before` (epoch ms). */
export function remaining(path: string, before: number): Remaining {
  const sqlite = openReadOnly(path);
  try {
    const end = startOfDay(before);
    return sqlite
      .prepare(
        `select (select count(*) from run where slot < @end) as runs,
           (select count(*) from snapshot where taken_at < @end and error_code is null) as good,
           (select count(*) from snapshot where taken_at < @end and error_code is not null) as failed,
           (select count(*) from daily_range where day < @end) as ranges,
           (select page_size * freelist_count from pragma_page_size, pragma_freelist_count) as freeBytes`,
      )
      .get({ end }) as Remaining;
  } finally {
    sqlite.close();
  }
}

/** Returns free space to the disk. The caller holds the lock. Throws a StorageError if that fails. */
export function compact(path: string): void {
  const sqlite = openWriter(path);
  try {
    sqlite.exec("vacuum");
    sqlite.pragma("wal_checkpoint(TRUNCATE)");
  } catch (error) {
    throw new StorageError(`${path} could not be compacted (${(error as Error).message}). ${adviceFor(error)}`);
  } finally {
    sqlite.close();
  }
}

/** Returns the days with snapshots that ended by `before`, each with the good snapshots before it and the total. */
function wholeDays(sqlite: Sqlite, before: number): { day: number; done: number; total: number }[] {
  const end = startOfDay(before);
  const counts = sqlite
    .prepare(
      `select taken_at / ${dayMs} as number, count(*) as snapshots from snapshot
       where error_code is null and taken_at < ? group by 1 order by 1`,
    )
    .all(end) as { number: number; snapshots: number }[];
  const total = counts.reduce((sum, { snapshots }) => sum + snapshots, 0);
  let done = 0;
  return counts.map(({ number, snapshots }) => {
    done += snapshots;
    return { day: number * dayMs, done: done - snapshots, total };
  });
}

/** Returns a function that writes the ranges of a day and the note of what is kept, unless written before. */
function prepareDayRecorder(sqlite: Sqlite, datasets: readonly Dataset[]): (plan: DayPlan) => void {
  const chain = createChain(sqlite);
  const writeRanges = createRangeWriter(sqlite);
  const readers = new Map(
    datasets.map((dataset) => [layoutOf(dataset), prepareRetainedRows(sqlite, layoutOf(dataset))]),
  );
  const noted = new Map(prunedNotes(sqlite).map((note) => [dayKey(note), JSON.stringify(note)]));
  return ({ seriesId, account, layout, day, retain, ranges }) => {
    writeRanges(layout, day, ranges);
    const seal = retainedDigest(readers.get(layout)?.(seriesId, day) ?? []);
    const note: PrunedNote = ["pruned", account, layout.dataset.name, dayText(day), retain, seal];
    if (noted.get(dayKey(note)) !== JSON.stringify(note)) chain.appendNote(note);
  };
}

/** Returns a function that deletes snapshots, inside a transaction, and returns the numbers of their rows and deleted versions. */
function prepareRemoval(sqlite: Sqlite, datasets: readonly Dataset[]) {
  sqlite.exec("create temp table expired (id integer primary key, scope_id integer not null, next integer not null)");
  const clear = sqlite.prepare("delete from expired");
  const insert = sqlite.prepare("insert into expired (id, scope_id, next) values (?, ?, ?)");
  const countRows = sqlite.prepare("select sum(rows) from snapshot where id in (select id from expired)").pluck();
  const keepDigests = sqlite.prepare(
    "insert into pruned (id, run_id, digest) select id, run_id, digest from snapshot where id in (select id from expired)",
  );
  const removeSnapshots = sqlite.prepare("delete from snapshot where id in (select id from expired)");
  const removers = new Map(
    datasets.map((dataset) => [layoutOf(dataset), prepareVersionRemoval(sqlite, layoutOf(dataset))]),
  );
  return (batch: readonly ExpiredSnapshot[]): { rows: number; versions: number } => {
    clear.run();
    const expiring = new Set(batch.map(({ id }) => id));
    for (const { id, scopeId, among, at } of batch) {
      insert.run(
        id,
        scopeId,
        among.slice(at + 1).find((other) => !expiring.has(other)),
      );
    }
    const rows = Number(countRows.get());
    let versions = 0;
    for (const layout of new Set(batch.map(({ layout }) => layout)))
      versions += removers.get(layout)?.(batch[0]?.id ?? 0, batch.at(-1)?.id ?? 0) ?? 0;
    if (keepDigests.run().changes !== batch.length)
      throw new StorageError("Another process is pruning this database. Try again when it has finished.");
    removeSnapshots.run();
    return { rows, versions };
  };
}

/**
 * Returns a function that moves each version of an expired snapshot that is still valid at the next kept snapshot to that one, and
 * deletes the others. It returns the number of deleted versions.
 */
function prepareVersionRemoval(
  sqlite: Sqlite,
  { prefix, moving }: StorageLayout,
): (first: number, last: number) => number {
  const parts = ["steady", ...(moving.length > 0 ? ["moving"] : []), "extra"];
  const statements = parts.map((part) => {
    const table = `${prefix}_${part}`;
    const condition = `item_id in (select id from ${prefix}_item where scope_id in (select scope_id from expired))
      and since between ? and ? and since in (select id from expired)`;
    const next = "(select next from expired where id = v.since)";
    const move = sqlite.prepare(
      `update ${table} as v set since = ${next} where ${condition} and not exists (
         select 1 from ${table} w where w.item_id = v.item_id and w.since > v.since and w.since <= ${next})`,
    );
    return { move, remove: sqlite.prepare(`delete from ${table} where ${condition}`) };
  });
  return (first, last) => {
    let removed = 0;
    for (const { move, remove } of statements) {
      move.run(first, last);
      removed += remove.run(first, last).changes;
    }
    return removed;
  };
}
