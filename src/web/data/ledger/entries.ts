/** Defines the table of the exchange's ledger: the entries of one coin in one wallet. */
import type { HistoryRow } from "../../../store/history.ts";
import { amount, change, count, type DataTable, instant, text, type View } from "../table.ts";
import { millis, stretchesOf, verdictColumns } from "./reconciliation.ts";

export const ledger: DataTable = {
  name: "ledger",
  summary:
    "the exchange's entries of one coin in one wallet with the verdict of the stretch they are in, newest first, in the order in which their balances follow",
  needs: ["wallet", "coin"],
  columns: [
    instant("at", "Time"),
    text("type", "Type"),
    text("kind", "Kind"),
    amount("amount", "Amount", "coin"),
    amount("fee", "Fee", "coin"),
    change("change", "Change", "coin"),
    amount("balance", "Balance", "coin"),
    ...verdictColumns,
    text("symbol", "Symbol"),
    text("order_id", "Order"),
    text("bill_id", "Entry"),
    count("version", "Version"),
  ],
  rows: (view) => entriesFrom(view, 0),
};

/** Yields the rows of `ledger` without the first `skip`. An entry that is in no stretch has no verdict. */
export function* entriesFrom(view: View, skip: number): Generator<HistoryRow, void> {
  const stretches = stretchesOf(view);
  const [first] = stretches;
  for (const row of view.history.ledgerEntries(chainOf(view), view.at, skip)) {
    const at = Number(row.booked_at_ms ?? row.at_ms);
    // The newest entries come first, so that later stretches are not needed any more. A stretch begins after its first instant.
    while (stretches.length > 1 && at <= millis(stretches.at(-1)?.from_at)) stretches.pop();
    const stretch = stretches.at(-1);
    const isInside =
      stretch &&
      at <= millis(stretch.to_at) &&
      (at > millis(stretch.from_at) || (stretch === first && at >= millis(stretch.from_at)));
    yield {
      ...row,
      verdict: isInside ? (stretch.verdict ?? null) : null,
      cause: isInside ? (stretch.cause ?? null) : null,
    };
  }
}

const chainOf = ({ account, params }: View) => ({
  account: account ?? "",
  wallet: params.wallet ?? "",
  coin: params.coin ?? "",
});
