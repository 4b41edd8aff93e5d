/** Defines the table of position episodes (lifecycles). */
import { integer, primaryKey, sqliteTable } from "drizzle-orm/sqlite-core";
import { positions } from "../../../datasets/snapshots/positions.ts";
import { packedDigits } from "../encoding.ts";
import { tablesOf } from "../tables.ts";

/**
 * One row per episode of a position, which begins with the snapshot `since`; derived from the history as described in episodes.ts.
 * `last_seen_at` and `closed_before` are null while it is open. Times are `taken_at` of snapshots.
 */
export const episode = sqliteTable(
  "episode",
  {
    itemId: integer("item_id")
      .notNull()
      .references(() => tablesOf(positions).item.id),
    since: integer().notNull(),
    openedAt: integer("opened_at"),
    firstSeenAt: integer("first_seen_at").notNull(),
    lastSeenAt: integer("last_seen_at"),
    closedBefore: integer("closed_before"),
    largestTotal: packedDigits("largest_total"),
    averageOpenPrice: packedDigits("average_open_price"),
    worstUnrealizedPl: packedDigits("worst_unrealized_pl"),
    bestUnrealizedPl: packedDigits("best_unrealized_pl"),
    closestLiquidation: packedDigits("closest_liquidation"),
    realizedPl: packedDigits("realized_pl"),
    funding: packedDigits(),
    fees: packedDigits(),
  },
  (table) => [primaryKey({ columns: [table.itemId, table.since] })],
);
