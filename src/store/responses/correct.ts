/**
 * Corrects rows that an earlier parser read wrongly: from the first snapshot of a scope that the current parser reads differently, every
 * good snapshot is recorded again from its raw response. The chain keeps a note with the old digest of each changed snapshot, so that
 * older links can still be verified.
 *
 * A scope is corrected as a whole or not at all. If one response were missing, rows could appear to be removed there; pruned snapshots
 * cannot be parsed again; failed snapshots stay failed, so that a correction never hides a gap.
 */
import { rmSync } from "node:fs";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { dayMs } from "../../core/time.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { prunedNotes } from "../chain/chain.ts";
import { forgetReconciliation } from "../ledger/ledger-rows.ts";
import { rebuildScopeEpisodes, rewriteEpisodes } from "../positions/rebuild.ts";
import { matchesDigest, snapshotDigest, truncateDigest } from "../schema/digest.ts";
import { layoutOf, type StorageLayout } from "../schema/storage-layout.ts";
import { diff } from "../snapshots/change-set.ts";
import { createStateReader, DatasetTables } from "../snapshots/dataset-tables.ts";
import { backup } from "../sqlite/backup.ts";
import { openReadOnly, openWriter, type Sqlite } from "../sqlite/database.ts";
import { sqliteErrorOf, writeError } from "../sqlite/write-queue.ts";
import { openRawReader, rawFile } from "./archive-file.ts";
import { prepareRecordCorrection } from "./correct-records.ts";
import { type First, type GoodSnapshot, prepareCorrectionRecord, prepareGoodSnapshots, Refusal } from "./correction.ts";
import { ComputedError, prepareReparse, type Reparsed } from "./reparse.ts";
import { rowsIn } from "./replay.ts";

/** The result of correcting one scope. */
export interface Correction {
  first: First;
  /** The number of snapshots that were changed. */
  snapshots: number;
  /** Why the scope was not corrected; null if it was. */
  refusal: string | null;
}

/** The result of a correction. */
export interface Corrected {
  scopes: Correction[];
  /** The path of the backup made before; null if nothing was changed. */
  backup: string | null;
}

/**
 * Corrects scopes one after the other, each in one transaction, after a backup that is named after `now` (epoch ms). The caller holds
 * the lock. Changes nothing if no responses are kept. `onProgress` is called after each snapshot. Throws a StorageError if the
 * database cannot be written.
 */
