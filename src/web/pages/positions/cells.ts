/** Renders cells of positions. */
import { html } from "hono/html";
import { compare, decimalIn } from "../../../core/decimal.ts";
import { escapeControlChars } from "../../../core/text.ts";
import { marginModeLabel, walletLabel } from "../../../output/labels.ts";
import { type HistoryRow, positionKey } from "../../../store/history.ts";
import type { View } from "../../data/table.ts";
import { type Html, none, shareFigure, unknown, unknownMark } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";

/** Shows what a position is: symbol, side, leverage and margin mode, product, and the account where several are shown. */
export function positionCell(row: HistoryRow, view: View): Html {
  const { account, leverage, margin_mode: mode, product_type: product } = row;
  const name = escapeControlChars(String(account ?? ""));
  const parts = [
    leverage ? `${leverage}×` : "",
    mode ? marginModeLabel(String(mode)) : "",
    product ? walletLabel(String(product)) : "",
  ];
  const about = html`<small>${view.account === null && view.history.accounts().length > 1 ? html`${name} ` : ""}<span class="wide">${parts.filter((part) => part).join(" · ")}</span></small>`;
  if (!row.symbol) return html`${unknown("No recent data")}<br>${about}`;
  const key = Object.fromEntries(positionKey.map((name) => [name, row[name]]));
  // A closed position is identified by its first snapshot; the open one is the newest.
  const first = row.state === "open" || row.last_known_at ? {} : { first_seen_at: row.first_seen_at };
  const address = linkTo("/position", stickyParams({ ...view, account: null }), key, first);
  const symbol = escapeControlChars(String(row.symbol));
  // There is no page of a position that no snapshot showed.
  const link = row.seen === 0n || row.seen === 0 ? symbol : html`<a href="${address}">${symbol}</a>`;
  return html`${link} <span class="side ${row.hold_side === "long" ? "long" : "short"}">${row.hold_side}</span> <br>${about}`;
}

/** Shows the liquidation price and its distance: in per cent of the mark price, and as a bar that is full from 50 % on. */
export function liquidationCell(row: HistoryRow, plain: Html, view: View): Html {
  const price = decimalIn(row, "liquidation_price");
  const distance = decimalIn(row, "liquidation_distance");
  if (price === null) return unknownMark();
  if (compare(price, "0") <= 0) return none();
  if (distance === null) return html`${plain}<br>${unknownMark()}`;
  return html`<span class="wide">${plain}</span><br>${distanceHtml(row, view)}`;
}

/** Shows the distance to liquidation, where there is one. */
export function distanceHtml(row: HistoryRow, view: View): Html {
  const distance = decimalIn(row, "liquidation_distance");
  if (distance === null) return html``;
  return html`<small>${shareFigure(distance, view)} distance</small> <meter min="0" low="0.05" high="0.15" optimum="0.5" max="0.5" value="${distance}" title="${distance} of the mark price"></meter>`;
}
