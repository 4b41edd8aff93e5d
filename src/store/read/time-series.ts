/** Reads the time series of one item over all good snapshots of its scope, whether or not they list it. */

import type { Cell } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { ColumnValues, ItemCells, ItemPoint, ItemRef, Span } from "../history.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { createVersionCursor, versionTablesOf } from "./version-cursor.ts";

/** Number of points read at once, so that no statement stays open. */
const chunk = 1000;

/** Yields the points that `SnapshotHistory.points` describes. */
export type PointReader = <T>(
  item: ItemRef,
  span: Span,
  columns: readonly string[],
  valueFrom: (cells: ItemCells) => T,
) => Generator<ItemPoint<T>, void>;

/** Returns a function that reads the points of any item of a dataset. */
export function pointReader(sqlite: Sqlite, dataset: Dataset): PointReader {
  const parts = versionTablesOf(sqlite, layoutOf(dataset));
  const next = sqlite
    .prepare<unknown[], [id: number, at: number, slot: number]>(
      `select n.id, n.taken_at, r.slot from snapshot n join run r on r.id = n.run_id
       where n.scope_id = ? and (n.taken_at, n.id) > (?, ?) and n.taken_at < ? and n.error_code is null
       order by n.taken_at, n.error_code, n.id limit ${chunk}`, // as the index has them
    )
    .raw();
  return function* ({ itemId, scopeId }, { from, to }, columns, valueFrom) {
    const tables = parts.map((part) => ({
      part,
      places: part.columns.map((name) => columns.indexOf(name)),
      cursor: createVersionCursor(part, itemId ?? 0),
      written: Number.NaN,
    }));
    const steady = tables[0]?.cursor;
    const cells: Cell[] = columns.map(() => null);
    const read = (): ItemCells => {
      if (steady?.version?.[1] !== 1) return null;
      for (const one of tables) {
        const { part, places, cursor } = one;
        if (one.written === cursor.since) continue;
        one.written = cursor.since;
        const values = cursor.version ? part.values(cursor.version) : [];
        for (const [at, place] of places.entries()) if (place >= 0) cells[place] = values[at] ?? null;
      }
      return cells;
    };
    let value = valueFrom(null);
    let [since, until] = [0, 0];
    let last: [id: number, at: number, slot: number] | undefined = [Number.MAX_SAFE_INTEGER, from - 1, 0];
    while (last) {
      const found: [id: number, at: number, slot: number][] = next.all(scopeId, last[1], last[0], to);
      for (const [id, at, slot] of found) {
        if (itemId !== null && (id < since || id >= until)) {
          for (const { cursor } of tables) if (id < cursor.since || id >= cursor.next) cursor.moveTo(id);
          since = Math.max(...tables.map(({ cursor }) => cursor.since));
          until = Math.min(...tables.map(({ cursor }) => cursor.next));
          value = valueFrom(read());
        }
        yield { slot, at, value };
      }
      last = found.length === chunk ? found.at(-1) : undefined;
    }
  };
}

/** Returns the items that `SnapshotHistory.items` describes. */
export function findItems(
  sqlite: Sqlite,
  dataset: Dataset,
  account: string,
  productType: string | null,
  keys: ColumnValues,
): ItemRef[] {
  const conditions = Object.keys(keys).map((name) => ` and i.${name} = ?`);
  return sqlite
    .prepare<unknown[], ItemRef>(
      `select i.id as itemId, p.id as scopeId, p.series_id as seriesId
       from series e join account a on a.id = e.account_id join scope p on p.series_id = e.id
         join ${layoutOf(dataset).prefix}_item i on i.scope_id = p.id
       where e.dataset = ? and a.name = ? and p.product_type = ?${conditions.join("")} order by i.id`,
    )
    .all(dataset.name, account, productType ?? "", ...Object.values(keys));
}
