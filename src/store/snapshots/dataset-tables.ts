/** Writes the changes of a good snapshot into the tables of its dataset, and reads the state of a scope from them. */
import type { Statement } from "better-sqlite3";
import { sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { snakeCase } from "../../core/columns.ts";
import type { Value } from "../../core/domain.ts";
import { asOfJoins } from "../schema/as-of-sql.ts";
import { decodeCell } from "../schema/encoding.ts";
import { currentItem, keyText, type ScopeState, type StorageLayout, selection } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { type RowChange, writesOf } from "./change-set.ts";

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
    for (const change of changes) {
      const { last, present, parts } = change;
      const writes = writesOf(this.#layout, change);
      const id = last?.id ?? this.#insertItem([scopeId, ...parts.key]);
      if (writes.steady) this.#insertSteady([id, snapshotId, present, ...parts.steady]);
      if (writes.moving) this.#insertMoving?.([id, snapshotId, ...parts.moving]);
      if (writes.extra) this.#insertExtra([id, snapshotId, parts.extra]);
      state.set(keyText(parts.key), {
        id,
        since: writes.steady ? snapshotId : (last?.since ?? snapshotId),
        present,
        parts,
      });
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
      const item = currentItem(layout, { id, since, present, extra }, cells.map(decodeCell));
      state.set(keyText(item.parts.key), item);
    }
    return state;
  };
}
