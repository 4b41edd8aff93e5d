/** Formats values, times and states as HTML: exact, and visibly shortened where there is no room for every digit. */
import { html } from "hono/html";
import { Temporal } from "temporal-polyfill";
import { compare, isZero, multiply } from "../../../core/decimal.ts";
import type { Cell, DecimalString } from "../../../core/domain.ts";
import { durationText, escapeControlChars } from "../../../core/text.ts";
import type { Kind } from "../../data/table.ts";

export type Html = ReturnType<typeof html>;

/** Digits shown in a table cell, not counting leading zeros. */
const maxDigits = 8;

/** Returns a decimal with grouped digits, shortened with "…" where digits follow: "12345.678901234" -> "12,345.678…". */
export function shorten(digits: DecimalString, digitLimit = maxDigits): string {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(digits) ?? [];
  if (whole === "") return digits;
  const zeros = whole === "0" ? (/^0*/.exec(fraction)?.[0].length ?? 0) : 0;
  const places = Math.max(2, zeros + digitLimit - (whole === "0" ? 2 : whole.length));
  const [shown, rest] = [fraction.slice(0, places), fraction.slice(places)];
  return `${sign}${grouped(whole)}${shown ? `.${shown}` : ""}${/[1-9]/.test(rest) ? "…" : ""}`;
}

/** Inserts commas between groups of three digits. */
export const grouped = (whole: string): string => whole.replace(/\B(?=(\d{3})+$)/g, ",");

/** Marks a value as unknown, as opposed to one that does not exist. */
export const unknown = (word = "unknown"): Html => html`<span class="unknown">${word}</span>`;

/** Marks a value that is known not to exist, as opposed to an unknown one. */
export const none = (word = "none", title = ""): Html =>
  html`<span class="none"${title ? html` title="${title}"` : ""}>${word}</span>`;

/** Shows a shortened value; the element's value and tooltip contain every digit. */
export const figure = (digits: DecimalString): Html =>
  html`<data value="${digits}" title="${digits}">${shorten(digits)}</data>`;

/** Shows every digit, for the main value of a page. */
export function wholeFigure(digits: DecimalString): Html {
  const [whole = "", fraction] = digits.split(".");
  const [, sign = "", number = whole] = /^(-?)(\d+)$/.exec(whole) ?? [];
  return html`<data value="${digits}">${sign}${grouped(number)}${fraction ? html`<small>.${fraction}</small>` : ""}</data>`;
}

/** Shows a change with its sign, and with an arrow, because colours alone are not accessible. */
export function changeFigure(digits: DecimalString): Html {
  if (isZero(digits)) return html`<data class="change" value="${digits}">0</data>`;
  const isUp = compare(digits, "0") > 0;
  return html`<data class="change ${isUp ? "up" : "down"}" value="${digits}" title="${digits}"><span aria-hidden="true">${isUp ? "▲" : "▼"}</span>${isUp ? "+" : ""}${shorten(digits)}</data>`;
}

/** Shows a share in per cent: 0.0421 -> "4.21 %". */
export const shareFigure = (digits: DecimalString): Html =>
  html`<data value="${digits}" title="${digits}">${shorten(multiply(digits, "100"), 3)} %</data>`;

/** Shows a time (epoch ms or ISO 8601) in the time zone of the dashboard, such as "2026-11-22 15:34:45"; its tooltip is in UTC. */
export function instantFigure(at: number | string, timezone: string): Html {
  const instant = Temporal.Instant.from(typeof at === "string" ? at : new Date(at).toISOString());
  return html`<time datetime="${instant.toString()}" title="${instant.toString()}">${localText(instant.epochMilliseconds, timezone)}</time>`;
}

/** Returns a time (epoch ms) in a time zone, such as "2026-11-22 15:34:45". */
export const localText = (at: number, timezone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timezone)
    .toPlainDateTime()
    .toString({ smallestUnit: "second" })
    .replace("T", " ");

/** Renders a cell by its kind; a missing or null one is shown as unknown. */
export function cellHtml(kind: Kind, cell: Cell | undefined, timezone: string): Html {
  if (cell === null || cell === undefined) return unknown();
  const text = escapeControlChars(String(cell));
  if (kind === "amount") return figure(text);
  if (kind === "change") return changeFigure(text);
  if (kind === "share") return shareFigure(text);
  if (kind === "instant") return instantFigure(text, timezone);
  if (kind === "duration") return html`<data value="${text}">${durationText(Number(cell))}</data>`;
  return html`${text}`;
}
