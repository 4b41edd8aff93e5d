/** Defines the table of gaps: slots without a good snapshot, and why. */
import { type Paced, pause, type Steps } from "../../../core/async/cooperate.ts";
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
    for (const gap of gapsOf(view)) yield gap === pause ? pause : rowOf(gap);
  },
};

/** Yields the gaps of the shown days, those without a row first, then by their first slots, newest first. */
export function* gapsOf(view: View): Paced<NamedGap> {
  const { history, account, at } = view;
  yield* yield* unwrittenGaps(view);
  const from = lastDays(view).at(-1)?.from ?? at;
  yield* history.gaps(account, { from, to: at });
}

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
