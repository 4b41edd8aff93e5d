/** Renders an alert that was open at the shown instant. */
import { html } from "hono/html";
import { shownSentence, shownSubject } from "../../../alerts/messages.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { escapeControlChars } from "../../../core/text.ts";
import type { ShownAlert } from "../../data/health/alerts.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure, shareFigure } from "./figure.ts";

/**
 * Returns its sentence, without the word "Alert", and since when; where the figure of the shown instant is known, with that and the one at
 * firing, else with the words that its figures are those of firing.
 */
export function alertHtml(alert: ShownAlert, view: View, present: DecimalString | null = null): Html {
  const { account, kind, fired, firedAt, isCertain } = alert;
  const doubt = isCertain ? "" : "; its rule was switched off since, maybe before this time";
  const since = html`since ${instantFigure(firedAt, view.timezone)}`;
  const subject = `${account}: ${shownSubject(alert)}`;
  if (present === null) {
    const sentence = fired ? shownSentence(fired, view.timezone).replace(/^Alert: /, "") : `${subject}: ${kind}`;
    return html`${escapeControlChars(sentence)} <small>${since}${fired ? ", with the figures of then" : ""}${doubt}</small>`;
  }
  const isDistance = kind === "liquidation-distance";
  const figure = (share: DecimalString) => shareFigure(share, view, isDistance ? "down" : "up");
  const then = fired?.value ? html`(at firing ${figure(fired.value)}) ` : "";
  return html`${escapeControlChars(subject)} ${isDistance ? "is" : "has a margin ratio of"} ${figure(present)}${isDistance ? " from its liquidation" : ""} <small>${then}${since}${doubt}</small>`;
}

export const lostAlertsHtml = html`<p class="note">The notifications of this time are no longer kept: more alerts may have been open.</p>`;
