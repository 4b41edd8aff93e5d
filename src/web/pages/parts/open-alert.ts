/** Renders an alert that was open at the shown instant. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import type { ShownAlert } from "../../data/health/alerts.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure } from "./figure.ts";

/** Returns its sentence, without the word "Alert", and since when. */
export function alertHtml({ account, kind, what, fired, firedAt, isCertain }: ShownAlert, view: View): Html {
  const sentence = fired?.sentence.replace(/^Alert: /, "") ?? `${account}: ${what}: ${kind}`;
  const doubt = isCertain ? "" : "; its rule was switched off since, maybe before this time";
  return html`${escapeControlChars(sentence)} <small>since ${instantFigure(firedAt, view.timezone)}${doubt}</small>`;
}

export const lostAlertsHtml = html`<p class="note">The notifications of this time are no longer kept: more alerts may have been open.</p>`;
