/** Writes a good snapshot as its differences from the previous one of its scope. */

import type { Statement } from "better-sqlite3";
import { sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { snakeCase } from "../../core/columns.ts";
import type { Value } from "../../core/domain.ts";
import { asOfJoins } from "../schema/as-of-sql.ts";
import { decodeCell } from "../schema/encoding.ts";
import type { CurrentItem, ScopeState } from "../schema/storage-layout.ts";
import {
  type ItemParts,
  itemDigestLine,
  keyText,
  removedParts,
  type StorageLayout,
  selection,
} from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** How one item changes; `last` is undefined for an item without an earlier row. */
interface RowChange {
  last: CurrentItem | undefined;
  present: 0 | 1;
  parts: ItemParts;
}

/** What a snapshot changes, computed before anything is written. */
export interface Diff {
  changes: RowChange[];
  /** Canonical lines for the digest. */
  lines: string[];
  /** The number of rows that the history view will show for it. */
  rows: number;
}

/** Returns what `received` changes. `removed` holds the last rows of items known to be removed, with or without an earlier row. */
export function diff(
  layout: StorageLayout,
  state: ScopeState,
  received: ReadonlyMap<string, ItemParts>,
  removed: ReadonlyMap<string, ItemParts> = new Map(),
): Diff {
  const changes: RowChange[] = [...received].map(([key, parts]) => ({ last: state.get(key), present: 1, parts }));
  for (const [key, parts] of removed) changes.push({ last: state.get(key), present: 0, parts });
  for (const [key, last] of state) {
    if (last.present === 0 || received.has(key) || removed.has(key)) continue;
    changes.push({ last, present: 0, parts: removedParts(layout, last.parts) });
  }
  return {
    changes,
    lines: changes.map(({ present, parts }) => itemDigestLine(layout, present, parts)),
    rows: layout.dataset.onRemoval === "zeroRow" ? changes.length : received.size,
  };
}

/** The tables of one dataset. */
export class DatasetTables {
  readonly #layout: StorageLayout;
  readonly #read: (snapshotId: number | null) => ScopeState;
  readonly #latest: Statement<[number], number | null>;
  readonly #insertItem: Insert;
  readonly #insertSteady: Insert;
  readonly #insertMoving: Insert | null;
  readonly #insertExtra: Insert;

  constructor(sqlite: Sqlite, orm: BetterSQLite3Database, layout: StorageLayout) {
    const { tables, key, steady, moving } = layout;
    this.#layout = layout;
    this.#read = createStateReader(sqlite, layout);
    this.#latest = sqlite.prepare<[number], number | null>("select latest from scope where id = ?").pluck();
    this.#insertItem = inserter(orm, tables.item, ["scope_id", ...key.map(snakeCase)]);
    this.#insertSteady = inserter(orm, tables.steady, ["item_id", "since", "present", ...steady.map(snakeCase)]);
    this.#insertMoving = tables.moving && inserter(orm, tables.moving, ["item_id", "since", ...moving.map(snakeCase)]);
    this.#insertExtra = inserter(orm, tables.extra, ["item_id", "since", "fields"]);
  }

  /** Returns the state of a scope as of its last good snapshot. */
  load(scopeId: number): ScopeState {
    return this.#read(this.#latest.get(scopeId) ?? null);
  }

  /** Writes changes under the id of their snapshot, inside a transaction, and updates the state in memory. */
  applyChanges(changes: readonly RowChange[], to: { scopeId: number; snapshotId: number; state: ScopeState }): void {
    const { scopeId, snapshotId, state } = to;
    for (const { last, present, parts } of changes) {
      const id = last?.id ?? this.#insertItem([scopeId, ...parts.key]);
      // The last row of a removed item appears only in the snapshot that wrote it, so each removal writes one.
      const isNew = !last || present === 0 || last.present !== present || differ(last.parts.steady, parts.steady);
      if (isNew) this.#insertSteady([id, snapshotId, present, ...parts.steady]);
      if (needsMovingRow(this.#layout, last, present, parts)) this.#insertMoving?.([id, snapshotId, ...parts.moving]);
      if ((last?.parts.extra ?? null) !== parts.extra) this.#insertExtra([id, snapshotId, parts.extra]);
      state.set(keyText(parts.key), { id, since: isNew ? snapshotId : last.since, present, parts });
    }
  }
}

type Insert = (cells: readonly Value[]) => number;

/** Prepares to insert a row with its cells in the order of the columns. The function returns the row id. */
function inserter(orm: BetterSQLite3Database, table: SQLiteTable, columns: readonly string[]): Insert {
  const statement = orm
    .insert(table)
    .values(Object.fromEntries(columns.map((name) => [name, sql.placeholder(name)])))
    .prepare();
  return (cells) => {
    const row = Object.fromEntries(columns.map((name, at) => [name, cells[at] ?? null]));
    return Number(statement.run(row).lastInsertRowid);
  };
}

/** Returns true if the change needs a row of moving columns. A removal without a zero row needs none; if the item returns, it does. */
function needsMovingRow(
  { dataset, moving }: StorageLayout,
  last: CurrentItem | undefined,
  present: 0 | 1,
  parts: ItemParts,
): boolean {
  if (moving.length === 0 || (present === 0 && dataset.onRemoval === "end")) return false;
  return !last || last.present !== present || differ(last.parts.moving, parts.moving);
}

const differ = (a: readonly Value[], b: readonly Value[]): boolean => a.some((value, at) => value !== b[at]);

type StateRow = [id: number, since: number, present: 0 | 1, extra: string | null, ...cells: unknown[]];

/** Returns a function that reads the state of a scope as of one of its good snapshots; empty for null. */
export function createStateReader(sqlite: Sqlite, layout: StorageLayout): (snapshotId: number | null) => ScopeState {
  const { key, steady, moving } = layout;
  const selected = [...selection("i", key), ...selection("s", steady), ...selection("m", moving)];
  const rows = sqlite.prepare<[number | null], StateRow>(
    `select i.id, s.since, s.present, x.fields, ${selected.join(", ")}
     from snapshot n
     ${asOfJoins(layout)}
     where n.id = ? order by i.id`,
  );
  rows.raw();
  return (snapshotId) => {
    const state: ScopeState = new Map();
    for (const [id, since, present, extra, ...cells] of rows.all(snapshotId)) {
      const values = cells.map(decodeCell);
      const parts: ItemParts = {
        key: values.slice(0, key.length),
        steady: values.slice(key.length, key.length + steady.length),
        moving: values.slice(key.length + steady.length, key.length + steady.length + moving.length),
        extra,
      };
      const ended = present === 0 && layout.dataset.onRemoval === "end";
      state.set(keyText(parts.key), { id, since, present, parts: ended ? removedParts(layout, parts) : parts });
    }
    return state;
  };
}
