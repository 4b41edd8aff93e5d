import { spanOf } from "../queries/periods.ts";
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
  "seen",
  "position_id",
  "closed_at",
  "close_average_price",
  "size",
  "net_profit",
  "held_ms",
  "bills_realized_pl",
  "bills_funding",
  "bills_fees",
  "bills_net_profit",
  "difference",
  "verdict",
];

export const episodes: Report = {
  name: "episodes",
  summary: "position lifecycles that overlap the span",
  columns,
  *rows({ history, account }, span) {
    const whole = spanOf(span);
    if (!whole) return;
    for (const episode of history.episodes(account, whole)) yield columns.map((name) => episode[name] ?? null);
  },
};
