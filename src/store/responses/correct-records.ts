/**
 * Corrects records that an earlier parser read wrongly: those of every good snapshot from the first that differs on are stored again
 * from their raw responses. A record is never deleted: a scope whose responses lack one is not corrected.
 */
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import { forgetReconciliation } from "../ledger/ledger-rows.ts";
import { planRecords, readRecords } from "../records/record-plan.ts";
import { RecordWriter } from "../records/record-writer.ts";
import { matchesDigest, snapshotDigest, truncateDigest } from "../schema/digest.ts";
import { idSql } from "../schema/encoding.ts";
import {
  type ReadingRow,
  readingColumns,
  readingOf,
  recordLayoutOf,
  storedColumns,
  storedId,
} from "../schema/record-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { type First, type GoodSnapshot, prepareCorrectionRecord, prepareGoodSnapshots, Refusal } from "./correction.ts";
import { prepareRecordReparse } from "./replay-records.ts";

/** Returns a function that corrects a scope in one transaction, and returns the number of changed snapshots. */
export function prepareRecordCorrection({
  sqlite,
  raw,
  dataset,
  onProgress,
}: Record<"sqlite" | "raw", Sqlite> & { dataset: IncrementalDataset; onProgress: () => void }): (
  first: First,
) => number {
  const layout = recordLayoutOf(dataset);
  const table = `${layout.prefix}_record`;
  const id = storedColumns(layout)[layout.idAt] ?? "";
  const writer = new RecordWriter(sqlite);
  const reparse = prepareRecordReparse(raw, dataset);
  const goodFrom = prepareGoodSnapshots(sqlite);
  const ids = sqlite
    .prepare<[number, number], string>(`select ${idSql(id)} from ${table} where scope_id = ? and snapshot_id >= ?`)
    .pluck();
  const forget = sqlite.prepare(`delete from ${table} where scope_id = ? and snapshot_id >= ?`);
  const exists = sqlite.prepare(`select 1 from ${table} where scope_id = ? and ${id} = ? limit 1`);
  const readingAt = sqlite.prepare<[number], ReadingRow>(
    `select ${readingColumns} from reading g where g.snapshot_id = ?`,
  );

  function batchOf({ account, productType }: First, { id: snapshotId, slot, takenAt }: GoodSnapshot) {
    const of = `of ${new Date(slot).toISOString()}`;
    let items: ReturnType<typeof reparse>;
    try {
      items = reparse({ account, productType, slot });
    } catch (error) {
      throw new Refusal(`a response ${of} would be rejected now: ${(error as Error).message}`);
    }
    const reading = readingAt.get(snapshotId);
    if (!items || !reading) throw new Refusal(`the responses ${of} are not kept, so that records would be lost`);
    return { scope: null, takenAt, items, reading: readingOf(reading) };
  }

  const transaction = sqlite.transaction((first: First): number => {
    const { scopeId, snapshotId, account, productType } = first;
    const before = ids.all(scopeId, snapshotId);
    const good = goodFrom.all(scopeId, snapshotId);
    forget.run(scopeId, snapshotId);
    const note = prepareCorrectionRecord(sqlite, first);
    let corrected = 0;
    for (const one of good) {
      const batch = batchOf(first, one);
      const plan = planRecords(layout, scopeId, batch, readRecords(layout, batch), (of) =>
        writer.versions(layout, scopeId, of),
      );
      writer.writeRows(one.id, plan);
      const digest = snapshotDigest([dataset.name, account, productType, one.slot, one.takenAt], plan.lines);
      if (!matchesDigest(digest, one.digest)) {
        note(one, { takenAt: one.takenAt, rows: plan.rows.length, digest: truncateDigest(digest) });
        corrected += 1;
      }
      onProgress();
    }
    const lost = before.find((of) => !exists.get(scopeId, storedId(layout, of)));
    if (lost !== undefined) throw new Refusal(`no response that is kept contains ${lost}`);
    if (corrected > 0) forgetReconciliation(sqlite, account);
    return corrected;
  });
  return (first) => transaction.immediate(first);
}
