/** Computes which records of a batch are new, independently of the database. */
import type { ReadProgress, RecordBatch, Value } from "../../core/domain.ts";
import {
  cellsOf,
  extraOf,
  isSameRecord,
  type RecordLayout,
  type RecordRow,
  readingLine,
  readingRow,
  recordLine,
} from "../schema/record-layout.ts";

/** The new records of a batch. */
export interface RecordPlan {
  layout: RecordLayout;
  scopeId: number;
  rows: RecordRow[];
  reading: ReadProgress;
  /** The canonical lines from which the digest of the snapshot is computed. */
  lines: string[];
  /** Ids of records that were stored before with different content although they should never change. */
  changed: string[];
}

/** A record as it was read. */
export interface ReadRecord extends Omit<RecordRow, "version"> {
  id: string;
  /** The version that it must become, if another database stored it before. */
  version: number | undefined;
}

/** Returns the records of a batch. Throws a RangeError if a value cannot be stored exactly. */
export const readRecords = (
  layout: RecordLayout,
  { items, versions = [] }: RecordBatch & { versions?: readonly number[] },
): ReadRecord[] =>
  items.map((item, at) => {
    const cells = cellsOf(layout, item);
    return { id: String(cells[layout.idAt]), cells, extra: extraOf(item), version: versions[at] };
  });

/**
 * Compares the records of a batch with those stored in its scope. `versionsOf` returns every version of a record, oldest first. Throws a
 * RangeError if an imported record lacks its earlier versions.
 */
export function planRecords(
  layout: RecordLayout,
  scopeId: number,
  { reading }: RecordBatch,
  read: readonly ReadRecord[],
  versionsOf: (id: string) => Value[][],
): RecordPlan {
  const { changes } = layout.dataset;
  const versions = new Map<string, Value[][]>();
  const rows: RecordRow[] = [];
  const changed: string[] = [];
  for (const { id, cells, extra, version } of read) {
    const known = versions.get(id) ?? versionsOf(id);
    versions.set(id, known);
    // The exchange may alternate between two versions of a record: each is stored once, not every time it returns.
    const compared = changes ? known.slice(-1) : known;
    if (compared.some((stored) => isSameRecord(layout, stored, cells))) continue;
    if (version !== undefined && version !== known.length)
      throw new RangeError(`${id}: version ${version} follows ${known.length} others; all of them must be imported`);
    if (known.length > 0 && !changes) changed.push(id);
    rows.push({ version: known.length, cells, extra });
    known.push(cells);
  }
  const lines = [...rows.map((row) => recordLine(layout, row)), readingLine(readingRow(reading))];
  return { layout, scopeId, rows, reading, lines, changed };
}
