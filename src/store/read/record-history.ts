/** Reads the views of incremental datasets: by the time of the records, and in the order in which they were stored. */
import { snakeCase } from "../../core/columns.ts";
import type { Cell } from "../../core/domain.ts";
import type { ComputedColumn, IncrementalDataset } from "../../datasets/incremental.ts";
import type { Filter, RowFormat, Span } from "../history.ts";
import { receivedInstantText, unpackHex } from "../schema/encoding.ts";
import { recordLayoutOf, recordQuery } from "../schema/record-layout.ts";
import { sqliteDialect, type ViewDialect } from "../schema/view-dialect.ts";
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

/** Yields the rows of a span of event times in ascending order, or only the `newest` of them. */
export function* selectRecords(
  sqlite: Sqlite,
  dataset: IncrementalDataset,
  filter: Filter,
  { from, to }: Span,
  { newest = Number.POSITIVE_INFINITY } = {},
): Generator<Cell[], void> {
  const { packed, decode } = packedRow(sqlite, dataset, recordColumns(sqlite, dataset));
  const conditions = ["at_ms >= ?", "at_ms < ?", ...Object.keys(filter).map(matches)].join(" and ");
  const values = [from, to, ...Object.values(filter)];
  const isLimited = newest !== Number.POSITIVE_INFINITY;
  const rows = sqlite
    .prepare<unknown[], string>(
      `select ${packed} from (${recordQuery(recordLayoutOf(dataset), packedDialect, { byScope: true })}) where ${conditions}
       order by ${byTime(dataset, isLimited ? "desc" : "asc")}${isLimited ? " limit ?" : ""}`,
    )
    .pluck();
  if (isLimited)
    yield* rows
      .all(...values, newest)
      .toReversed()
      .map(decode);
  else for (const row of rows.iterate(...values)) yield decode(row);
}

/** The dialect of rows that are decoded here: amounts are packed digits in hex, times are milliseconds. */
const packedDialect: ViewDialect = {
  ...sqliteDialect,
  amount: ({ alias }, column) => `hex(${alias}.${column})`,
  instant: (expression) => expression,
  receivedInstant: (expression) => expression,
};

type Packed = string | number | null;

/** Reads a cell of a packed row. */
type CellReader = (cell: Packed, row: readonly Cell[]) => Cell;

/**
 * Returns an SQL expression that packs a row of `packedDialect` into one text, and the function that decodes it into the cells of the
 * view. That takes half the time of the view, whose cells cross the driver one by one.
 */
function packedRow(sqlite: Sqlite, dataset: IncrementalDataset, names: readonly string[]) {
  const kinds = new Map(Object.entries(dataset.columns).map(([name, { kind }]) => [snakeCase(name), kind as string]));
  const derived = new Map<string, CellReader>();
  for (const column of Object.values(dataset.computed ?? {}))
    if (column.type === "decimal") kinds.set(column.name, column.type);
    else derived.set(column.name, derivedReader(sqlite, column, names));
  const readerOf = (name: string): CellReader => {
    const kind = name === "first_seen_at" ? "millis" : kinds.get(name);
    if (kind === "millis") return instantReader();
    if (kind === "decimal") return (cell) => (cell ? unpackHex(String(cell)) : null);
    return derived.get(name) ?? ((cell) => (typeof cell === "number" ? BigInt(cell) : cell));
  };
  const isRead = (name: string) => kinds.get(name) !== "text";
  const readers = names.flatMap((name, at) => (isRead(name) ? [{ at, read: readerOf(name) }] : []));
  return {
    packed: `json_array(${names.map((name) => (derived.has(name) ? "null" : name)).join(", ")})`,
    decode(text: string): Cell[] {
      const row: Packed[] = JSON.parse(text);
      const cells: Cell[] = row;
      for (const { at, read } of readers) cells[at] = read(row[at] ?? null, cells);
      return cells;
    },
  };
}

/** Reads a column that the view computes from others, such as the class of a type. Those repeat: SQLite computes each combination once. */
function derivedReader(sqlite: Sqlite, { sql }: ComputedColumn, names: readonly string[]): CellReader {
  const inputs = new Set<string>();
  const input = (column: string): string => {
    inputs.add(snakeCase(column));
    return `@${snakeCase(column)}`;
  };
  const compute = sqlite.prepare<Record<string, Cell>, string | null>(`select ${sql(input, "null")}`).pluck();
  const places = [...inputs].map((name) => [name, names.indexOf(name)] as const);
  const known = new Map<string, Cell>();
  return (_, row) => {
    let key = "";
    for (const [, at] of places) key += row[at] === null ? "-" : `${String(row[at]).length}=${row[at]}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = compute.get(Object.fromEntries(places.map(([name, at]) => [name, row[at] ?? null]))) ?? null;
    known.set(key, value);
    return value;
  };
}

/** Returns a reader of instants; records of one snapshot often follow each other and share theirs. */
function instantReader(): CellReader {
  let last = { instant: Number.NaN, text: "" };
  return (instant) => {
    if (typeof instant !== "number") return null;
    if (instant !== last.instant) last = { instant, text: receivedInstantText(instant) };
    return last.text;
  };
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
  const { packed, decode } = packedRow(sqlite, dataset, columns);
  const everyVersion = recordQuery({ ...recordLayoutOf(dataset), dataset: unchanging }, packedDialect);
  const id = snakeCase(dataset.id);
  const rows = sqlite
    .prepare<unknown[], string>(
      `select ${packed} from (${everyVersion})
       where snapshot_id in (select id from snapshot where taken_at >= ? and taken_at < ?)
       order by snapshot_id, length(${id}), ${id}, version`,
    )
    .pluck()
    .iterate(from, to);
  for (const row of rows) yield [decode(row).map((value, at) => cell(value, columns[at] ?? ""))];
}
