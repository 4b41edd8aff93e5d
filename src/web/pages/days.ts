import type { Steps } from "../../core/async/cooperate.ts";
import { days } from "../data/days.ts";
import { allRows, type View } from "../data/table.ts";
import type { Html } from "./parts/figure.ts";
import { layout } from "./parts/layout.ts";
import { columnsFor, tableHtml } from "./parts/table.ts";

export function* daysPage(view: View): Steps<Html> {
  const rows = yield* allRows(days, view);
  const names = days.columns.map(({ name }) => name).filter((name) => !name.endsWith("_at"));
  return layout({
    title: "Daily",
    path: "/days",
    section: "/",
    view,
    body: tableHtml({
      table: days,
      view,
      caption: "Daily equity, USDT",
      columns: columnsFor(days, view, names),
      rows: rows.toReversed(),
      empty: "No data collected yet.",
    }),
  });
}
