/** What is missing, and why. */
import { instantText } from "../../reports/closing.ts";
import type { Cell } from "../../store/query.ts";
import { count, type DataTable, instant, text } from "./table.ts";

const daysShown = 31;

export const gaps: DataTable = {
  name: "gaps",
  summary: "neighbouring slots without a good snapshot and with the same cause, over 31 days, the newest first",
  columns: [
    text("account", "Account"),
    text("dataset", "Dataset"),
    text("product_type", "Line"),
    instant("from_at", "From"),
    instant("to_at", "To"),
    count("slots", "Slots"),
    text("cause", "Cause"),
  ],
  *rows({ sqlite, account, at }) {
    yield* sqlite
      .prepare<unknown[], Record<string, Cell>>(
        `select * from gaps where (@account is null or account = @account or dataset = 'prices')
           and to_at >= @from and from_at <= @at order by from_at desc`,
      )
      .safeIntegers()
      .iterate({ account, from: instantText(at - daysShown * 86_400_000), at: instantText(at) });
  },
};
