/** Defines the table of gaps: slots without a good snapshot, and why. */
import type { Steps } from "../../../core/async/cooperate.ts";
import { instantText } from "../../../queries/close.ts";
import type { HistoryRow, NamedGap } from "../../../store/history.ts";
import { notWritten } from "../../../store/runs/slot-counts.ts";
import { count, type DataTable, instant, text, type View } from "../table.ts";
import { isSelected, lastDays } from "./collection.ts";

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
  *rows(view) {
    const { history, account, at } = view;
    for (const gap of yield* unwrittenGaps(view)) yield rowOf(gap);
    const from = lastDays(view).at(-1)?.from ?? at;
    for (const gap of history.gaps(account, { from, to: at })) yield rowOf(gap);
  },
};

const rowOf = (gap: NamedGap): HistoryRow => ({
  account: gap.account,
  dataset: gap.dataset,
  product_type: gap.productType,
  from_at: instantText(gap.fromSlot),
  to_at: instantText(gap.toSlot),
  slots: BigInt(gap.slots),
  cause: gap.cause,
});

/** Returns the slots that have passed without a row, as while no process collects: the counts of slots have them as missed. */
function* unwrittenGaps({ history, account, at }: View): Steps<NamedGap[]> {
  const found: NamedGap[] = [];
  for (const series of history.series(null).filter((one) => isSelected(one, account))) {
    const slots = yield* history.unwrittenSlots(series.id, at);
    if (slots) found.push({ ...slots, ...series, productType: null, cause: notWritten });
  }
  return found.sort((a, b) => b.fromSlot - a.fromSlot);
}
