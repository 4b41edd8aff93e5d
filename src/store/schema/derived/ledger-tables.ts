/**
 * Defines the tables of the reconciliation of the exchange's ledger. All of it follows from records and snapshots and can be computed
 * again, so the chain of digests does not cover it.
 */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { packedDigits } from "../encoding.ts";
import { account, scope } from "../tables.ts";
import { positionResult } from "./position-result-table.ts";

/**
 * The entries whose change is not their amount (null: their balance does not follow from the one before), or whose place is not given
 * by time and id: then `booked_at` (epoch ms) and `position` give it among entries of that time.
 */
export const billStep = sqliteTable(
  "bill_step",
  {
    scopeId: integer("scope_id")
      .notNull()
      .references(() => scope.id),
    billId: text("bill_id").notNull(),
    change: packedDigits(),
    bookedAt: integer("booked_at"),
    position: integer(),
  },
  (table) => [primaryKey({ columns: [table.scopeId, table.billId] })],
);

/** The conventions found for the changes of each type, with the number of entries that showed it then; described in reconciliation/entry.ts. */
export const ledgerFinding = sqliteTable(
  "ledger_finding",
  {
    accountId: integer("account_id")
      .notNull()
      .references(() => account.id),
    category: text().notNull(),
    type: text().notNull(),
    convention: text().notNull(),
    entries: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.category, table.type, table.convention] })],
);

/** Stretches of one coin in one wallet with one verdict; described in reconciliation/verdict.ts. Times are epoch ms. */
export const reconciled = sqliteTable(
  "reconciled",
  {
    accountId: integer("account_id")
      .notNull()
      .references(() => account.id),
    wallet: text().notNull(),
    coin: text().notNull(),
    fromAt: integer("from_at").notNull(),
    toAt: integer("to_at").notNull(),
    opening: packedDigits().notNull(),
    change: packedDigits().notNull(),
    entries: integer().notNull(),
    closing: packedDigits().notNull(),
    residual: packedDigits().notNull(),
    verdict: text().notNull(),
    cause: text(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.wallet, table.coin, table.fromAt] })],
);

/**
 * How far one coin in one wallet is settled: up to `settled_at` (epoch ms), with `settled_balance` and the last of its stretches as JSON;
 * null where nothing is. `bills_through` is the last snapshot of bills that was taken into account. `revision` is the time of the
 * last pass (epoch ms), or the revision before it plus one where that is later; `full_revision` is that of the last pass that did not
 * continue: later ones changed nothing before the part that was settled. The row of an account without a wallet and a coin is about all of
 * it: `settled_at` is the version of the rules by which it was reconciled, null while that is not complete; later passes changed only
 * those results of its closed positions whose `through` is the `bills_through` of then, or later.
 */
export const ledgerChain = sqliteTable(
  "ledger_chain",
  {
    accountId: integer("account_id")
      .notNull()
      .references(() => account.id),
    wallet: text().notNull(),
    coin: text().notNull(),
    settledAt: integer("settled_at"),
    settledBalance: packedDigits("settled_balance"),
    lastSettled: text("last_settled"),
    billsThrough: integer("bills_through").notNull(),
    revision: integer().notNull().default(0),
    fullRevision: integer("full_revision").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.wallet, table.coin] })],
);

/** The balances that snapshots show where the ledger does not: one row per change. */
export const snapshotBalance = sqliteTable(
  "snapshot_balance",
  {
    accountId: integer("account_id")
      .notNull()
      .references(() => account.id),
    wallet: text().notNull(),
    coin: text().notNull(),
    at: integer().notNull(),
    balance: packedDigits().notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.wallet, table.coin, table.at] })],
);

/** The tables of the reconciliation of the ledger. */
export const ledgerTables = [billStep, ledgerFinding, reconciled, ledgerChain, snapshotBalance, positionResult];
