/** The exchange's own records as they are stored, one row each. */
import { pause } from "../../core/async/cooperate.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import { bills as billsDataset } from "../../datasets/ledger/bills.ts";
import { fills as fillsDataset } from "../../datasets/ledger/fills.ts";
import { spanOf } from "../../queries/periods.ts";
import type { Report } from "../report.ts";

export const bills = recordReport(billsDataset, "entries of the exchange's ledger", [
  ...["account", "wallet", "coin", "bill_id", "at", "type", "kind", "amount", "fee", "change", "balance"],
  ...["symbol", "order_id", "first_seen_at", "version"],
]);

export const fills = recordReport(fillsDataset, "trades, one row per fill", [
  ...["account", "wallet", "symbol", "trade_id", "order_id", "at", "side", "trade_side", "price", "size", "quote"],
  ...["fee", "fee_coin", "profit", "role", "first_seen_at", "version"],
]);

/** Returns the report of the records with a time in the span, oldest first. */
function recordReport(dataset: IncrementalDataset, summary: string, columns: readonly string[]): Report {
  return {
    name: dataset.name,
    summary,
    columns,
    usesLedger: true,
    ofRecords: true,
    *rows({ history, account }, span) {
      const whole = spanOf(span);
      if (!whole) return;
      const found = history.columns(dataset);
      const places = columns.map((name) => found.indexOf(name));
      for (const row of history.rows(dataset, account === null ? {} : { account }, whole)) {
        yield places.map((at) => row[at] ?? null);
        yield pause;
      }
    },
  };
}
