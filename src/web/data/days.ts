/** Defines the table of daily equity: the equity curve in numbers. */

import { pause } from "../../core/async/cooperate.ts";
import { periodOf, startOfDays } from "../../queries/periods.ts";
import { equity as report } from "../../reports/equity.ts";
import { daysShown } from "./comparison-periods.ts";
import { amount, type DataTable, instant, profit, text } from "./table.ts";

export const days: DataTable = {
  name: "days",
  summary: "the equity of each account in USDT, per day over 31 days, oldest first",
  columns: [
    text("day", "Day"),
    text("account", "Account"),
    amount("opening", "Opening"),
    amount("closing", "Closing"),
    profit("change", "Change"),
    amount("lowest", "Lowest"),
    instant("lowest_at", "Lowest at"),
    amount("highest", "Highest"),
    instant("highest_at", "Highest at"),
    text("coverage", "Coverage"),
  ],
  *rows({ history, account, at, timezone }) {
    const { to } = periodOf(timezone, "day", at);
    const span = { timezone, by: "day" as const, from: startOfDays(timezone, daysShown, at), to };
    for (const row of report.rows({ history, account, now: at }, span))
      yield row === pause ? pause : Object.fromEntries(report.columns.map((name, at) => [name, row[at] ?? null]));
  },
};
