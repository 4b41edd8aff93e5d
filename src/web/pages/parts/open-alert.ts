/** Renders an alert that was open at the shown instant. */
import { html } from "hono/html";
import { shownSentence, shownSubject } from "../../../alerts/messages.ts";
import { escapeControlChars } from "../../../core/text.ts";
import type { ShownAlert } from "../../data/health/alerts.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure } from "./figure.ts";

/** Returns its sentence, without the word "Alert", and since when. */
export function alertHtml(alert: ShownAlert, view: View): Html {
  const { account, kind, fired, firedAt, isCertain } = alert;
  const sentence = fired ? shownSentence(fired).replace(/^Alert: /, "") : `${account}: ${shownSubject(alert)}: ${kind}`;
  const doubt = isCertain ? "" : "; its rule was switched off since, maybe before this time";
  return html`${escapeControlChars(sentence)} <small>since ${instantFigure(firedAt, view.timezone)}${doubt}</small>`;
}

export const lostAlertsHtml = html`<p class="note">The notifications of this time are no longer kept: more alerts may have been open.</p>`;
