/** Renders the page of data health: feeds, coverage, gaps, runs, alerts, integrity, and the system. */
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { notifications } from "../../data/health/alert-tables.ts";
import { collection, countSlots, hoursOf, lastDays, shownDay, workers } from "../../data/health/collection.ts";
import { outages } from "../../data/health/gap-events.ts";
import { runs } from "../../data/health/runs.ts";
import { settingsOf } from "../../data/health/settings.ts";
import { stretchesOf } from "../../data/ledger/reconciliation.ts";
import { allRows, type View } from "../../data/table.ts";
import type { Site } from "../../site.ts";
import { countsText } from "../ledger/verdict.ts";
import { type Html, none } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { alertsHtml, maxNotifications, notificationsHtml } from "./alerts.ts";
import { calendarHtml, coverageOf } from "./coverage.ts";
import { feedsHtml, workersHtml } from "./feeds.ts";
import { integrityHtml } from "./integrity.ts";
import { maxOutages, outagesHtml } from "./outages.ts";
import { maxRunsShown, runsHtml } from "./runs.ts";
import { summaryHtml } from "./summary.ts";
import { systemHtml } from "./system.ts";

export function* collectionPage(view: View, site: Pick<Site, "settings" | "daemon">): Steps<Html> {
  const settings = settingsOf(view, site);
  const day = shownDay(view);
  const { state } = view.params;
  const feeds = yield* allRows(collection, view);
  const recording = yield* allRows(workers, view);
  const days = yield* countSlots(view, lastDays(view));
  const counts = day ? yield* countSlots(view, hoursOf(day, view)) : days;
  const missing = yield* allRows(outages, view, maxOutages + 1);
  const newest = yield* allRows(runs, view, maxRunsShown + 1);
  const sent = yield* allRows(notifications, view, maxNotifications + 1);
  const gaps = { gaps: Math.min(missing.length, maxOutages), hasMore: missing.length > maxOutages };
  return layout({
    title: "Data health",
    path: "/collection",
    view,
    params: { ...(day ? { day: day.name } : {}), ...(state ? { state } : {}) },
    body: [
      summaryHtml(view, { feeds, coverage: coverageOf(days), ...gaps }),
      ...(view.isNow
        ? []
        : [
            html`<p class="note">Coverage and gaps are of the slots up to this time; the outcome of one may have been recorded since.</p>`,
          ]),
      alertsHtml(view, settings),
      feedsHtml(view, feeds),
      ...(recording.length > 0 ? [workersHtml(view, recording)] : []),
      outagesHtml(view, missing),
      calendarHtml(view, day, counts),
      runsHtml(view, newest),
      notificationsHtml(view, sent),
      reconciledHtml(view),
      integrityHtml(view),
      systemHtml(view, settings),
    ],
  });
}

/** Returns the verdicts on the exchange's ledger in numbers, a link to its page. */
function reconciledHtml(view: View): Html {
  const counts = countsText(stretchesOf({ ...view, params: {} }));
  return html`<section id="reconciled" data-live aria-labelledby="reconciled-caption"><h2 id="reconciled-caption">The exchange's ledger</h2>
<p>${counts === "" ? none("Nothing reconciled.") : html`Stretches by verdict${view.isNow ? "" : html` <small>(as judged now)</small>`}: ${counts}.`} <a href="${linkTo("/reconciliation", stickyParams(view))}">Reconciliation</a></p></section>`;
}
