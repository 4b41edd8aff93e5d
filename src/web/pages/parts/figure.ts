/** Figures, instants and states as people read them: digit for digit, and where there is no room for all, seen to be cut. */
import { html } from "hono/html";
import { Temporal } from "temporal-polyfill";
import { compare, isZero, multiply } from "../../../core/decimal.ts";
import type { Cell, DecimalString } from "../../../core/domain.ts";
import { escapeControlChars } from "../../../core/text.ts";
import type { Kind } from "../../data/table.ts";

export type Html = ReturnType<typeof html>;

/** Digits that a cell has room for, beside leading zeros. */
const maxDigits = 8;

/** "12345.678901234" -> "12,345.678…": grouped, and where it is cut that is seen. */
export function shorten(digits: DecimalString, digitLimit = maxDigits): string {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(digits) ?? [];
  if (whole === "") return digits;
  const zeros = whole === "0" ? (/^0*/.exec(fraction)?.[0].length ?? 0) : 0;
  const places = Math.max(2, zeros + digitLimit - (whole === "0" ? 2 : whole.length));
  const [shown, rest] = [fraction.slice(0, places), fraction.slice(places)];
  return `${sign}${grouped(whole)}${shown ? `.${shown}` : ""}${/[1-9]/.test(rest) ? "…" : ""}`;
}

export const grouped = (whole: string): string => whole.replace(/\B(?=(\d{3})+$)/g, ",");

export const unknown = (word = "unknown"): Html => html`<span class="unknown">${word}</span>`;

/** What is known not to be. */
export const none = (word = "none"): Html => html`<span class="none">${word}</span>`;

/** The whole figure is its value, and what a pointer that rests on it shows. */
export const figure = (digits: DecimalString): Html =>
  html`<data value="${digits}" title="${digits}">${shorten(digits)}</data>`;

/** Every digit, for the one figure that a page is about. */
export function wholeFigure(digits: DecimalString): Html {
  const [whole = "", fraction] = digits.split(".");
  const [, sign = "", number = whole] = /^(-?)(\d+)$/.exec(whole) ?? [];
  return html`<data value="${digits}">${sign}${grouped(number)}${fraction ? html`<small>.${fraction}</small>` : ""}</data>`;
}

/** With its sign, and an arrow for those who see no colours. */
export function changeFigure(digits: DecimalString): Html {
  if (isZero(digits)) return html`<data class="change" value="${digits}">0</data>`;
  const isUp = compare(digits, "0") > 0;
  return html`<data class="change ${isUp ? "up" : "down"}" value="${digits}" title="${digits}"><span aria-hidden="true">${isUp ? "▲" : "▼"}</span>${isUp ? "+" : ""}${shorten(digits)}</data>`;
}

/** 0.0421 -> "4.21 %". */
export const shareFigure = (digits: DecimalString): Html =>
  html`<data value="${digits}" title="${digits}">${shorten(multiply(digits, "100"), 3)} %</data>`;

/** Such as "2026-11-22 15:34:45", in the time zone of the site; the title has it in UTC. */
export function instantFigure(at: number | string, timezone: string): Html {
  const instant = Temporal.Instant.from(typeof at === "string" ? at : new Date(at).toISOString());
  return html`<time datetime="${instant.toString()}" title="${instant.toString()}">${localText(instant.epochMilliseconds, timezone)}</time>`;
}

export const localText = (at: number, timezone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timezone)
    .toPlainDateTime()
    .toString({ smallestUnit: "second" })
    .replace("T", " ");

export function cellHtml(kind: Kind, cell: Cell | undefined, timezone: string): Html {
  if (cell === null || cell === undefined) return unknown();
  const text = escapeControlChars(String(cell));
  if (kind === "amount") return figure(text);
  if (kind === "change") return changeFigure(text);
  if (kind === "share") return shareFigure(text);
  if (kind === "instant") return instantFigure(text, timezone);
  return html`${text}`;
}
