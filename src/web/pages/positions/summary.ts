/** Renders what is known of one position: its state in a line, and six tiles. */
import { html } from "hono/html";
import { compare, decimalIn } from "../../../core/decimal.ts";
import { durationText, escapeControlChars } from "../../../core/text.ts";
import { marginModeLabel, walletLabel } from "../../../output/labels.ts";
import { isStable } from "../../../output/shown.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { episodes } from "../../data/positions/closed.ts";
import { positions } from "../../data/positions/open.ts";
import type { Column, View } from "../../data/table.ts";
import { verdictHtml } from "../ledger/verdict.ts";
import { ageHtml, amountFigure, cellHtml, type Html, instantFigure, none, unknownMark } from "../parts/figure.ts";
import { distanceHtml } from "./cells.ts";

interface Tile {
  label: string;
  value: Html;
  /** What explains the value, a line each. */
  lines: Html[];
}

/** Renders a position; `now` is its row of the open positions, undefined where it is not among them. */
export function summaryHtml(episode: HistoryRow, now: HistoryRow | undefined, view: View): Html {
  const tiles = episode.state === "closed" ? closedTiles(episode, view) : openTiles(episode, now, view);
  return html`<section id="summary" data-live aria-label="Position summary">
<p class="state-line">${stateParts(episode, now, view).map((part, at) => html`${at > 0 ? " · " : ""}${part}`)}</p>
<ul class="tiles${now?.last_known_at ? " last-known" : ""}">
${tiles.map(
  ({ label, value, lines }) => html`<li><span class="label">${label}</span>
<span class="value">${value}</span>
${lines.map((line) => html`<small>${line}</small>`)}</li>\n`,
)}
</ul></section>`;
}

function stateParts(episode: HistoryRow, now: HistoryRow | undefined, view: View): Html[] {
  const { margin_mode: mode, product_type: product, account } = episode;
  const leverage = now?.leverage ? ` ${now.leverage}×` : "";
  return [
    ...endParts(episode, view),
    html`${marginModeLabel(String(mode))}${leverage}`,
    ...(product ? [html`${walletLabel(String(product))}`] : []),
    html`${escapeControlChars(String(account))}`,
    ...(now?.last_known_at ? [ageHtml(String(now.last_known_at), view)] : []),
  ];
}

/** Returns since when a position is open, or when it was closed; an unknown end is no close. */
function endParts(episode: HistoryRow, view: View): Html[] {
  const { state, opened_at: openedAt, closed_at: closedAt, closed_before: by, last_seen_at: seenAt } = episode;
  const time = (instant: unknown) => instantFigure(String(instant), view.timezone);
  const since = Math.max(0, view.at - Date.parse(String(openedAt)));
  if (state === "open")
    return [
      openedAt
        ? html`<b>Open</b> <time datetime="${openedAt}" title="${openedAt}">${durationText(since)}</time>`
        : html`<b>Open</b>, opened at an unknown time`,
    ];
  if (state !== "closed") return [html`<b>End unknown</b>: not collected any more since ${time(seenAt)}`];
  return [
    closedAt
      ? html`<b>Closed</b> ${time(closedAt)}`
      : html`<b>Closed</b> between ${time(episode.closed_after ?? seenAt)} and ${time(by)}`,
    heldHtml(episode),
  ];
}

/** Shows how long a position was held: as the exchange says, or at least as long as snapshots showed it. */
export function heldHtml({ held_ms: held, first_seen_at: first, last_seen_at: last }: HistoryRow): Html {
  if (held !== null && held !== undefined) return html`held <data value="${held}">${durationText(Number(held))}</data>`;
  const ms = Date.parse(String(last)) - Date.parse(String(first));
  return html`held <data value="${ms}" title="between its first and last snapshot">≥ ${durationText(ms)}</data>`;
}

/** Returns a function that shows a column of a row, and its coin where amounts of it are not shown as money. */
function cellsOf(columns: readonly Column[], row: HistoryRow, view: View) {
  return (name: string): Html => {
    const column = columns.find((one) => one.name === name);
    if (!column) return unknownMark();
    const coin = String(row.margin_coin ?? "");
    const hasUnit = column.coin === "margin_coin" && decimalIn(row, name) !== null && !isStable(coin);
    return html`${cellHtml(column, row, view)}${hasUnit ? html` <small>${coin}</small>` : ""}`;
  };
}

function openTiles(episode: HistoryRow, now: HistoryRow | undefined, view: View): Tile[] {
  const row = { ...episode, ...now };
  const [is, was] = [cellsOf(positions.columns, row, view), cellsOf(episodes.columns, episode, view)];
  const worth = decimalIn(row, "usdt_size");
  return [
    {
      label: "Size",
      value: is("total"),
      lines: [
        ...(worth === null ? [] : [html`≈ ${amountFigure(worth, view)} USDT`]),
        html`largest ${was("largest_total")}`,
      ],
    },
    { label: "Mark", value: is("mark_price"), lines: [html`entry ${is("average_open_price")}`] },
    {
      label: "Unrealised PnL",
      value: is("unrealized_pl"),
      lines: [html`ROE ${is("unrealized_plr")}`, extremesHtml(episode, view)],
    },
    {
      label: "Liquidation",
      value: liquidationHtml(row, is("liquidation_price")),
      lines: [distanceHtml(row, view), nearestHtml(episode, view)],
    },
    { label: "Margin", value: is("margin"), lines: [html`${String(episode.margin_coin)}`] },
    {
      label: "Realised PnL",
      value: is("achieved_profits"),
      lines: [
        html`funding ${row.total_funding === null ? none("–", "not reported") : is("total_funding")}`,
        html`fees ${was("fees")}`,
      ],
    },
  ];
}

/** Shows "none" for a liquidation price of zero or less, by which the exchange reports that there is none. */
export const liquidationHtml = (row: HistoryRow, plain: Html): Html =>
  compare(decimalIn(row, "liquidation_price") ?? "1", "0") <= 0 ? none() : plain;

function closedTiles(episode: HistoryRow, view: View): Tile[] {
  const was = cellsOf(episodes.columns, episode, view);
  const difference = decimalIn(episode, "difference");
  return [
    {
      label: "Net PnL",
      value: was("net_profit"),
      lines: [
        html`realised ${was("realized_pl")}`,
        html`its bills: ${verdictHtml(episode.verdict)}${difference === null || compare(difference, "0") === 0 ? "" : html`, difference ${was("difference")}`}`,
      ],
    },
    { label: "Exit", value: was("close_average_price"), lines: [html`entry ${was("average_open_price")}`] },
    { label: "Largest size", value: was("largest_total"), lines: [] },
    { label: "Funding", value: was("funding"), lines: [html`fees ${was("fees")}`] },
    { label: "Max profit", value: was("best_unrealized_pl"), lines: [html`max loss ${was("worst_unrealized_pl")}`] },
    { label: "Nearest to liquidation", value: nearest(episode, view), lines: [] },
  ];
}

const nearest = (episode: HistoryRow, view: View): Html =>
  episode.closest_liquidation === null ? none() : cellsOf(episodes.columns, episode, view)("closest_liquidation");

const nearestHtml = (episode: HistoryRow, view: View): Html => html`nearest ${nearest(episode, view)}`;

function extremesHtml(episode: HistoryRow, view: View): Html {
  const was = cellsOf(episodes.columns, episode, view);
  return html`max ${was("best_unrealized_pl")}, min ${was("worst_unrealized_pl")}`;
}
