/** Reads snapshots, as of an instant and over time. */
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import type { SnapshotHistory, Span } from "../history.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { prepareOnce } from "../sqlite/prepare-once.ts";
import { prepareAsOf } from "./as-of.ts";
import { latestChanges } from "./changes.ts";
import { unknownFields } from "./extra/unknown-fields.ts";
import { exportedColumns, recordColumns, scanRecords, selectRecords } from "./record-history.ts";
import { historyColumns, scanHistory, selectRows } from "./scan.ts";
import { findItems, type PointReader, pointReader } from "./time-series.ts";

/** Returns the snapshot queries on a connection. */
export const snapshotHistory = (sqlite: Sqlite): SnapshotHistory => ({
  points: createPoints(sqlite),
  columns: (dataset) =>
    dataset.mode === "snapshot" ? historyColumns(sqlite, dataset) : recordColumns(sqlite, dataset),
  exportedColumns: (dataset) =>
    dataset.mode === "snapshot" ? historyColumns(sqlite, dataset) : exportedColumns(sqlite, dataset),
  asOf: prepareOnce(() => prepareAsOf(sqlite)),
  takenOfSlot: (dataset, account, slot) => takenOfSlot(sqlite, dataset, account, slot),
  firstTaken: (dataset, account, productType) => firstTaken(sqlite, dataset, account, productType),
  rows: (dataset, filter, span, only) =>
    dataset.mode === "snapshot"
      ? selectRows(sqlite, dataset, filter, span, only)
      : selectRecords(sqlite, dataset, filter, span, only),
  scan: (dataset, span, form) =>
    dataset.mode === "snapshot"
      ? scanHistory(sqlite, dataset, { ...span, ...form, filter: {}, order: "stored", changes: false })
      : scanRecords(sqlite, dataset, span, form),
  countRows: (dataset, span) => countRows(sqlite, dataset, span),
  unknownFields: () => unknownFields(sqlite),
  latestChanges: (dataset, account, filter, span, columns) =>
    latestChanges(sqlite, dataset, account, filter, span, columns),
  items: (dataset, account, productType, keys) => findItems(sqlite, dataset, account, productType, keys),
  itemNames: (dataset, column) =>
    sqlite
      .prepare<[], string>(`select distinct ${column} from ${layoutOf(dataset).prefix}_item order by 1`)
      .pluck()
      .all(),
  prunedDays: (dataset, account) => prunedDays(sqlite, dataset, account),
});

/** Returns `SnapshotHistory.points`, whose statements are prepared once for each dataset. */
function createPoints(sqlite: Sqlite): SnapshotHistory["points"] {
  const readers = new Map<string, PointReader>();
  return (dataset, item, span, columns, valueFrom) => {
    const reader = readers.get(dataset.name) ?? pointReader(sqlite, dataset);
    readers.set(dataset.name, reader);
    return reader(item, span, columns, valueFrom);
  };
}

const takenOfSlot = (sqlite: Sqlite, dataset: Dataset, account: string, slot: number): number | null =>
  sqlite
    .prepare<[string, string, number], number | null>(
      `select max(n.taken_at) from account a join series e on e.account_id = a.id join run r on r.series_id = e.id
         join snapshot n on n.run_id = r.id
       where a.name = ? and e.dataset = ? and r.slot = ? and n.error_code is null`,
    )
    .pluck()
    .get(account, dataset.name, slot) ?? null;

const firstTaken = (sqlite: Sqlite, dataset: Dataset, account: string, productType: string | null): number | null =>
  sqlite
    .prepare<[string, string, string], number | null>(
      `select (select min(taken_at) from snapshot where scope_id = p.id)
       from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id
       where a.name = ? and e.dataset = ? and p.product_type = ?`,
    )
    .pluck()
    .get(account, dataset.name, productType ?? "") ?? null;

const countRows = (sqlite: Sqlite, dataset: AnyDataset, { from, to }: Span): number =>
  sqlite
    .prepare<unknown[], number>(
      `select coalesce(sum(n.rows), 0) from snapshot n join scope p on p.id = n.scope_id join series e on e.id = p.series_id
       where e.dataset = ? and n.taken_at >= ? and n.taken_at < ?`,
    )
    .pluck()
    .get(dataset.name, from, to) ?? 0;

const prunedDays = (sqlite: Sqlite, dataset: Dataset, account: string): number[] =>
  sqlite
    .prepare<[string, string], number>(
      `select distinct r.day from daily_range r join ${layoutOf(dataset).prefix}_item i on i.id = r.item_id
       join scope p on p.id = i.scope_id join series e on e.id = p.series_id join account a on a.id = e.account_id
       where r.dataset = ? and a.name = ?`,
    )
    .pluck()
    .all(dataset.name, account);
