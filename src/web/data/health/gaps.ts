/** Defines the table of gaps: slots without a good snapshot, and why. */
import { dayMs } from "../../../core/time.ts";
import { instantText } from "../../../queries/close.ts";
import { daysShown } from "../comparison-periods.ts";
import { count, type DataTable, instant, text } from "../table.ts";

export const gaps: DataTable = {
  name: "gaps",
  summary: "neighbouring slots without a good snapshot and with the same cause, over 31 days, newest first",
  columns: [
    text("account", "Account"),
    text("dataset", "Dataset"),
    text("product_type", "Product"),
    instant("from_at", "From"),
    instant("to_at", "To"),
    count("slots", "Slots"),
    text("cause", "Cause"),
  ],
  *rows({ history, account, at }) {
    for (const gap of history.gaps(account, { from: at - daysShown * dayMs, to: at }))
      yield {
        account: gap.account,
        dataset: gap.dataset,
        product_type: gap.productType,
        from_at: instantText(gap.fromSlot),
        to_at: instantText(gap.toSlot),
        slots: BigInt(gap.slots),
        cause: gap.cause,
      };
  },
};
