/**
 * The tables of the alerts: what is wrong now, what has been said, and what must be known to go on
 * after a restart. Nothing here is history: no link of the chain covers it.
 */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { scope } from "./tables.ts";

/** What is wrong now: a row until it is over. `subject` tells it from others of its kind, `what` is for people. */
export const alert = sqliteTable(
  "alert",
  {
    kind: text().notNull(),
    account: text().notNull(),
    subject: text().notNull(),
    name: text().notNull(),
    what: text().notNull(),
    /** The scope that told it, where one did. */
    scopeId: integer("scope_id").references(() => scope.id),
    firedAt: integer("fired_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.account, table.subject] })],
);

/** What is said, in the order in which it is sent; the last of it is kept. `alert` is the name of what it is said of. */
export const alertMessage = sqliteTable("alert_message", {
  id: integer().primaryKey(),
  alert: text().notNull(),
  kind: text().notNull(),
  account: text().notNull(),
  what: text().notNull(),
  state: text().notNull(),
  at: integer().notNull(),
  value: text(),
  threshold: text(),
  sentence: text().notNull(),
  delivery: text().notNull(),
  attempts: integer().notNull(),
  nextAt: integer("next_at").notNull(),
  problem: text(),
});

/**
 * Figures to continue from: the greatest complete equity that an account was seen to have in an hour (epoch ms of its beginning,
 * UTC), and, under the hour 0, the id of the account's snapshot up to which alerts have looked; under no account, that they ever
 * have. One table, for each costs every database a page.
 */
export const alertFigure = sqliteTable(
  "alert_figure",
  {
    account: text().notNull(),
    hour: integer().notNull(),
    figure: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.account, table.hour] })],
);
