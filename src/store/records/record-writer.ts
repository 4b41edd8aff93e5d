/** Stores each record of incremental datasets once, with the point up to which records were read. The caller opens the transaction. */
import type { Statement } from "better-sqlite3";
import type { Column } from "../../core/columns.ts";
import type { ReadProgress, RecordBatch, Value } from "../../core/domain.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import { decodeCell, storedCell } from "../schema/encoding.ts";
import {
  type ReadingRow,
  type RecordLayout,
  type RecordRow,
  readColumns,
  readingColumns,
  readingOf,
  readingRow,
  recordLayoutOf,
  storedColumns,
  storedId,
} from "../schema/record-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { planRecords, type RecordPlan, readRecords } from "./record-plan.ts";

type Statements = ReturnType<typeof prepare>;

/** Writes the records of incremental datasets to SQLite, and reads how far each scope was read. */
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
    return planRecords(layout, scopeId, batch, readRecords(layout, batch), (id) => this.versions(layout, scopeId, id));
  }

  /** Returns every version of a record, the oldest first. */
  versions(layout: RecordLayout, scopeId: number, id: string): Value[][] {
    return this.#of(layout).find(scopeId, id);
  }

  /** Stores a plan under the id of its snapshot. */
  write(snapshotId: number, plan: RecordPlan): void {
    this.writeRows(snapshotId, plan);
    this.#of(plan.layout).insertReading.run({ snapshotId, ...readingRow(plan.reading) });
  }

  /** Stores the records of a plan, and not how far was read. */
  writeRows(snapshotId: number, { layout, scopeId, rows }: RecordPlan): void {
    const { insert } = this.#of(layout);
    for (const row of rows) insert(scopeId, snapshotId, row);
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
    .prepare<unknown[], unknown[]>(
      `select ${readColumns(layout).join(", ")} from ${prefix}_record where scope_id = ? and ${stored[idAt]} = ? order by version`,
    )
    .raw();
  const all = ["scope_id", "snapshot_id", "version", "extra", ...stored];
  const insert = sqlite.prepare(
    `insert into ${prefix}_record (${all.join(", ")}) values (${all.map(() => "?").join(", ")})`,
  );
  const packed = (value: Value, at: number) => storedCell(columns[at] as Column, value);
  return {
    /** Returns every version of a record, the oldest first. */
    find: (scopeId: number, id: string): Value[][] =>
      versions.all(scopeId, storedId(layout, id)).map((cells) => cells.map(decodeCell)),
    insert: (scopeId: number, snapshotId: number, { version, cells, extra }: RecordRow): void => {
      insert.run(scopeId, snapshotId, version, extra, ...cells.map(packed));
    },
    insertReading: sqlite.prepare(
      `insert into reading (snapshot_id, through, window_from, window_to, cursor, hole_from, hole_to)
       values (@snapshotId, @through, @windowFrom, @windowTo, @cursor, @holeFrom, @holeTo)`,
    ),
  };
}
