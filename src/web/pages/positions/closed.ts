/** Renders the closed positions: those that are selected, a page of them at a time, with their totals. */
import { html } from "hono/html";
import { durationText, escapeControlChars } from "../../../core/text.ts";
import { isStable } from "../../../output/shown.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { type ClosedTotals, episodes, selectClosed, totalsOf } from "../../data/positions/closed.ts";
import { amount, type View } from "../../data/table.ts";
import { amountFigure, cellHtml, type Html, instantFigure, none, profitFigure } from "../parts/figure.ts";
import { pageOf } from "../parts/pager.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { placeOf, type ShownColumn, tableHtml } from "../parts/table.ts";
import { positionCell } from "./cells.ts";
import { ordersOf } from "./filters.ts";

export const defaultClosedColumns = [
  ...["position", "closed", "held", "largest_total", "entry_exit", "net"],
  ...["max", "distance", "costs"],
];

/** The columns that can be chosen, with their labels. */
export const closedLabels: Readonly<Record<string, string>> = {
  opened: "Opened",
  closed: "Closed",
  held: "Held",
  largest_total: "Max size",
  entry_exit: "Entry / exit",
  net: "Net PnL",
  realized: "Realised PnL",
  costs: "Funding / fees",
  max: "Max profit / loss",
  distance: "Nearest to liquidation",
};

const places: Readonly<Record<string, NonNullable<ShownColumn["place"]>>> = {
  net: "figure",
  closed: "more",
  held: "detail",
  max: "wide",
};

export function closedHtml(
  view: View,
  all: readonly HistoryRow[],
  names: readonly string[],
  kept: Readonly<Record<string, string>>,
): Html {
  const rows = selectClosed(all, view);
  const { rows: shown, pager } = pageOf(rows, {
    ...{ view, name: "page", of: "closed positions", ways: ["Newer", "Older"] },
    ...{ path: "/positions", anchor: "episodes", kept: { ...kept, open_page: view.params.open_page } },
  });
  const params = Object.fromEntries(Object.entries(view.params).filter(([name]) => !/cols$|page$/.test(name)));
  const totals = totalsOf(rows);
  return tableHtml({
    table: episodes,
    view: { ...view, params },
    caption: "Closed positions",
    columns: closedColumns(view, names, kept),
    rows: shown,
    empty: emptyText(all, view),
    csvText: `CSV of these ${rows.length}`,
    totals: totalCells(totals, rows.length, view),
    note: html`${pager}${totals.unknown > 0 ? html`<p class="note">${totals.unknown} without a known result are in no total.</p>` : ""}`,
  });
}

function emptyText(all: readonly HistoryRow[], { params: { symbol } }: View): string {
  if (all.length === 0) return "No closed positions in this period.";
  if (symbol !== undefined && !all.some((row) => row.symbol === symbol))
    return `No closed position of ${escapeControlChars(symbol)} in this period.`;
  return "None of the closed positions is selected.";
}

/** Returns the cells of the row of totals; its figures are in USDT. */
function totalCells({ won, lost, net, funding, fees }: ClosedTotals, count: number, view: View): Record<string, Html> {
  const decided = won + lost;
  const rate = decided === 0 ? "" : html` <small>${Math.floor((won * 100) / decided)} % won</small>`;
  return {
    position: html`${count === 1 ? "1 position" : `${count} positions`}${rate}`,
    closed: html`${won} won · ${lost} lost`,
    net: html`${profitFigure(net, view)} <small>USDT</small>`,
    costs: html`${amountFigure(funding, view)} <br>${amountFigure(fees, view)}`,
  };
}

function closedColumns(view: View, names: readonly string[], kept: Readonly<Record<string, string>>): ShownColumn[] {
  const plain = (name: string, row: HistoryRow): Html => {
    const column = episodes.columns.find((one) => one.name === name);
    return column ? cellHtml(column, row, view) : none();
  };
  const unit = ({ margin_coin: coin }: HistoryRow): Html | "" =>
    isStable(String(coin)) ? "" : html` <small>${coin}</small>`;
  const both = (one: string, other: string) => (row: HistoryRow) => html`${plain(one, row)} <br>${plain(other, row)}`;
  const cells: Readonly<Record<string, (row: HistoryRow) => Html>> = {
    position: (row) => positionCell(row, view),
    opened: (row) => plain(row.opened_at ? "opened_at" : "first_seen_at", row),
    closed: (row) =>
      row.closed_at
        ? plain("closed_at", row)
        : html`<small>by</small> ${instantFigure(String(row.closed_before ?? row.last_seen_at), view.timezone)}`,
    held: (row) => heldText(row),
    largest_total: (row) =>
      row.largest_total === null ? cellHtml(amount("size", "", "symbol"), row, view) : plain("largest_total", row),
    entry_exit: both("average_open_price", "close_average_price"),
    net: (row) => html`${plain("net_profit", row)}${unit(row)}`,
    realized: (row) => html`${plain("realized_pl", row)}${unit(row)}`,
    costs: both("funding", "fees"),
    max: (row) => (wasSeen(row) ? both("best_unrealized_pl", "worst_unrealized_pl")(row) : unseen),
    distance: (row) =>
      !wasSeen(row) ? unseen : row.closest_liquidation === null ? none() : plain("closest_liquidation", row),
  };
  return names.flatMap((name) => {
    const cell = cells[name];
    const label = name === "position" ? "Position" : closedLabels[name];
    if (!cell || label === undefined) return [];
    const place = name === "position" ? "lead" : places[name];
    return {
      ...{ name, label, heading: headingOf(name === "position" ? "symbol" : name, label, view, kept), cell },
      isNumber: !["position", "opened", "closed"].includes(name),
      ...placeOf(place, view.params.cols),
    };
  });
}

/** Returns whether any snapshot showed a position. */
const wasSeen = ({ first_seen_at: first }: HistoryRow): boolean => first !== null && first !== undefined;

const unseen = none("–", "no snapshot showed it");

/** Returns the header of a column; a link where the table can be ordered by it. */
function headingOf(column: string, label: string, view: View, kept: Readonly<Record<string, string>>): Html {
  const orders = ordersOf(column);
  if (!orders) return html`${label}`;
  const { sort = "-closed" } = view.params;
  const [first, second] = orders;
  const next = sort === first ? second : first;
  const mark = orders.includes(sort) ? html` <span aria-hidden="true">${sort.startsWith("-") ? "▼" : "▲"}</span>` : "";
  return html`<a href="${linkTo("/positions", stickyParams(view), kept, { sort: next === "-closed" ? null : next })}#episodes">${label}</a>${mark}`;
}

/** Shows how long a position was held: as the exchange says, or at least as long as snapshots showed it. */
function heldText({ held_ms: held, first_seen_at: first, last_seen_at: last }: HistoryRow): Html {
  if (held !== null && held !== undefined) return html`<data value="${held}">${durationText(Number(held))}</data>`;
  if (!first || !last) return none("–", "not known");
  const ms = Date.parse(String(last)) - Date.parse(String(first));
  return html`<data value="${ms}" title="between its first and last snapshot">≥ ${durationText(ms)}</data>`;
}
