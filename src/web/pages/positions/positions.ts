import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { episodes } from "../../data/positions/episodes.ts";
import { positions } from "../../data/positions/open.ts";
import { allRows, amount, type View } from "../../data/table.ts";
import { cellHtml, type Html, instantFigure, none } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { columnsFor, type ShownColumn, tableHtml } from "../parts/table.ts";
import { positionCell } from "./cells.ts";
import { defaultColumns, emptyText, openColumns } from "./open.ts";

const maxEpisodes = 100;

const closedNames = [
  "largest_total",
  "average_open_price",
  "close_average_price",
  "net_profit",
  "realized_pl",
  "closest_liquidation",
  "best_unrealized_pl",
  "worst_unrealized_pl",
  "funding",
  "fees",
  "held_ms",
  "closed_before",
];

export function* positionsPage(view: View): Steps<Html> {
  const all = yield* allRows(positions, view);
  // A product type in which nothing was open at last needs no row.
  const open = all.filter((row) => row.symbol || !row.last_known_at);
  const closed = yield* allRows(episodes, view, maxEpisodes + 1);
  return layout({
    title: "Positions",
    path: "/positions",
    view,
    body: [
      tableHtml({
        table: positions,
        view,
        caption: "Open positions",
        columns: openColumns(view, defaultColumns),
        rows: open,
        empty: emptyText(view, all),
      }),
      tableHtml({
        table: episodes,
        view,
        caption: "Closed positions",
        columns: closedColumns(view),
        rows: closed,
        empty: "No closed positions.",
        maxRows: maxEpisodes,
      }),
    ],
  });
}

function closedColumns(view: View): ShownColumn[] {
  const name: ShownColumn = { label: "Position", isNumber: false, cell: (row) => positionCell(row, view) };
  const [largest, entry, exit, net, realised, closest, best, worst, funding, fees, held, closed] = columnsFor(
    episodes,
    view,
    closedNames,
    {
      closest_liquidation: (row, plain) =>
        row.first_seen_at !== null && row.closest_liquidation === null ? none() : plain,
      largest_total: (row, plain) =>
        row.largest_total === null ? cellHtml(amount("size", "", "symbol"), row, view) : plain,
      closed_before: (row, plain) => (row.closed_at ? instantFigure(String(row.closed_at), view.timezone) : plain),
    },
  );
  const both = (label: string, one: ShownColumn | undefined, other: ShownColumn | undefined): ShownColumn => ({
    label,
    isNumber: one?.isNumber ?? false,
    cell: (row) => html`${one?.cell(row)}<br>${other?.cell(row)}`,
  });
  return [
    name,
    largest,
    both("Entry / exit", entry, exit),
    both("Net / realised PnL", net, realised),
    both("Max profit / max loss", best, worst),
    closest,
    both("Funding / fees", funding, fees),
    both("Closed / held", closed, held),
  ].flatMap((column) => column ?? []);
}
