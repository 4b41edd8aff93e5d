/** Stores each record of incremental datasets once, with the point up to which records were read. The caller opens the transaction. */
import type { Statement } from "better-sqlite3";
import type { ReadProgress, RecordBatch, Value } from "../../core/domain.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import { decodeCell, packDigits } from "../schema/encoding.ts";
import {
  cellsOf,
  extraOf,
  isSameRecord,
  type ReadingRow,
  type RecordLayout,
  type RecordRow,
  readingColumns,
  readingLine,
  readingOf,
  readingRow,
  recordLayoutOf,
  recordLine,
  storedColumns,
} from "../schema/record-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";

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

type Statements = ReturnType<typeof prepare>;

export class RecordWriter {
  readonly #sqlite: Sqlite;
  readonly #statements = new Map<RecordLayout, Statements>();
  #findReading: Statement<[number, string], ReadingRow> | null = null;

  /** Prepares no statement yet: their tables exist only in databases with incremental datasets. */
  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite;
  }

  /** Compares a batch with the stored records of its scope. Throws a RangeError if a value cannot be stored exactly. */
  plan(dataset: IncrementalDataset, scopeId: number, batch: RecordBatch): RecordPlan {
    const layout = recordLayoutOf(dataset);
    const { find } = this.#of(layout);
    const versions = new Map<string, Value[][]>();
    const rows: RecordRow[] = [];
    const changed: string[] = [];
    for (const item of batch.items) {
      const cells = cellsOf(layout, item);
      const id = String(cells[layout.idAt]);
      const known = versions.get(id) ?? find(scopeId, id);
      versions.set(id, known);
      // The exchange may alternate between two versions of a record: each is stored once, not every time it returns.
      const compared = dataset.changes ? known.slice(-1) : known;
      if (compared.some((stored) => isSameRecord(layout, stored, cells))) continue;
      if (known.length > 0 && !dataset.changes) changed.push(id);
      rows.push({ version: known.length, cells, extra: extraOf(item) });
      known.push(cells);
    }
    const lines = [...rows.map((row) => recordLine(layout, row)), readingLine(readingRow(batch.reading))];
    return { layout, scopeId, rows, reading: batch.reading, lines, changed };
  }

  /** Stores a plan under the id of its snapshot. */
  write(snapshotId: number, { layout, scopeId, rows, reading }: RecordPlan): void {
    const { insert, insertReading } = this.#of(layout);
    for (const row of rows) insert(scopeId, snapshotId, row);
    insertReading.run({ snapshotId, ...readingRow(reading) });
  }

  /** Returns how far the scope of a series was read, null where it never was. */
  reading(seriesId: number, productType: string): ReadProgress | null {
    this.#findReading ??= this.#sqlite.prepare(
      `select ${readingColumns} from scope p join reading g on g.snapshot_id = p.latest
       where p.series_id = ? and p.product_type = ?`,
    );
    const found = this.#findReading.get(seriesId, productType);
    return found ? readingOf(found) : null;
  }

  #of(layout: RecordLayout): Statements {
    const known = this.#statements.get(layout) ?? prepare(this.#sqlite, layout);
    this.#statements.set(layout, known);
    return known;
  }
}

function prepare(sqlite: Sqlite, layout: RecordLayout) {
  const { prefix, columns, idAt } = layout;
  const stored = storedColumns(layout);
  const versions = sqlite
    .prepare<[number, string], unknown[]>(
      `select ${stored.join(", ")} from ${prefix}_record where scope_id = ? and ${stored[idAt]} = ? order by version`,
    )
    .raw();
  const all = ["scope_id", "snapshot_id", "version", "extra", ...stored];
  const insert = sqlite.prepare(
    `insert into ${prefix}_record (${all.join(", ")}) values (${all.map(() => "?").join(", ")})`,
  );
  const packed = (value: Value, at: number) =>
    columns[at]?.kind === "decimal" && typeof value === "string" ? packDigits(value) : value;
  return {
    /** Returns every version of a record, the oldest first. */
    find: (scopeId: number, id: string): Value[][] => versions.all(scopeId, id).map((cells) => cells.map(decodeCell)),
    insert: (scopeId: number, snapshotId: number, { version, cells, extra }: RecordRow): void => {
      insert.run(scopeId, snapshotId, version, extra, ...cells.map(packed));
    },
    insertReading: sqlite.prepare(
      `insert into reading (snapshot_id, through, window_from, window_to, cursor, hole_from, hole_to)
       values (@snapshotId, @through, @windowFrom, @windowTo, @cursor, @holeFrom, @holeTo)`,
    ),
  };
}
