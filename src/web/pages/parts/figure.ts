/** Formats values, times and states as HTML: cut to the places of their kind, or on an exact page with every digit. */
import { html } from "hono/html";
import { Temporal } from "temporal-polyfill";
import { compare, decimalIn, isZero, multiply, places } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { durationText, escapeControlChars } from "../../../core/text.ts";
import {
  type Cut,
  grouped,
  isStable,
  shownMoney,
  shownPercent,
  shownPrice,
  shownQuantity,
} from "../../../output/shown.ts";
import { localText } from "../../../queries/periods.ts";

export { localText } from "../../../queries/periods.ts";

import type { HistoryRow } from "../../../store/history.ts";
import type { Column, View } from "../../data/table.ts";

export type Html = ReturnType<typeof html>;

/** Marks a value as unknown, as opposed to one that does not exist. */
export const unknown = (word = "unknown"): Html => html`<span class="unknown">${word}</span>`;

/** Marks a figure of a table as unknown, of which a note below the table says more. */
export const unknownMark = (): Html =>
  html`<span class="unknown" role="img" aria-label="not known" title="not known">?</span>`;

/** Marks a value that is known not to exist, as opposed to an unknown one. */
export const none = (word = "none", title = ""): Html =>
  html`<span class="none"${title ? html` title="${title}"` : ""}>${word}</span>`;

/** Shows a figure as `shown`; the element's value and tooltip have every digit, and on an exact page its text has them too. */
const figure = (digits: DecimalString, shown: string, { isExact }: Pick<View, "isExact">): Html =>
  html`<data value="${digits}" title="${digits}">${isExact ? grouped(digits) : shown}</data>`;

/** Shows an amount of USDT, or of another coin. */
export const amountFigure = (digits: DecimalString, view: Pick<View, "isExact">, coin = "USDT"): Html =>
  figure(digits, shownAmount(digits, coin), view);

const shownAmount = (digits: DecimalString, coin: string): string =>
  isStable(coin) ? shownMoney(digits) : shownQuantity(digits);

/** Shows a gain or loss with its sign, and with an arrow, because colours alone are not accessible. */
export function profitFigure(digits: DecimalString, view: Pick<View, "isExact">, coin = "USDT"): Html {
  if (isZero(digits)) return html`<data class="change" value="${digits}">0</data>`;
  const isUp = compare(digits, "0") > 0;
  const shown = view.isExact ? grouped(digits) : shownAmount(digits, coin);
  return html`<data class="change ${isUp ? "up" : "down"}" value="${digits}" title="${digits}"><span aria-hidden="true">${isUp ? "▲" : "▼"}</span>${isUp ? "+" : ""}${shown}</data>`;
}

/** Shows the change of a quantity, which is no gain or loss. */
const changeFigure = (digits: DecimalString, view: View, coin: string): Html =>
  compare(digits, "0") > 0
    ? html`<data value="${digits}" title="${digits}">+${view.isExact ? grouped(digits) : shownAmount(digits, coin)}</data>`
    : amountFigure(digits, view, coin);

/** Shows a share in per cent: 0.0421 -> "4.21 %". */
export const shareFigure = (digits: DecimalString, { isExact }: Pick<View, "isExact">, cut: Cut = "down"): Html =>
  html`<data value="${digits}" title="${digits}">${isExact ? grouped(multiply(digits, "100")) : shownPercent(digits, cut)} %</data>`;

/** Shows a time (epoch ms or ISO 8601) in the time zone of the dashboard, such as "2026-11-22 15:34:45"; its tooltip is in UTC. */
export function instantFigure(at: number | string, timezone: string): Html {
  const instant = Temporal.Instant.from(typeof at === "string" ? at : new Date(at).toISOString());
  return html`<time datetime="${instant.toString()}" title="${instant.toString()}">${localText(instant.epochMilliseconds, timezone)}</time>`;
}

/** Returns how long before the shown instant a time (epoch ms or ISO 8601) was, such as "14 min ago". */
export function ageText(time: number | string, { at, isNow }: Pick<View, "at" | "isNow">): string {
  const age = durationText(Math.max(0, at - (typeof time === "string" ? Date.parse(time) : time)));
  return `${age} ${isNow ? "ago" : "before"}`;
}

/** Shows how long before the shown instant a time was; its tooltip has the time. */
export function ageHtml(time: number | string, view: View): Html {
  const { timezone } = view;
  const instant = typeof time === "string" ? Date.parse(time) : time;
  return html`<small class="age" title="as of ${localText(instant, timezone)} ${timezone}">${ageText(instant, view)}</small>`;
}

/** Shows a last known value: faded, with its age. */
export const lastKnownHtml = (value: Html, time: number | string, view: View): Html =>
  html`<span class="last-known">${value} ${ageHtml(time, view)}</span>`;

/** Renders a cell of a row by the kind of its column; a missing or null one is marked as unknown, and so is an unknown state. */
export function cellHtml(column: Column, row: HistoryRow, view: View): Html {
  const cell = row[column.name];
  if (cell === null || cell === undefined || (cell === "unknown" && column.name === "state")) return unknownMark();
  const text = escapeControlChars(String(cell));
  const { kind, cut, morePlaces = 0 } = column;
  const coin = !column.coin ? "USDT" : String(row[column.coin] ?? view.params[column.coin] ?? "");
  const mark = decimalIn(row, "mark_price");
  if (kind === "amount") return amountFigure(text, view, coin);
  if (kind === "change") return changeFigure(text, view, coin);
  if (kind === "profit") return profitFigure(text, view, coin);
  if (kind === "price") return figure(text, shownPrice(text, mark === null ? null : places(mark) + morePlaces), view);
  if (kind === "share") return shareFigure(text, view, cut);
  if (kind === "instant") return instantFigure(text, view.timezone);
  if (kind === "duration") return html`<data value="${text}">${durationText(Number(cell))}</data>`;
  return html`${text}`;
}
