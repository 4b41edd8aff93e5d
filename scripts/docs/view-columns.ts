/** Descriptions of the columns of views that belong to no single dataset, and of those that every history view has. */
import Database from "better-sqlite3";
import { datasets } from "../../src/datasets/index.ts";
import { viewsOf } from "../../src/store/schema/views.ts";
import { ownMigrations } from "../../src/store/sqlite/migrations.ts";

export interface Description {
  type: string;
  /** What the column means, with ` Unit: X.` at its end where there is a unit. */
  text: string;
  /** Where the value comes from: fields of the exchange, or "derived". */
  source: string;
}

const described =
  (type: string) =>
  (text: string): Description => ({ type, text, source: "derived" });
const text = described("text");
const decimal = described("decimal");
const time = described("time");
const integer = described("integer");
const epoch = (column: string): Description => integer(`\`${column}\` as epoch milliseconds. Unit: ms.`);

const account = text("The name of the account.");
const dataset = text("The name of the dataset.");
const productType = text("The product type; NULL where the data is about the whole account.");

/** Columns that a history view has in addition to those of its dataset. */
export const historyColumns: Record<string, Description> = {
  account,
  taken_at: { ...time("The time of the snapshot, by the exchange's clock."), source: "`requestTime` of the response" },
  product_type: text("The futures product type: `umcbl`, `dmcbl`, `cmcbl`, `sumcbl` or `unified`."),
  snapshot_id: integer("The snapshot, as in `snapshots`."),
  extra: {
    ...text("Fields of the exchange that have no column, as a JSON object; NULL where there are none."),
    source: "all other fields",
  },
  taken_at_ms: epoch("taken_at"),
};

/** Columns that the view of an incremental dataset has in addition to those of its dataset. */
export const recordColumns: Record<string, Description> = {
  account,
  wallet: text(
    "The wallet: `spot`, `funding`, `unified`, `margin-crossed`, `margin-isolated`, or a futures product type.",
  ),
  product_type: text("The futures product type: `umcbl`, `dmcbl` or `cmcbl`."),
  first_seen_at: time("When a run first read it, by the exchange's clock."),
  run_id: integer("The run that stored it, as in `runs`."),
  version: integer("The number of earlier rows of the same record with other content."),
  category: text(
    "What the exchange lists separately, as in `snapshots.product_type`; an id is unique in it. A part of the wallet where it is unified.",
  ),
  snapshot_id: integer("The snapshot that it came with, as in `snapshots`."),
  extra: {
    ...text("Fields of the exchange that have no column, as a JSON object; NULL where there are none."),
    source: "all other fields",
  },
  at_ms: epoch("at"),
  booked_at_ms: integer(
    "The place of the entry among the others, where its time and id do not give it: the time at which its balance follows, as epoch milliseconds. NULL elsewhere. Unit: ms.",
  ),
  position: integer("The place among entries of that time; NULL where the time and the id give it."),
};

const wallet = text("The wallet, as in `bills`; each pair of isolated margin is one (`margin-isolated/BTCUSDT`).");
const coin = text("The coin, in capitals.");

