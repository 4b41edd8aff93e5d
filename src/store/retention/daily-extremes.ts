/**
 * Computes the daily ranges that pruning keeps: the lowest and the highest value of each amount of each item. A range covers all rows
 * that the history view showed for the item on that day (UTC, by `taken_at`), including those that are deleted.
 */
import { snakeCase } from "../../core/columns.ts";
import { compare } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { createVersionCursor, type VersionTable, versionTablesOf } from "../read/version-cursor.ts";
import { packDigits, unpackHex } from "../schema/encoding.ts";
import type { StorageLayout } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** The lowest and the highest value of a field of an item on a day. */
export interface Range {
  itemId: number;
  /** The column of the history view. */
  field: string;
  least: DecimalString;
  greatest: DecimalString;
}

/**
 * Returns a function that computes the ranges of a scope's items over the good snapshots of one day (epoch ms of its midnight), given in
 * ascending order of ids. A stored range is widened, since some snapshots of the day may have been deleted already.
 */
export function prepareRanges(sqlite: Sqlite, layout: StorageLayout) {
  const { prefix, dataset } = layout;
  const parts = versionTablesOf(sqlite, layout);
  const amounts = parts.map((part) => amountsOf(layout, part));
  const items = sqlite
    .prepare<[number], number>(`select id from ${prefix}_item where scope_id = ? order by id`)
    .pluck();
  const stored = sqlite.prepare<[string, number, number], { field: string; least: string; greatest: string }>(
    "select field, hex(least) as least, hex(greatest) as greatest from daily_range where dataset = ? and item_id = ? and day = ?",
  );

  function rangesOfItem(itemId: number, day: number, snapshots: readonly number[]): Range[] {
    const ranges = new Map<string, Range>();
    for (const { field, least, greatest } of stored.all(dataset.name, itemId, day))
      ranges.set(field, { itemId, field, least: unpackHex(least), greatest: unpackHex(greatest) });
    const followed = parts.map((part, at) => ({
      part,
      amounts: amounts[at] ?? [],
      cursor: createVersionCursor(part, itemId),
      lastSince: 0,
    }));
    const steady = followed[0]?.cursor;
    for (const snapshot of snapshots) {
      for (const { cursor } of followed) if (snapshot >= cursor.next) cursor.moveTo(snapshot);
      const isShown = steady?.version?.[1] === 1 || (dataset.onRemoval === "zeroRow" && steady?.since === snapshot);
      if (!isShown) continue;
      for (const one of followed) {
        const { part, amounts, cursor, lastSince } = one;
        if (lastSince === cursor.since) continue;
        one.lastSince = cursor.since;
        const values = cursor.version ? part.values(cursor.version) : [];
        for (const { at, field } of amounts) {
          const amount = values[at];
          if (typeof amount === "string") widen(ranges, itemId, field, amount);
        }
      }
    }
    return [...ranges.values()];
  }

  return (scopeId: number, day: number, snapshots: readonly number[]): Range[] =>
    items.all(scopeId).flatMap((itemId) => rangesOfItem(itemId, day, snapshots));
}

/** Returns the positions of the amounts among the cells of a part. */
function amountsOf({ dataset }: StorageLayout, part: VersionTable): { at: number; field: string }[] {
  const decimals = Object.keys(dataset.columns).filter((name) => dataset.columns[name]?.kind === "decimal");
  const fields = decimals.map(snakeCase);
  return [...part.columns.entries()]
    .filter(([, field]) => fields.includes(field))
    .map(([at, field]) => ({ at, field }));
}

/** Widens a range by an amount. Of equal values, the first spelling is kept. */
function widen(ranges: Map<string, Range>, itemId: number, field: string, amount: DecimalString): void {
  const range = ranges.get(field);
  if (!range) ranges.set(field, { itemId, field, least: amount, greatest: amount });
  else if (compare(amount, range.least) < 0) range.least = amount;
  else if (compare(amount, range.greatest) > 0) range.greatest = amount;
}

/** Returns a function that writes the ranges of a day and replaces stored ones. */
export function createRangeWriter(sqlite: Sqlite) {
  const insert = sqlite.prepare(
    `insert into daily_range (dataset, item_id, day, field, least, greatest) values (?, ?, ?, ?, ?, ?)
     on conflict do update set least = excluded.least, greatest = excluded.greatest
     where least <> excluded.least or greatest <> excluded.greatest`,
  );
  return ({ dataset }: StorageLayout, day: number, ranges: readonly Range[]): void => {
    for (const { itemId, field, least, greatest } of ranges)
      insert.run(dataset.name, itemId, day, field, packDigits(least), packDigits(greatest));
  };
}
