/** Defines the table of the results of closed positions, which follow from records and episodes and can be computed again. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { packedDigits } from "../encoding.ts";
import { scope } from "../tables.ts";

/**
 * One row per closed position of the exchange's list: its episode, and what the bills say. `seen` is 1 where `item_id` and `since`
 * name its episode, 0 where no snapshot showed it, and null where several episodes or several closed positions fit. `is_final` is 0
 * as long as later snapshots or bills may change the row; `through` is the last snapshot that was taken into account.
 */
export const positionResult = sqliteTable(
  "position_result",
  {
    scopeId: integer("scope_id")
      .notNull()
      .references(() => scope.id),
    positionId: text("position_id").notNull(),
    version: integer().notNull(),
    itemId: integer("item_id"),
    since: integer(),
    seen: integer(),
    fees: packedDigits(),
    billsRealizedPl: packedDigits("bills_realized_pl"),
    billsFunding: packedDigits("bills_funding"),
    billsFees: packedDigits("bills_fees"),
    billsNetProfit: packedDigits("bills_net_profit"),
    difference: packedDigits(),
    verdict: text().notNull(),
    isFinal: integer("is_final").notNull(),
    through: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.scopeId, table.positionId] }),
    index("position_result_episode").on(table.itemId, table.since),
    index("position_result_open").on(table.scopeId).where(sql.raw("is_final = 0")),
  ],
);