/** Views that belong to no single dataset. */
export const fixedViews: Record<string, { summary: string; columns: Record<string, Description> }> = {
  reconciliation: {
    summary:
      "What the exchange's ledger proves: one row per coin in a wallet and stretch of time with the same verdict.",
    columns: {
      account,
      wallet,
      coin,
      from_at: time("The snapshot, or the first entry, with which the stretch begins."),
      to_at: time("The snapshot, or the last entry, with which it ends."),
      opening: decimal("The balance at its beginning. Unit: coin."),
      change: decimal("The sum of what its entries changed. Unit: coin."),
      entries: integer("The number of its entries."),
      closing: decimal("The balance at its end. Unit: coin."),
      residual: decimal("`closing` less `opening` and `change`: what the entries do not explain. Unit: coin."),
      verdict: text(
        "`proven` (to the last digit), `rounded` (except digits that a snapshot does not have), `open` (too early to judge), `break` (differs by `residual`), `gap` (the ledger was not collected), or `unprovable` (the exchange has no ledger with balances for the wallet).",
      ),
      cause: text("Why, for every verdict but `proven` and `rounded`."),
      from_at_ms: epoch("from_at"),
      to_at_ms: epoch("to_at"),
    },
  },
  wallet_balances: {
    summary: "The balance of a coin in a wallet after each change, from the ledger also where no snapshot was taken.",
    columns: {
      account,
      wallet,
      coin: text("The coin, as the exchange spells it."),
      at: time("When the balance changed, or a snapshot first showed it."),
      balance: decimal("The balance. Unit: coin."),
      source: text("`bill`, or `snapshot` where the ledger was not collected or does not exist."),
      at_ms: integer("`at` as epoch milliseconds, or the later time at which the balance follows. Unit: ms."),
      position: integer("The place among the changes of that time; then the id decides, the shorter one first."),
      bill_id: text("The entry, as in `bills`."),
    },
  },
  ledger_findings: {
    summary: "How entries of a type change the balance, as their balances show.",
    columns: {
      account,
      category: text("What the exchange lists separately, as in `bills`."),
      type: text("The exchange's own text; the coin where the finding is about its balances."),
      convention: text(
        "`amount + fee`, `amount`, `amount - |fee|`, `amount + fee of the withdrawal`, `none` (margin that stays in the wallet), or of a coin in the spot wallet `balance without frozen and locked`.",
      ),
      entries: integer("The number of entries that showed it when it was found."),
    },
  },
  runs: {
    summary: "One row per due slot, ever, and one per manual run.",
    columns: {
      run_id: integer("The number of the run."),
      account,
      dataset,
      scheduled_for: time("The slot; of a manual run, when it was started."),
      started_at: time("When the run began, by this machine's clock. NULL where it was not run."),
      finished_at: time("When the run ended, by this machine's clock."),
      state: text("`ok`, `partial`, `failed`, `missed` (not run), `skipped`, or `running` while it runs."),
      cause: text(
        "Why the run ended as it did; NULL for an ordinary one. See the [glossary](../concepts/glossary.md#collecting).",
      ),
      requests: integer("Requests that the run sent."),
      retries: integer("How many of them repeated an earlier attempt."),
      rows: integer("Rows that the run stored."),
      late_ms: integer("How long after its slot the run began. Unit: ms."),
      spread_ms: integer("How far apart the responses of the run are. Unit: ms."),
      scheduled_for_ms: epoch("scheduled_for"),
      skew_ms: integer(
        "This machine's clock minus the exchange's, from the newest response of the run, accurate to half the time of that request; NULL without a response. Unit: ms.",
      ),
      worker: text("The worker that ran it, as in `workers`; NULL where a single process records."),
    },
  },
  snapshots: {
    summary: "One row per response for a scope: good or failed.",
    columns: {
      snapshot_id: integer("The number of the snapshot."),
      run_id: integer("The run, as in `runs`."),
      account,
      dataset,
      product_type: productType,
      taken_at: time("The time of the snapshot, by the exchange's clock."),
      state: text("`ok` or `failed`."),
      rows: integer("How many rows its history view shows for it; 0 means that there was nothing."),
      error_code: text(
        "The code of the exchange where there is one, else the kind of failure; NULL for a good snapshot.",
      ),
      error_message: text("What was wrong; NULL for a good snapshot."),
      taken_at_ms: epoch("taken_at"),
      digest: text("The SHA-256 of what was recorded, in hexadecimal digits."),
    },
  },
  gaps: {
    summary:
      "Stretches without a good snapshot: neighbouring slots with the same cause are one row; and stretches of which records are missing.",
    columns: {
      account,
      dataset,
      product_type: text("The product type or category that failed; NULL where whole runs did."),
      from_at: time("The first slot of the gap, or the beginning of the missing records."),
      to_at: time(
        "The last slot of the gap, or the end of the missing records; NULL while a dataset of records is switched off.",
      ),
      slots: integer("How many slots it has; 0 for missing records."),
      cause: text("Why there is no good snapshot."),
      from_at_ms: epoch("from_at"),
      to_at_ms: epoch("to_at"),
      rebuilt: integer(
        "1 where the exchange's ledger proves every balance of the wallets of the gap, from a snapshot before it to one after it (`wallet_balances` has them), else 0; NULL where nothing was reconciled, and for datasets without a ledger. Where whole runs are missing, demo product types do not count.",
      ),
    },
  },
  position_episodes: {
    summary:
      "One row per lifecycle of a position, see [querying](../guides/querying.md#position-lifecycles). Extremes are over snapshots.",
    columns: {
      account,
      product_type: productType,
      symbol: text("The contract, without suffix: `BTCUSDT`."),
      margin_coin: text("The coin of the margin."),
      hold_side: text("`long` or `short`."),
      margin_mode: text("`crossed` or `isolated`."),
      state: text("`open`, `closed`, or `unknown` where the product type is no longer requested."),
      opened_at: time("When the exchange says that the position was opened."),
      first_seen_at: time("The first snapshot that showed the position."),
      last_seen_at: time("The last snapshot that showed it."),
      closed_after: time("The same, once it is closed: it was closed after this snapshot."),
      closed_before: time("The first good snapshot that did not show it, or that reported another opening time."),
      largest_total: decimal("The largest size. Unit: base coin."),
      average_open_price: decimal("The last average entry price. Unit: quote coin."),
      worst_unrealized_pl: decimal("The lowest unrealised profit. Unit: margin coin."),
      best_unrealized_pl: decimal("The highest unrealised profit. Unit: margin coin."),
      closest_liquidation: decimal(
        "The smallest |mark − liquidation| / mark, to 16 places; NULL if there never was a liquidation price above zero. Unit: share.",
      ),
      realized_pl: decimal(
        "Realised profit before fees and funding: so far, or as the exchange lists it once the position is closed; NULL where it does not. Unit: margin coin.",
      ),
      funding: decimal("Funding, negative = paid; known as `realized_pl` is. Unit: margin coin."),
      fees: decimal("Fees, positive = paid; known as `realized_pl` is. Unit: margin coin."),
      realized_pl_seen: decimal("Realised profit as last reported. Unit: margin coin."),
      funding_seen: decimal("Funding as last reported, negative = paid. Unit: margin coin."),
      fees_seen: decimal("Fees as last reported, positive = paid. Unit: margin coin."),
      first_seen_at_ms: epoch("first_seen_at"),
      last_seen_at_ms: epoch("last_seen_at"),
      seen: integer("1 if a snapshot showed the position, 0 if it was opened and closed between two of them."),
      position_id: text("Its id in `closed_positions`; NULL where that list has no such position, or several."),
      closed_at: time("When the exchange says that it was closed completely."),
      close_average_price: decimal("The average exit price. Unit: quote coin."),
      size: decimal("The size that was closed. Unit: base coin."),
      net_profit: decimal("Profit after fees and funding, as the exchange lists it. Unit: margin coin."),
      held_ms: integer("From its opening to its close, by the exchange's clock. Unit: milliseconds."),
      bills_realized_pl: decimal(
        "Realised profit by the bills of the position; NULL where they are not complete, or may belong to another position. Unit: margin coin.",
      ),
      bills_funding: decimal("Funding by its bills, known as before. Unit: margin coin."),
      bills_fees: decimal("Fees by its bills, positive = paid, known as before. Unit: margin coin."),
      bills_net_profit: decimal("The sum of what its bills changed the balance by. Unit: margin coin."),
      difference: decimal("`net_profit` without dividends minus `bills_net_profit`. Unit: margin coin."),
      verdict: text(
        "What its bills say about the exchange's result: `proven`, `rounded` (but for digits that the exchange cuts), `break` (they differ), `open` (not read up to its close), `gap` (not collected during its time) or `unprovable` (they may belong to another position, or their change is unknown).",
      ),
    },
  },
  daily_ranges: {
    summary: "The extremes of pruned days, see [retention](../guides/retention.md#pruning).",
    columns: {
      account,
      dataset,
      product_type: productType,
      day: text("The UTC day: `2026-11-01`."),
      item: text("The key of the item: `BTCUSDT USDT long crossed`."),
      field: text("The name of the column."),
      least: decimal("The lowest value in any snapshot of the day. Unit: as the column."),
      greatest: decimal("The highest value in any snapshot of the day. Unit: as the column."),
    },
  },
  schedules: {
    summary: "The cron patterns of every dataset over time.",
    columns: {
      account,
      dataset,
      since: time("From when on the pattern was in force."),
      pattern: text("The cron pattern, in UTC."),
      until: time("Until when; NULL while it is in force."),
    },
  },
  account_modes: {
    summary: "Each change of the API version that an account uses.",
    columns: {
      account,
      since: time("Since when."),
      api: text("`v1`, `v2` or `v3`."),
      cause: text("How that became known."),
    },
  },
  workers: {
    summary: "The processes that record together into one PostgreSQL; empty where a single process records.",
    columns: {
      worker: text("Its name, `WORKER_NAME`."),
      seen_at: time("When it last reported, by the clock of PostgreSQL."),
      version: text("Its version of the program."),
      accounts: integer("Number of accounts whose keys it has."),
      running: integer("Runs that it has begun and not ended."),
      paused_until: time("Until when it leaves its slots to others; NULL where it does not."),
    },
  },
};

/** Returns the columns of every view in order, as reported by SQLite. */
export function columnsOfViews(): Map<string, string[]> {
  const sqlite = new Database(":memory:");
  for (const { sql } of ownMigrations()) for (const statement of sql) sqlite.exec(statement);
  const views = viewsOf(datasets);
  for (const statement of views.values()) sqlite.exec(statement);
  const columnsOf = (view: string) =>
    sqlite.prepare("select name from pragma_table_info(?)").pluck().all(view) as string[];
  return new Map([...views.keys()].map((view) => [view, columnsOf(view)]));
}
