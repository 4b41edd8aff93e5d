/** The columns in which pages show open positions. */
import { html } from "hono/html";
import { decimalIn, isZero } from "../../../core/decimal.ts";
import { durationText } from "../../../core/text.ts";
import { isStable } from "../../../output/shown.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { exposureOf, isMoneyRow, positions } from "../../data/positions/open.ts";
import type { View } from "../../data/table.ts";
import { amountFigure, cellHtml, type Html, none, profitFigure, unknownMark } from "../parts/figure.ts";
import { columnsFor, placeOf, type ShownColumn } from "../parts/table.ts";
import { liquidationCell, positionCell } from "./cells.ts";

/** The columns that the page of positions shows unless others are chosen. */
export const defaultColumns = [
  ...["position", "total", "average_open_price", "unrealized_pl", "liquidation_price", "margin", "total_funding"],
  ...["take_profit", "opened_at"],
];

/** The columns that can be chosen, with their labels. */
export const openLabels: Readonly<Record<string, string>> = {
  total: "Size",
  usdt_size: "Size, USDT",
  average_open_price: "Entry / mark",
  unrealized_pl: "Unrealised PnL",
  liquidation_price: "Liquidation",
  margin: "Margin",
  usdt_margin: "Margin, USDT",
  total_funding: "Funding",
  achieved_profits: "Realised PnL",
  take_profit: "TP / SL",
  opened_at: "Open for",
};

const places: Readonly<Record<string, NonNullable<ShownColumn["place"]>>> = {
  unrealized_pl: "figure",
  total: "more",
  usdt_size: "more",
  usdt_margin: "wide",
  total_funding: "wide",
  take_profit: "wide",
  liquidation_price: "detail",
};

/** Returns the named columns of open positions. */
export function openColumns(view: View, names: readonly string[]): ShownColumn[] {
  const plainOf = (name: string, row: HistoryRow): Html => {
    const column = positions.columns.find((one) => one.name === name);
    return column ? cellHtml(column, row, view) : html``;
  };
  const cells: Readonly<Record<string, (row: HistoryRow, plain: Html) => Html>> = {
    total: (row, plain) => html`${plain} <br><small>${usdtText(row, "usdt_size", view)}</small>`,
    average_open_price: (row, plain) => html`${plain}<br>${plainOf("mark_price", row)}`,
    unrealized_pl: (row, plain) =>
      html`${plain}${unitHtml(row)} <br><small><span class="wide">ROE </span>${plainOf("unrealized_plr", row)}</small>`,
    liquidation_price: (row, plain) => liquidationCell(row, plain, view),
    margin: (row, plain) => html`${plain}<br><small>${row.margin_coin}</small>`,
    achieved_profits: (row, plain) => html`${plain}${unitHtml(row)}`,
    total_funding: (row, plain) =>
      row.total_funding === null ? none("–", "not reported") : html`${plain}${unitHtml(row)}`,
    take_profit: (row) => html`${orderPrice(row, "take_profit", plainOf)}<br>${orderPrice(row, "stop_loss", plainOf)}`,
    opened_at: (row) => ageText(row, view),
    usdt_size: (row, plain) => demoOr(row, plain),
    usdt_margin: (row, plain) => demoOr(row, plain),
  };
  const lead: ShownColumn = {
    name: "position",
    label: "Position",
    isNumber: false,
    place: "lead",
    cell: (row) => positionCell(row, view),
  };
  return names.flatMap((name) => {
    if (name === "position") return lead;
    return columnsFor(positions, view, [name], cells).map((column) => ({
      ...column,
      label: openLabels[name] ?? column.label,
      isNumber: true,
      ...placeOf(places[name], view.params.open_cols),
      // A row without a symbol is about a product type of which nothing is known.
      cell: (row: HistoryRow) => (row.symbol ? column.cell(row) : none("–")),
    }));
  });
}

/** Returns the cells of the row of totals over all open positions of real money, in USDT. */
export function openTotals(view: View, rows: readonly HistoryRow[]): Record<string, Html> {
  const { count, gross, profit, margin, oldest } = exposureOf(rows);
  const money = (value: string | null, figure = amountFigure) => {
    const shown = value === null ? unknownMark() : figure(value, view);
    return html`<span${oldest === null ? "" : html` class="last-known"`}>${shown} <small>USDT</small></span>`;
  };
  return {
    position: html`${count === 1 ? "1 position" : `${count} positions`}`,
    total: money(gross),
    usdt_size: money(gross),
    unrealized_pl: money(profit, profitFigure),
    margin: money(margin),
    usdt_margin: money(margin),
  };
}

const demoOr = (row: HistoryRow, plain: Html): Html => (isMoneyRow(row) ? plain : none("–", "demo money"));

/** Returns the margin coin, unless an amount of it is shown like money. */
const unitHtml = ({ margin_coin: coin }: HistoryRow): Html | "" =>
  isStable(String(coin)) ? "" : html` <small>${coin}</small>`;

function usdtText(row: HistoryRow, name: string, view: View): Html {
  const value = decimalIn(row, name);
  if (!isMoneyRow(row)) return html`demo money`;
  return value === null ? html`≈ ${unknownMark()}` : html`≈ ${amountFigure(value, view)}`;
}

/** Shows the price of a stop order; a dash where there is none. */
function orderPrice(row: HistoryRow, name: string, plainOf: (name: string, row: HistoryRow) => Html): Html {
  const price = decimalIn(row, name);
  return price === null || isZero(price) ? none("–", "none set") : plainOf(name, row);
}

function ageText({ opened_at, last_known_at }: HistoryRow, { at }: View): Html {
  if (!opened_at) return none("–", "not reported");
  const end = last_known_at ? Date.parse(String(last_known_at)) : at;
  const ms = Math.max(0, end - Date.parse(String(opened_at)));
  return html`<time datetime="${opened_at}" title="${opened_at}">${durationText(ms)}</time>`;
}

/** Returns true if positions were collected by the shown instant; before that, "no open positions" would be a guess. */
export const wasCollected = ({ history, account, at }: View): boolean =>
  history.series(account).some(({ dataset, firstAt }) => dataset === "positions" && firstAt <= at);

/** Returns what is shown instead of open positions. `rows` are also those of product types of which nothing is known. */
export function emptyText(view: View, rows: readonly HistoryRow[]): string {
  if (rows.length > 0) return "No open positions at last.";
  return wasCollected(view) ? "No open positions." : "No data collected yet.";
}
