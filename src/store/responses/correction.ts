/** What corrections of snapshots and of records share: which snapshots they change, and the notes that they leave in the chain. */
import { createChain, type SnapshotDigest } from "../chain/chain.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Replayed } from "./comparison.ts";

/** The first snapshot of a scope that a correction would change. */
export type First = Pick<Replayed, "scopeId" | "snapshotId" | "account" | "productType" | "slot">;

/** Thrown if a scope cannot be corrected; the message is the reason. */
export class Refusal extends Error {}

/** A good snapshot of a scope to correct. */
export interface GoodSnapshot {
  id: number;
  runId: number;
  slot: number;
  takenAt: number;
  rows: number;
  digest: Buffer;
}

/** Returns a statement that reads the good snapshots of a scope from a snapshot on, ascending by id. */
export const prepareGoodSnapshots = (sqlite: Sqlite) =>
  sqlite.prepare<[number, number], GoodSnapshot>(
    `select n.id, n.run_id as runId, r.slot, n.taken_at as takenAt, n.rows, n.digest from snapshot n join run r on r.id = n.run_id
     where n.scope_id = ? and n.id >= ? and n.error_code is null order by n.id`,
  );

/** Returns a function that updates the row of a snapshot and of its run, and notes the old values in the chain. */
export function prepareCorrectionRecord(sqlite: Sqlite, { scopeId, snapshotId }: First) {
  const chain = createChain(sqlite);
  const rowsOf = sqlite.prepare<[number], number>("select coalesce(rows, 0) from run where id = ?").pluck();
  const setSnapshot = sqlite.prepare("update snapshot set taken_at = ?, rows = ?, digest = ? where id = ?");
  const setRun = sqlite.prepare("update run set rows = ? where id = ?");
  const runs = snapshotsByRun(sqlite, scopeId, snapshotId);
  return (was: GoodSnapshot, { takenAt, rows, digest }: Pick<GoodSnapshot, "takenAt" | "rows" | "digest">): void => {
    const ofRun = Number(rowsOf.get(was.runId));
    chain.appendNote(["corrected", was.id, was.digest.toString("hex"), ofRun], was.runId);
    setSnapshot.run(takenAt, rows, digest, was.id);
    setRun.run(ofRun + rows - was.rows, was.runId);
    const all = runs.get(was.runId) ?? [];
    chain.appendRun(
      was.runId,
      all.map((one) => (one.id === was.id ? { ...one, digest } : one)),
    );
  };
}

/**
 * Returns all snapshots of each run that has a snapshot of the scope from `snapshotId` on, ascending by id. They are read at once,
 * because there is no index from runs to snapshots.
 */
function snapshotsByRun(sqlite: Sqlite, scopeId: number, snapshotId: number): Map<number, SnapshotDigest[]> {
  const rows = sqlite
    .prepare(
      `select run_id as runId, id, digest
       from (select run_id, id, digest from snapshot union all select run_id, id, digest from pruned)
       where run_id in (select run_id from snapshot where scope_id = ? and id >= ?) order by id`,
    )
    .iterate(scopeId, snapshotId) as IterableIterator<SnapshotDigest & { runId: number }>;
  const runs = new Map<number, SnapshotDigest[]>();
  for (const { runId, ...sealed } of rows) {
    const known = runs.get(runId);
    if (known) known.push(sealed);
    else runs.set(runId, [sealed]);
  }
  return runs;
}
