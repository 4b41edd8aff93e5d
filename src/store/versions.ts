/** Follows the versions of an item: what holds at a snapshot, and up to which one. */
import { snakeCase } from "../columns.ts";
import { columnOf, type Layout } from "./layout.ts";
import type { Cell } from "./query.ts";
import type { Sqlite } from "./sqlite.ts";

type Stored = string | number | null;

/** A stored row; its amounts come last, as one text. */
type VersionRow = [since: number, ...cells: Stored[]];

/** One of the tables that an item is kept in. */
export interface Part {
  /** Of `values`, by the names of the history view; the steady part begins with `present`, which no view shows. */
  columns: readonly string[];
  /** The version in force at a snapshot. */
  inForce(itemId: number, snapshotId: number): VersionRow | undefined;
  /** The next few after it. */
  after(itemId: number, since: number): VersionRow[];
  /** The cells of a version as the view shows them. */
  values(version: VersionRow): Cell[];
}

export interface Cursor {
  /** The snapshot that wrote the version in force, 0 where there is none, and the one that wrote the next. */
  since: number;
  next: number;
  /** Undefined before the first version. */
  version: VersionRow | undefined;
  moveTo(snapshotId: number): void;
}

/** How many versions are read at once. */
const chunk = 64;

export function partsOf(sqlite: Sqlite, layout: Layout): Part[] {
  const steady = partOf(sqlite, layout, "steady", ["present", ...layout.steady.map(snakeCase)]);
  const extra = partOf(sqlite, layout, "extra", ["fields"]);
  if (layout.moving.length === 0) return [steady, extra];
  return [steady, partOf(sqlite, layout, "moving", layout.moving.map(snakeCase)), extra];
}

function partOf(sqlite: Sqlite, layout: Layout, name: "steady" | "moving" | "extra", stored: readonly string[]): Part {
  const isAmount = (column: string) => kindOf(layout, column) === "decimal";
  const amounts = stored.filter(isAmount);
  const others = stored.filter((column) => !isAmount(column));
  const isInstant = others.map((column) => kindOf(layout, column) === "millis");
  // One text is handed over and unpacked in a third of the time that its cells would take one by one.
  const packed = amounts.map((column) => `hex(${column})`).join(` || '${comma}' || `);
  const selected = ["since", ...others, ...(packed ? [packed] : [])];
  const from = `select ${selected.join(", ")} from ${layout.prefix}_${name} where item_id = ?`;
  const inForce = sqlite.prepare<[number, number], VersionRow>(`${from} and since <= ? order by since desc limit 1`);
  const after = sqlite.prepare<[number, number], VersionRow>(`${from} and since > ? order by since limit ${chunk}`);
  inForce.raw();
  after.raw();
  return {
    columns: [...others.map((column) => (column === "fields" ? "extra" : column)), ...amounts],
    inForce: (itemId, snapshotId) => inForce.get(itemId, snapshotId),
    after: (itemId, since) => after.all(itemId, since),
    values(version) {
      const cells: Cell[] = others.map((_, at) => readable(version[at + 1] ?? null, isInstant[at]));
      if (packed) for (const digits of unpacked(String(version.at(-1)))) cells.push(digits || null);
      return cells;
    },
  };
}

const comma = ",";

/** See `packDigits`. */
const unpacked = (hex: string): string[] =>
  hex.replaceAll("F", "").replaceAll("A", "-").replaceAll("B", ".").split(comma);

function kindOf(layout: Layout, stored: string): string | null {
  const name = Object.keys(layout.dataset.columns).find((name) => snakeCase(name) === stored);
  return name === undefined ? null : columnOf(layout, name).kind;
}

function readable(cell: Stored, isInstant: boolean | undefined): Cell {
  if (typeof cell !== "number") return cell;
  return isInstant ? new Date(cell).toISOString() : BigInt(cell);
}

export function createCursor(part: Part, itemId: number): Cursor {
  let ahead: VersionRow[] = [];
  let at = 0;
  const cursor: Cursor = {
    since: 0,
    next: 0,
    version: undefined,
    moveTo(snapshotId) {
      // Instants may come out of order where a clock was set back; then the place is looked for anew.
      if (cursor.next === 0 || snapshotId < cursor.since) seek(snapshotId);
      while (cursor.next <= snapshotId) {
        set(ahead[at]);
        at += 1;
        lookAhead();
      }
    },
  };

  function seek(snapshotId: number): void {
    set(part.inForce(itemId, snapshotId));
    ahead = [];
    at = 0;
    lookAhead();
  }

  function set(version: VersionRow | undefined): void {
    cursor.since = version?.[0] ?? 0;
    cursor.version = version;
  }

  function lookAhead(): void {
    if (at === ahead.length) {
      ahead = part.after(itemId, cursor.since);
      at = 0;
    }
    cursor.next = ahead[at]?.[0] ?? Number.POSITIVE_INFINITY;
  }

  return cursor;
}
