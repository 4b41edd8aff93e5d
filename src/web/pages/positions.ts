import { html } from "hono/html";
import type { Steps } from "../../core/async/cooperate.ts";
import { compare, decimalIn } from "../../core/decimal.ts";
import { escapeControlChars } from "../../core/text.ts";
import { type HistoryRow, positionKey } from "../../store/history.ts";
import { episodes, positions } from "../data/positions.ts";
import { allRows, amount, type View } from "../data/table.ts";
import { cellHtml, type Html, instantFigure, none, shareFigure, unknown } from "./parts/figure.ts";
import { marginModeLabel, walletLabel } from "./parts/labels.ts";
import { layout } from "./parts/layout.ts";
import { linkTo, stickyParams } from "./parts/query-params.ts";
import { columnsFor, type ShownColumn, tableHtml } from "./parts/table.ts";

const maxEpisodes = 100;

const openNames = [
  "total",
  "unrealized_pl",
  "average_open_price",
  "mark_price",
  "liquidation_price",
  "leverage",
  "margin",
  "achieved_profits",
  "taken_at",
];

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
        columns: openColumns(view),
        rows: open,
        empty:
          all.length > 0
            ? "No open positions at last."
            : wasCollected(view)
              ? "No open positions."
              : "No data collected yet.",
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

/** Returns true if positions were collected by the shown instant; before that, "no open positions" would be a guess. */
const wasCollected = ({ history, account, at }: View): boolean =>
  history.series(account).some(({ dataset, firstAt }) => dataset === "positions" && firstAt <= at);

function openColumns(view: View): ShownColumn[] {
  const name: ShownColumn = { label: "Position", isNumber: false, cell: (row) => positionCell(row, view) };
  const [share] = columnsFor(positions, view, ["unrealized_plr"]);
  const columns = columnsFor(positions, view, openNames, {
    unrealized_pl: (row, plain) => html`${plain}<br><small>ROE ${share?.cell(row)}</small>`,
    liquidation_price: (row, plain) => liquidationCell(row, plain, view),
    leverage: (row, plain) =>
      html`${plain}×<br><small>${row.margin_mode ? marginModeLabel(String(row.margin_mode)) : unknown()}</small>`,
    margin: (row, plain) => html`${plain} <small>${row.margin_coin}</small>`,
  });
  return [name, ...columns];
}

function positionCell(row: HistoryRow, view: View): Html {
  const about = html`<small>${[row.account, row.product_type && walletLabel(String(row.product_type))].filter((part) => part).join(" · ")}</small>`;
  if (!row.symbol) return html`${unknown("No recent data")}<br>${about}`;
  const key = Object.fromEntries(positionKey.map((name) => [name, row[name]]));
  // A closed position is identified by its first snapshot; the open one is the newest.
  const first = row.state === "open" || row.last_known_at ? {} : { first_seen_at: row.first_seen_at };
  const address = linkTo("/position", stickyParams({ ...view, account: null }), key, first);
  const symbol = escapeControlChars(String(row.symbol));
  // There is no page of a position that no snapshot showed.
  const name = row.seen === 0n || row.seen === 0 ? symbol : html`<a href="${address}">${symbol}</a>`;
  return html`${name} <span class="side ${row.hold_side === "long" ? "long" : "short"}">${row.hold_side}</span><br>${about}`;
}

/** Shows the liquidation price and its distance: in per cent of the mark price, and as a bar that is full from 50 % on. */
function liquidationCell(row: HistoryRow, plain: Html, view: View): Html {
  const price = decimalIn(row, "liquidation_price");
  const distance = decimalIn(row, "liquidation_distance");
  if (price === null) return unknown();
  if (compare(price, "0") <= 0) return none();
  if (distance === null) return html`${plain}<br>${unknown()}`;
  return html`${plain}<br><small>${shareFigure(distance, view)} distance</small> <meter min="0" low="0.05" high="0.15" optimum="0.5" max="0.5" value="${distance}" title="${distance} of the mark price"></meter>`;
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
