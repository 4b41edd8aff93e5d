/** Follows the versions of an item: the one in force at a snapshot, and the snapshot at which the next one begins. */
import { snakeCase } from "../../core/columns.ts";
import type { Cell } from "../../core/domain.ts";
import { columnOf, type StorageLayout } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";

type Stored = string | number | null;

/** A stored row. Its amounts come last, joined to one text. */
type VersionRow = [since: number, ...cells: Stored[]];

/** Reads one of the tables that store the versions of an item. */
export interface VersionTable {
  /** Column names of `values`, as in the history view; the steady table begins with `present`, which no view shows. */
  columns: readonly string[];
  /** Returns the version in force at a snapshot; undefined before the first one. */
  inForce(itemId: number, snapshotId: number): VersionRow | undefined;
  /** Returns the next few versions after the snapshot `since`. */
  after(itemId: number, since: number): VersionRow[];
  /** Returns the cells of a version as the view shows them. */
  values(version: VersionRow): Cell[];
}

/** A position in the versions of an item. */
export interface VersionCursor {
  /** The snapshot that wrote the version in force; 0 where there is none. */
  since: number;
  /** The snapshot that wrote the next version; infinity where there is none, 0 before the first move. */
  next: number;
  /** Undefined before the first version. */
  version: VersionRow | undefined;
  /** Moves to the version in force at a snapshot. */
  moveTo(snapshotId: number): void;
}

/** Number of versions read at once. */
const chunk = 64;

/** Returns the tables of a dataset, the steady one first. */
export function versionTablesOf(sqlite: Sqlite, layout: StorageLayout): VersionTable[] {
  const steady = versionTable(sqlite, layout, "steady", ["present", ...layout.steady.map(snakeCase)]);
  const extra = versionTable(sqlite, layout, "extra", ["fields"]);
  if (layout.moving.length === 0) return [steady, extra];
  return [steady, versionTable(sqlite, layout, "moving", layout.moving.map(snakeCase)), extra];
}

function versionTable(
  sqlite: Sqlite,
  layout: StorageLayout,
  name: "steady" | "moving" | "extra",
  stored: readonly string[],
): VersionTable {
  const isAmount = (column: string) => kindOf(layout, column) === "decimal";
  const amounts = stored.filter(isAmount);
  const others = stored.filter((column) => !isAmount(column));
  const isInstant = others.map((column) => kindOf(layout, column) === "millis");
  const selected = ["since", ...others, ...(amounts.length > 0 ? [joinedDigits(amounts)] : [])];
  const from = `from ${layout.prefix}_${name} where item_id = ?`;
  const next = `${from} and since > ? order by since limit ${chunk}`;
  const inForce = sqlite
    .prepare<[number, number], VersionRow>(
      `select ${selected.join(", ")} ${from} and since <= ? order by since desc limit 1`,
    )
    .raw();
  return {
    columns: [...others.map((column) => (column === "fields" ? "extra" : column)), ...amounts],
    inForce: (itemId, snapshotId) => inForce.get(itemId, snapshotId),
    after: others.length === 0 ? readAsText(sqlite, amounts, next) : readRows(sqlite, selected, next),
    values(version) {
      const cells: Cell[] = amounts.length > 0 ? String(version.at(-1)).split(comma) : [];
      for (let at = 0; at < cells.length; at += 1) if (cells[at] === "") cells[at] = null;
      if (others.length === 0) return cells;
      return [...others.map((_, at) => readable(version[at + 1] ?? null, isInstant[at])), ...cells];
    },
  };
}

const comma = ",";

/** Returns an SQL expression that joins amounts to one text, which is read in a third of the time of separate cells; see `packDigits`. */
const joinedDigits = (amounts: readonly string[]): string =>
  decodedSql(amounts.map((column) => `hex(${column})`).join(` || '${comma}' || `));

const decodedSql = (hex: string): string => `replace(replace(replace(${hex}, 'F', ''), 'A', '-'), 'B', '.')`;

function readRows(sqlite: Sqlite, selected: readonly string[], next: string): VersionTable["after"] {
  const statement = sqlite.prepare<[number, number], VersionRow>(`select ${selected.join(", ")} ${next}`).raw();
  return (itemId, since) => statement.all(itemId, since);
}

/** Reads versions that consist of amounts only as one text of lines, which takes two thirds of the time of rows. */
function readAsText(sqlite: Sqlite, amounts: readonly string[], next: string): VersionTable["after"] {
  const line = ["since", ...amounts.map((column) => `hex(${column})`)].join(` || '${comma}' || `);
  const statement = sqlite
    .prepare<[number, number], string | null>(
      `select ${decodedSql("group_concat(line, char(10))")} from (select ${line} as line ${next})`,
    )
    .pluck();
  return (itemId, since) => {
    const text = statement.get(itemId, since);
    if (!text) return [];
    return text.split("\n").map((line): VersionRow => {
      const end = line.indexOf(comma);
      return [Number(line.slice(0, end)), line.slice(end + 1)];
    });
  };
}

function kindOf(layout: StorageLayout, stored: string): string | null {
  const name = Object.keys(layout.dataset.columns).find((name) => snakeCase(name) === stored);
  return name === undefined ? null : columnOf(layout, name).kind;
}

function readable(cell: Stored, isInstant: boolean | undefined): Cell {
  if (typeof cell !== "number") return cell;
  return isInstant ? new Date(cell).toISOString() : BigInt(cell);
}

/** Returns a cursor on the versions of an item, before the first one. */
export function createVersionCursor(part: VersionTable, itemId: number): VersionCursor {
  let ahead: VersionRow[] = [];
  let at = 0;
  const cursor: VersionCursor = {
    since: 0,
    next: 0,
    version: undefined,
    moveTo(snapshotId) {
      // Snapshots by time may be out of order where a clock was set back.
      if (cursor.next === 0 || snapshotId < cursor.since) seek(snapshotId);
      while (cursor.next <= snapshotId) {
        set(ahead[at]);
        at += 1;
        readNext();
      }
    },
  };

  function seek(snapshotId: number): void {
    set(part.inForce(itemId, snapshotId));
    ahead = [];
    at = 0;
    readNext();
  }

  function set(version: VersionRow | undefined): void {
    cursor.since = version?.[0] ?? 0;
    cursor.version = version;
  }

  function readNext(): void {
    if (at === ahead.length) {
      ahead = part.after(itemId, cursor.since);
      at = 0;
    }
    cursor.next = ahead[at]?.[0] ?? Number.POSITIVE_INFINITY;
  }

  return cursor;
}
