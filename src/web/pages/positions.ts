import { html } from "hono/html";
import type { Steps } from "../../core/async/cooperate.ts";
import { compare } from "../../core/decimal.ts";
import { visible } from "../../core/text.ts";
import type { HeldRow } from "../../queries/close.ts";
import { amountOf } from "../../queries/close.ts";
import { positionKey } from "../../store/history.ts";
import { episodes, positions } from "../data/positions.ts";
import { allRows, type View } from "../data/table.ts";
import { cellHtml, figure, type Html, none, shareFigure, unknown } from "./parts/figure.ts";
import { layout } from "./parts/layout.ts";
import { addressOf, lasting } from "./parts/query-params.ts";
import { type Shown, shownAs, tableHtml } from "./parts/table.ts";

const mostEpisodes = 100;

export function* positionsPage(view: View): Steps<Html> {
  const open = yield* allRows(positions, view);
  const closed = yield* allRows(episodes, view, mostEpisodes + 1);
  return layout({
    title: "Positions",
    path: "/positions",
    view,
    body: [
      tableHtml({
        table: positions,
        view,
        caption: "Open",
        columns: openColumns(view),
        rows: open,
        empty: wasAsked(view) ? "No position is open." : "Nothing was collected yet.",
      }),
      tableHtml({
        table: episodes,
        view,
        caption: "Closed, the newest first",
        columns: closedColumns(view),
        rows: closed.slice(0, mostEpisodes),
        empty: "No position was seen to close.",
        isCut: closed.length > mostEpisodes,
      }),
    ],
  });
}

/** Before anybody asked what is open it is not known that nothing was. */
const wasAsked = ({ history, account, at }: View): boolean =>
  history.series(account).some(({ dataset, begunAt }) => dataset === "positions" && begunAt <= at);

function openColumns(view: View): Shown[] {
  const cell = (row: HeldRow, kind: "amount" | "change" | "share" | "instant", name: string) =>
    cellHtml(kind, row[name], view.timezone);
  return [
    { label: "Position", isNumber: false, cell: (row) => nameOf(row, view) },
    { label: "Size", isNumber: true, cell: (row) => cell(row, "amount", "total") },
    {
      label: "Unrealised PnL",
      isNumber: true,
      cell: (row) =>
        html`${cell(row, "change", "unrealized_pl")}<br><small>${cell(row, "share", "unrealized_plr")} of margin</small>`,
    },
    { label: "Entry", isNumber: true, cell: (row) => cell(row, "amount", "average_open_price") },
    { label: "Mark", isNumber: true, cell: (row) => cell(row, "amount", "mark_price") },
    { label: "Liquidation", isNumber: true, cell: liquidation },
    {
      label: "Leverage",
      isNumber: true,
      cell: (row) => html`${cell(row, "amount", "leverage")}×<br><small>${row.margin_mode ?? unknown()}</small>`,
    },
    {
      label: "Margin",
      isNumber: true,
      cell: (row) => html`${cell(row, "amount", "margin")} <small>${row.margin_coin}</small>`,
    },
    { label: "Realised", isNumber: true, cell: (row) => cell(row, "change", "achieved_profits") },
    { label: "As told at", isNumber: false, cell: (row) => cell(row, "instant", "taken_at") },
  ];
}

function nameOf(row: HeldRow, view: View): Html {
  const about = html`<small>${[row.account, row.product_type].filter((part) => part).join(" · ")}</small>`;
  if (!row.symbol) return html`${unknown("unknown: the last good snapshot is too old, or there is none")}<br>${about}`;
  const key = Object.fromEntries(positionKey.map((name) => [name, row[name]]));
  // A closed one is found by its beginning; the open one is the newest.
  const first = row.state === "open" ? {} : { first_seen_at: row.first_seen_at };
  const address = addressOf("/position", lasting({ account: null, at: view.isNow ? null : view.at }), key, first);
  return html`<a href="${address}">${visible(String(row.symbol))}</a> <span class="side ${row.hold_side === "long" ? "long" : "short"}">${row.hold_side}</span><br>${about}`;
}

/** How far off liquidation is: in per cent of the mark price, and as a bar that is full from one half on. */
function liquidation(row: HeldRow): Html {
  const price = amountOf(row, "liquidation_price");
  const distance = amountOf(row, "liquidation_distance");
  if (price === null) return unknown();
  if (compare(price, "0") <= 0) return none();
  if (distance === null) return html`${figure(price)}<br>${unknown()}`;
  return html`${figure(price)}<br><small>${shareFigure(distance)} away</small> <meter min="0" low="0.05" high="0.15" optimum="0.5" max="0.5" value="${distance}" title="${distance} of the mark price"></meter>`;
}

function closedColumns(view: View): Shown[] {
  const [largest, entry, realised, worst, best, closest, funding, fees, first, gone] = shownAs(episodes, view, [
    "largest_total",
    "average_open_price",
    "realized_pl_seen",
    "worst_unrealized_pl",
    "best_unrealized_pl",
    "closest_liquidation",
    "funding_seen",
    "fees_seen",
    "first_seen_at",
    "closed_before",
  ]);
  const both = (label: string, one: Shown | undefined, other: Shown | undefined): Shown => ({
    label,
    isNumber: one?.isNumber ?? false,
    cell: (row) => html`${one?.cell(row)}<br>${other?.cell(row)}`,
  });
  const distance: Shown[] = closest
    ? [{ ...closest, cell: (row) => (row.closest_liquidation === null ? none() : closest.cell(row)) }]
    : [];
  return [
    { label: "Position", isNumber: false, cell: (row) => nameOf(row, view) },
    ...[largest, entry, realised].flatMap((column) => column ?? []),
    both("Best and worst PnL", best, worst),
    ...distance,
    both("Funding and fees, last told", funding, fees),
    both("First seen, gone by", first, gone),
  ];
}