export async function correct(
  path: string,
  dataset: AnyDataset,
  firsts: readonly First[],
  { now, onProgress = () => {} }: { now: number; onProgress?: () => void },
): Promise<Corrected> {
  const raw = openRawReader(rawFile(path));
  if (!raw) return { scopes: [], backup: null };
  const stored = openReadOnly(path);
  const sqlite = openWriter(path);
  try {
    const copy = `${path}.before-correction-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
    await backup(sqlite, copy);
    const correctScope =
      dataset.mode === "snapshot"
        ? prepareCorrection({ sqlite, stored, raw, dataset, onProgress })
        : prepareRecordCorrection({ sqlite, raw, dataset, onProgress });
    const scopes = firsts.map((first) => attempt(first, correctScope));
    const isSame = scopes.every(({ snapshots }) => snapshots === 0);
    if (isSame) rmSync(copy);
    return { scopes, backup: isSame ? null : copy };
  } catch (error) {
    const cause = sqliteErrorOf(error);
    throw cause ? writeError(path, cause) : error;
  } finally {
    sqlite.close();
    stored.close();
    raw.close();
  }
}

function attempt(first: First, correctScope: (first: First) => number): Correction {
  try {
    return { first, snapshots: correctScope(first), refusal: null };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { first, snapshots: 0, refusal: error.message };
  }
}

/**
 * Returns a function that corrects a scope and returns the number of changed snapshots. `stored` is a connection on which the state
 * before the transaction on `sqlite` is read.
 */
function prepareCorrection({
  sqlite,
  stored,
  raw,
  dataset,
  onProgress,
}: Record<"sqlite" | "stored" | "raw", Sqlite> & { dataset: Dataset; onProgress: () => void }) {
  const layout = layoutOf(dataset);
  const tables = new DatasetTables(sqlite, drizzle(sqlite), layout);
  const stateAt = createStateReader(sqlite, layout);
  const storedAt = createStateReader(stored, layout);
  const reparse = prepareReparse(raw, dataset);
  const goodFrom = prepareGoodSnapshots(sqlite);
  const goodBefore = sqlite
    .prepare<[number, number], number>(
      "select id from snapshot where scope_id = ? and id < ? and error_code is null order by id desc limit 1",
    )
    .pluck();
  const forget = prepareRemoval(sqlite, layout);

  function reparsedOf({ account, productType }: First, { id, slot }: GoodSnapshot): Reparsed {
    const of = `of ${new Date(slot).toISOString()}`;
    let found: Reparsed | null;
    try {
      found = reparse({ account, productType, slot }, rowsIn(storedAt(id)));
    } catch (error) {
      if (error instanceof ComputedError) throw new Refusal(`the rows ${of} were also computed from other datasets`);
      throw new Refusal(`the response ${of} would be rejected now: ${(error as Error).message}`);
    }
    if (!found) throw new Refusal(`the response ${of} is not kept, so that rows could appear to be removed there`);
    return found;
  }

  const transaction = sqlite.transaction((first: First): number => {
    const { scopeId, snapshotId, account, productType } = first;
    const good = goodFrom.all(scopeId, snapshotId);
    const lastPruned = requireUnpruned(sqlite, dataset, first, good);
    const state = stateAt(goodBefore.get(scopeId, snapshotId) ?? null);
    forget.items(scopeId, snapshotId);
    const episodes = dataset.episodes ? rebuildScopeEpisodes(sqlite, scopeId) : null;
    forget.versions(scopeId, snapshotId);
    const write = prepareCorrectionRecord(sqlite, first);
    let corrected = 0;
    for (const one of good) {
      const { rows: items, requestTime } = reparsedOf(first, one);
      const takenAt = requestTime || one.takenAt;
      const { changes, lines, rows } = diff(layout, state, items);
      tables.applyChanges(changes, { scopeId, snapshotId: one.id, state });
      const digest = snapshotDigest([dataset.name, account, productType, one.slot, takenAt], lines);
      if (!matchesDigest(digest, one.digest)) {
        write(one, { takenAt, rows, digest: truncateDigest(digest) });
        corrected += 1;
      }
      onProgress();
    }
    if (episodes && !rewriteEpisodes(sqlite, episodes, rebuildScopeEpisodes(sqlite, scopeId), lastPruned))
      throw new Refusal("a position that would change was opened on a day that has been pruned");
    if (corrected > 0) forgetReconciliation(sqlite, account);
    return corrected;
  });
  return (first: First): number => transaction.immediate(first);
}

/** Returns the last pruned snapshot of the series, 0 if none was. Throws a Refusal if pruning affects the snapshots to correct. */
function requireUnpruned(
  sqlite: Sqlite,
  dataset: Dataset,
  { scopeId, snapshotId, account }: First,
  good: readonly GoodSnapshot[],
): number {
  const lastPruned = sqlite
    .prepare<[number], number | null>(
      `select max(p.id) from pruned p join run r on r.id = p.run_id
       where r.series_id = (select series_id from scope where id = ?)`,
    )
    .pluck()
    .get(scopeId);
  const earliest = good.reduce((least, { takenAt }) => Math.min(least, takenAt), Number.POSITIVE_INFINITY);
  const days = prunedNotes(sqlite)
    .filter(([, ofAccount, ofDataset]) => ofAccount === account && ofDataset === dataset.name)
    .map(([, , , day]) => day);
  const touched = days.filter((day) => Date.parse(day) + dayMs > earliest).sort()[0];
  if (touched !== undefined || (lastPruned ?? 0) > snapshotId)
    throw new Refusal(`${touched ?? "a later day"} was pruned, and deleted snapshots cannot be parsed again`);
  return lastPruned ?? 0;
}

/** Prepares to delete the rows of a scope from a snapshot on: items that begin there, and later versions of the others. */
function prepareRemoval(sqlite: Sqlite, { prefix, moving, dataset }: StorageLayout) {
  const items = `select id from ${prefix}_item i where scope_id = @scopeId`;
  const begun = `${items} and not exists (select 1 from ${prefix}_steady where item_id = i.id and since < @snapshotId)`;
  const parts = ["steady", ...(moving.length > 0 ? ["moving"] : []), "extra"].map((part) => `${prefix}_${part}`);
  const prepare = (sql: string) => sqlite.prepare<{ scopeId: number; snapshotId: number }>(sql);
  const ofItems = [...parts, ...(dataset.episodes ? ["episode"] : [])].map((table) =>
    prepare(`delete from ${table} where item_id in (${begun})`),
  );
  // Last: these items are recognised by their rows being deleted.
  const theItems = prepare(
    `delete from ${prefix}_item where scope_id = @scopeId and id not in (select item_id from ${prefix}_steady)`,
  );
  const ofOthers = parts.map((table) =>
    prepare(`delete from ${table} where since >= @snapshotId and item_id in (${items})`),
  );
  const all = (statements: typeof ofItems) => (scopeId: number, snapshotId: number) => {
    for (const statement of statements) statement.run({ scopeId, snapshotId });
  };
  return { items: all([...ofItems, theItems]), versions: all(ofOthers) };
}
