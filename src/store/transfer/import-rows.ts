/** Converts exported rows of a history view back into snapshots. */
import { type Column, snakeCase } from "../../core/columns.ts";
import { isPlain } from "../../core/decimal.ts";
import {
  type Cell,
  type IsolatedPair,
  type Item,
  productTypes,
  publicAccount,
  recordCategories,
  type Scope,
  type Value,
} from "../../core/domain.ts";
import { ShapeError } from "../../core/errors.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { parseExtra } from "../schema/storage-layout.ts";

/** A file of rows, each with its place, such as `line 7`. */
export interface HistoryFile {
  path: string;
  columns: readonly string[];
  rows: AsyncIterable<readonly PlacedRow[]>;
  /** True if every cell is in quotes, so that an empty text also means unknown. */
  isQuotedThroughout?: boolean;
}

/** A row with its place in the file. */
export interface PlacedRow {
  place: string;
  cells: readonly Cell[];
}

/**
 * The rows of one snapshot, or the records that came with it. Rows of zeros, which may be the last ones of removed coins, are separate.
 */
export interface ImportedSnapshot {
  id: number;
  /** The place of its first row. */
  place: string;
  account: string;
  scope: Scope;
  takenAt: number;
  items: Item[];
  zeros: Item[];
  /** The versions of the records in `items`; empty for a snapshot dataset. */
  versions: number[];
}

/** Yields adjacent rows of one `snapshot_id` as one snapshot. @throws ShapeError naming the file, and the place and column in it */
export async function* snapshotsOf(file: HistoryFile, dataset: AnyDataset): AsyncGenerator<ImportedSnapshot, void> {
  const read = rowReader(file, dataset);
  let current: ImportedSnapshot | undefined;
  let keys = new Set<string>();
  for await (const rows of file.rows) {
    for (const row of rows) {
      const { item, version, ...about } = read(row);
      if (current?.id !== about.id) {
        if (current) yield current;
        if (about.id <= (current?.id ?? 0))
          throw new ShapeError(
            file.path,
            row.place,
            `snapshot_id ${about.id} follows ${current?.id}; ids must increase`,
          );
        current = { ...about, place: row.place, items: [], zeros: [], versions: [] };
        keys = new Set();
      } else if (!isSame(current, about))
        throw new ShapeError(
          file.path,
          row.place,
          `snapshot_id ${about.id} has rows of different accounts, times or product types`,
        );
      const key = dataset.mode === "snapshot" ? keyOf(dataset, item) : `${item.row[dataset.id]} version ${version}`;
      if (keys.has(key)) throw new ShapeError(file.path, row.place, `snapshot ${about.id} has ${key} twice`);
      keys.add(key);
      (dataset.mode === "snapshot" && isZero(dataset, item) ? current.zeros : current.items).push(item);
      if (version !== null) current.versions.push(version);
    }
  }
  if (current) yield current;
}

/** Returns the key that identifies an item within a snapshot. */
export const keyOf = ({ key }: Dataset, { row }: Item): string => JSON.stringify(key.map((name) => row[name]));

type About = Omit<ImportedSnapshot, "place" | "items" | "zeros" | "versions">;

const isSame = (one: About, other: About): boolean =>
  one.account === other.account && one.scope === other.scope && one.takenAt === other.takenAt;

/** Returns true for a row like the last one of a removed coin: every amount is "0" or unknown, and nothing else is set. */
const isZero = ({ onRemoval, columns, key }: Dataset, { row, extra }: Item): boolean =>
  onRemoval === "zeroRow" &&
  extra === null &&
  Object.entries(columns).every(
    ([name, { kind }]) => key.includes(name) || row[name] === null || (kind === "decimal" && row[name] === "0"),
  );

