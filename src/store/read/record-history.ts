/** Reads the views of incremental datasets: by the time of the records, and in the order in which they were stored. */
import { snakeCase } from "../../core/columns.ts";
import type { Cell } from "../../core/domain.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import type { Filter, RowFormat, Span } from "../history.ts";
import { recordLayoutOf, recordQuery } from "../schema/record-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Returns the column names of a dataset's view. */
export const recordColumns = (sqlite: Sqlite, dataset: IncrementalDataset): string[] =>
  sqlite
    .prepare(`select * from ${recordLayoutOf(dataset).prefix} limit 0`)
    .columns()
    .map(({ name }) => name);

/** Returns the columns of an export: the run is not among them, because an imported history has other runs. */
export const exportedColumns = (sqlite: Sqlite, dataset: IncrementalDataset): string[] =>
  recordColumns(sqlite, dataset).filter((name) => name !== "run_id");

/** Returns the order of records by their own time; the exchange's ids grow, and longer ones are greater. */
const byTime = (dataset: IncrementalDataset, direction: "asc" | "desc"): string => {
  const id = snakeCase(dataset.id);
  return ["at_ms", `length(${id})`, id, "version"].map((column) => `${column} ${direction}`).join(", ");
};

/** Returns the condition of a filter. A coin may have small letters in the exchange's spelling. */
const matches = (column: string): string => (column === "coin" ? "upper(coin) = ?" : `${column} = ?`);

/** Returns the row with its integers as bigint. No view has other numbers; reading them as bigint takes SQLite's driver four times as long. */
const withBigIntegers = (row: Cell[]): Cell[] => row.map((cell) => (typeof cell === "number" ? BigInt(cell) : cell));

/** Yields the rows of a span of event times in ascending order, or only the `newest` of them. */
export function* selectRecords(
  sqlite: Sqlite,
  dataset: IncrementalDataset,
  filter: Filter,
  { from, to }: Span,
  { newest = Number.POSITIVE_INFINITY } = {},
): Generator<Cell[], void> {
  const { prefix } = recordLayoutOf(dataset);
  const conditions = ["at_ms >= ?", "at_ms < ?", ...Object.keys(filter).map(matches)].join(" and ");
  const values = [from, to, ...Object.values(filter)];
  const isLimited = newest !== Number.POSITIVE_INFINITY;
  const rows = sqlite
    .prepare<unknown[], Cell[]>(
      `select * from ${prefix} where ${conditions}
       order by ${byTime(dataset, isLimited ? "desc" : "asc")}${isLimited ? " limit ?" : ""}`,
    )
    .raw();
  if (isLimited)
    yield* rows
      .all(...values, newest)
      .toReversed()
      .map(withBigIntegers);
  else for (const row of rows.iterate(...values)) yield withBigIntegers(row);
}

/** Yields the rows of an export, every version of each record, by the snapshot with which they were stored; `span` is of the time when they were first seen. */
export function* scanRecords<T>(
  sqlite: Sqlite,
  dataset: IncrementalDataset,
  { from, to }: Span,
  { cell }: RowFormat<T>,
): Generator<T[][], void> {
  const columns = exportedColumns(sqlite, dataset);
  const { changes: _, ...unchanging } = dataset;
  const everyVersion = recordQuery({ ...recordLayoutOf(dataset), dataset: unchanging });
  const id = snakeCase(dataset.id);
  const rows = sqlite
    .prepare<unknown[], Cell[]>(
      `select ${columns.join(", ")} from (${everyVersion})
       where snapshot_id in (select id from snapshot where taken_at >= ? and taken_at < ?)
       order by snapshot_id, length(${id}), ${id}, version`,
    )
    .raw()
    .iterate(from, to);
  for (const row of rows) yield [withBigIntegers(row).map((value, at) => cell(value, columns[at] ?? ""))];
}
