/** Renders the open alerts, to which the bell of the header leads. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import { describedAlerts } from "../../data/health/alerts.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure } from "../parts/figure.ts";

export function alertsHtml(view: View): Html {
  const open = describedAlerts(view).map(
    ({ sentence, firedAt }) =>
      html`<li>${escapeControlChars(sentence)} <small>since ${instantFigure(firedAt, view.timezone)}</small></li>`,
  );
  return html`<section id="alerts" data-live aria-labelledby="alerts-caption"><h2 id="alerts-caption">Open alerts</h2>
${open.length === 0 ? html`<p class="empty">No open alerts.</p>` : html`<ul class="missing">${open}</ul>`}</section>`;
}
