import type { Cell } from "../core/domain.ts";
import { periodsOf } from "../queries/periods.ts";
import type { Report } from "./report.ts";

const columns = [
  "account",
  "product_type",
  "symbol",
  "margin_coin",
  "hold_side",
  "margin_mode",
  "state",
  "opened_at",
  "first_seen_at",
  "last_seen_at",
  "closed_after",
  "closed_before",
  "largest_total",
  "average_open_price",
  "worst_unrealized_pl",
  "best_unrealized_pl",
  "closest_liquidation",
  "realized_pl",
  "funding",
  "fees",
  "realized_pl_seen",
  "funding_seen",
  "fees_seen",
];

export const episodes: Report = {
  name: "episodes",
  summary: "position lifecycles that overlap the span",
  columns,
  *rows({ sqlite, account }, span) {
    const periods = [...periodsOf(span)];
    const [first, last] = [periods[0], periods.at(-1)];
    if (!first || !last) return;
    const lives = sqlite
      .prepare<unknown[], Cell[]>(
        `select ${columns.join(", ")} from position_episodes
         where first_seen_at < @to and (state = 'open' or coalesce(closed_before, last_seen_at) >= @from)
           and (@account is null or account = @account)
         order by first_seen_at, account, product_type, symbol, hold_side, margin_mode, margin_coin`,
      )
      .raw()
      .safeIntegers();
    const iso = (instant: number) => new Date(instant).toISOString();
    yield* lives.iterate({ from: iso(first.from), to: iso(last.to), account });
  },
};
