/** Renders the open positions on the overview, the one nearest to liquidation first. */
import { html } from "hono/html";
import type { HistoryRow } from "../../../store/history.ts";
import { positions } from "../../data/positions/open.ts";
import type { View } from "../../data/table.ts";
import type { Html } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { tableHtml } from "../parts/table.ts";
import { emptyText, openColumns } from "../positions/open.ts";

const maxRows = 6;
const columns = ["position", "usdt_size", "unrealized_pl", "liquidation_price", "usdt_margin"];

export function positionsHtml(view: View, all: readonly HistoryRow[]): Html {
  const open = all.filter((row) => row.symbol || !row.last_known_at);
  const link = linkTo("/positions", stickyParams(view));
  return tableHtml({
    table: positions,
    view,
    caption: "Open positions",
    columns: openColumns(view, columns),
    rows: open,
    empty: emptyText(view, all),
    maxRows,
    note: html`${open.length > maxRows ? html`<a href="${link}">All ${open.length} positions</a>` : html`<a href="${link}">Positions</a>`}`,
  });
}
