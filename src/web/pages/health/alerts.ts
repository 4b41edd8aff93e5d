/** Renders the alerts that were open at the shown instant, to which the bell of the header leads, the notifications about all alerts, and the rules. */
import { html } from "hono/html";
import { deliveryText, ownSettings, rulesText } from "../../../alerts/in-force.ts";
import { shownSentence } from "../../../alerts/messages.ts";
import { escapeControlChars } from "../../../core/text.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { notifications } from "../../data/health/alert-tables.ts";
import { shownAlerts } from "../../data/health/alerts.ts";
import type { SettingsOf } from "../../data/health/settings.ts";
import type { View } from "../../data/table.ts";
import { type Html, none } from "../parts/figure.ts";
import { alertHtml, lostAlertsHtml } from "../parts/open-alert.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";

export const maxNotifications = 25;

export function alertsHtml(view: View, settings: readonly SettingsOf[]): Html {
  const { alerts, isComplete } = shownAlerts(view);
  const open = alerts.map((one) => html`<li>${alertHtml(one, view)}</li>`);
  const csv = linkTo("/api/alerts.csv", stickyParams(view));
  return html`<section id="alerts" class="table" data-live aria-labelledby="alerts-caption"><h2 id="alerts-caption">Open alerts<a class="csv" href="${csv}" download="alerts.csv">CSV<span class="unseen"> of open alerts</span></a></h2>
${open.length === 0 ? html`<p class="empty">No open alerts.</p>` : html`<ul class="missing">${open}</ul>`}
${isComplete ? "" : lostAlertsHtml}${view.isNow ? settings.map(rulesHtml) : ""}</section>`;
}

const rulesHtml = ({ workers, shown, areInForce }: SettingsOf): Html =>
  html`<p class="note">${workers === "" ? "" : `${escapeControlChars(workers)}: `}${rulesText(shown)} ${areInForce ? deliveryText(shown) : ownSettings}</p>`;

export const notificationsHtml = (view: View, rows: readonly HistoryRow[]): Html =>
  tableHtml({
    table: notifications,
    view,
    caption: "Notifications",
    columns: columnsFor(
      notifications,
      view,
      ["at", "state", "sentence", ...(view.isNow ? ["delivery", "attempts", "problem"] : [])],
      cellsOf(view),
    ),
    rows,
    empty: "No notifications sent.",
    maxRows: maxNotifications,
  });

const marks: Record<string, string> = { fired: "▲", recovered: "●", closed: "–" };

const cellsOf = ({ timezone }: View): Record<string, CellRenderer> => ({
  state: ({ state }) =>
    html`<span class="state ${state === "fired" ? "stale" : "fresh"}">${marks[String(state)] ?? ""} ${String(state)}</span>`,
  sentence: ({ kind, what, sentence }) => {
    const message = { kind: String(kind), what: String(what), sentence: String(sentence) };
    return html`${escapeControlChars(shownSentence(message, timezone))}`;
  },
  problem: (row, plain) => (row.problem === null ? none() : plain),
});
