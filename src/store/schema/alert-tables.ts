/**
 * Defines the tables of the alerts: what is firing, the notifications, and the values that evaluation resumes from after a
 * restart. None of it is history, so the chain does not cover it.
 */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { scope } from "./tables.ts";

/** One row per firing alert, deleted when it recovers. `subject` distinguishes alerts of one kind; `what` is the subject for display. */
export const alert = sqliteTable(
  "alert",
  {
    kind: text().notNull(),
    account: text().notNull(),
    subject: text().notNull(),
    name: text().notNull(),
    what: text().notNull(),
    /** The scope whose snapshot fired it; null where it was not a snapshot. */
    scopeId: integer("scope_id").references(() => scope.id),
    firedAt: integer("fired_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.account, table.subject] })],
);

/** The notifications in the order of sending; only the most recent are kept. `alert` is the name of the alert. */
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
 * Stores the values that evaluation resumes from: the highest complete equity of an account in each hour (epoch ms of its start,
 * UTC); with hour 0, the id of the last snapshot of the account that was evaluated; and with an empty account, that alerts were
 * evaluated at all. Where several processes share one PostgreSQL, hour -1 of the empty account has the process that sends messages. Hour -2 has
 * the id of the last snapshot of the equity whose drawdown was evaluated, of an account whose snapshots wait for the ledger. Hour -3 of the
 * empty account has the settings of the processes that evaluate: JSON by their names. It is one table because each table costs every
 * database a page.
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