function rowReader({ path, columns, isQuotedThroughout = false }: HistoryFile, dataset: AnyDataset) {
  const declared = Object.entries(dataset.columns).map(
    ([name, column]) => [name, columns.indexOf(snakeCase(name)), column] as const,
  );
  const isRecord = dataset.mode === "incremental";
  const [account, scope] = [columns.indexOf("account"), columns.indexOf(isRecord ? "category" : "product_type")];
  const [takenAt, takenAtMs] = [
    columns.indexOf(isRecord ? "first_seen_at" : "taken_at"),
    columns.indexOf("taken_at_ms"),
  ];
  const [id, extra, version] = ["snapshot_id", "extra", "version"].map((name) => columns.indexOf(name)) as [
    number,
    number,
    number,
  ];

  // An empty text of the exchange is stored as unknown, except in a column that is never unknown.
  const isEmpty = (cell: Cell, isRequired: boolean): boolean => isQuotedThroughout && cell === "" && !isRequired;

  return ({ place, cells }: PlacedRow): About & { item: Item; version: number | null } => {
    const cell = <T>(at: number, read: (cell: Cell) => T, isRequired = false): T => {
      const found = cells[at] ?? null;
      try {
        return read(isEmpty(found, isRequired) ? null : found);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new ShapeError(path, `${place}, ${columns[at]}`, error.message);
      }
    };
    const row: Record<string, Value> = {};
    for (const [name, at, column] of declared)
      row[name] = cell(at, (value) => cellValue(column, value), isRecord && column.required);
    const instant = cell(takenAt, required(instantOf));
    if (!isRecord && cell(takenAtMs, required(millisOf)) !== instant)
      throw new ShapeError(path, `${place}, taken_at`, "differs from taken_at_ms");
    return {
      id: cell(id, required(idOf)),
      account: account < 0 ? publicAccount : cell(account, required(textOf)),
      scope: scope < 0 ? null : cell(scope, scopeOf),
      takenAt: instant,
      item: { row, extra: cell(extra, (value) => parseExtra(textOf(value))) },
      version: isRecord ? cell(version, required(whole)) : null,
    };
  };
}

/** Returns the value of a cell by the kind of its column. @throws RangeError if the cell is not of that kind */
function cellValue({ kind, required: isRequired }: Column, cell: Cell): Value {
  const read = { text: textOf, decimal: digitsOf, millis: instantOf, flag: flagOf }[kind] as (cell: Cell) => Value;
  return isRequired ? required(read)(cell) : read(cell);
}

const required =
  <T>(read: (cell: Cell) => T | null) =>
  (cell: Cell): T => {
    const value = read(cell);
    if (value === null) throw new RangeError("is missing");
    return value;
  };

const invalid = (cell: Cell, what: string): RangeError => new RangeError(`${shown(cell)} is not ${what}`);

const shown = (cell: Cell): string => JSON.stringify(String(cell).slice(0, 40));

function textOf(cell: Cell): string | null {
  if (cell === null || typeof cell === "string") return cell;
  throw invalid(cell, "text");
}

function digitsOf(cell: Cell): string | null {
  const text = textOf(cell);
  if (text === null || isPlain(text)) return text;
  const isLocal = /^-?\d+,\d+$/.test(text);
  throw invalid(cell, `a decimal number${isLocal ? "; use a decimal point, not a comma" : ""}`);
}

function instantOf(cell: Cell): number | null {
  const text = textOf(cell);
  if (text === null) return null;
  const instant = Date.parse(text);
  if (!(instant >= 0) || new Date(instant).toISOString() !== text) throw invalid(cell, "a valid time");
  return instant;
}

/** Returns a whole number of a cell, which is text in CSV and NDJSON; null for null. @throws RangeError for anything else */
function whole(cell: Cell): number | null {
  if (cell === null) return null;
  // Other values of Parquet, such as dates, would be converted to numbers.
  const isNumber = typeof cell === "number" || typeof cell === "bigint";
  const number = isNumber || (typeof cell === "string" && /^\d{1,16}$/.test(cell)) ? Number(cell) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < 0) throw invalid(cell, "a whole number");
  return number;
}

/** 9999-12-31T23:59:59.999Z, the last time that SQLite supports. */
const maxMillis = 253_402_300_799_999;

function millisOf(cell: Cell): number | null {
  const moment = whole(cell);
  if (moment !== null && moment > maxMillis) throw new RangeError(`${moment} is after the year 9999`);
  return moment;
}

/** The highest accepted snapshot id; it leaves the same number of ids for later snapshots. */
const maxId = 2 ** 52;

function idOf(cell: Cell): number | null {
  const id = whole(cell);
  if (id !== null && (id < 1 || id > maxId)) throw new RangeError(`${id} is not from 1 to ${maxId}`);
  return id;
}

function flagOf(cell: Cell): number | null {
  const number = whole(cell);
  if (number !== null && number > 1) throw invalid(cell, "0 or 1");
  return number;
}

function scopeOf(cell: Cell): Scope {
  if (/^margin-isolated\/[^/\s]+$/.test(String(cell))) return cell as IsolatedPair;
  const found = [null, ...productTypes, "unified" as const, ...recordCategories].find((one) => one === cell);
  if (found === undefined) throw invalid(cell, "a product type");
  return found;
}
