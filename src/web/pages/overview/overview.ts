/** The overview: what the accounts made, what can hurt them, and whether the data can be trusted. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { shownMoney } from "../../../output/shown.ts";
import type { Readers } from "../../curves/profit/profit-curve.ts";
import { balances } from "../../data/balances.ts";
import { equity, totals } from "../../data/equity.ts";
import { shownAlerts } from "../../data/health/alerts.ts";
import { attentionIn } from "../../data/overview/attention.ts";
import { readMargins } from "../../data/overview/margin.ts";
import { positions } from "../../data/positions/open.ts";
import { readResults } from "../../data/results/results.ts";
import { allRows, type View } from "../../data/table.ts";
import { chartHtml } from "../parts/chart.ts";
import { equityViews, standardSpans } from "../parts/chart-views.ts";
import type { Html } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { accountsHtml } from "./accounts.ts";
import { allocationHtml } from "./allocation.ts";
import { attentionHtml } from "./attention.ts";
import { eventsHtml, readEvents } from "./events.ts";
import { positionsHtml } from "./positions.ts";
import { tilesHtml } from "./tiles.ts";

export function* overviewPage(view: View, _c: Context, { paid }: Readers): Steps<Html> {
  const found = yield* totals(view);
  const results = yield* readResults(view);
  const open = yield* allRows(positions, view);
  const margins = yield* readMargins(view, open);
  const held = yield* allRows(balances, { ...view, params: {} });
  const { alerts, isComplete } = shownAlerts(view);
  const attention = attentionIn(view, { alerts, positions: open, margins, balances: held });
  const accounts = yield* allRows(equity, view);
  const events = yield* readEvents(view, paid);
  const days = linkTo("/performance", stickyParams(view), { by: "day" });
  const by = view.params.allocation === "wallet" ? "wallet" : "coin";
  return layout({
    title: "Overview",
    path: "/",
    ...(found.now.value === null ? {} : { figure: shownMoney(found.now.value) }),
    view,
    params: by === "wallet" ? { allocation: by } : {},
    body: html`${tilesHtml(view, { totals: found, results, positions: open })}
<div class="overview">
${attentionHtml(view, attention, isComplete)}
${chartHtml({
  id: "equity-curve",
  title: "Equity, USDT",
  of: "equity",
  view,
  spans: standardSpans,
  views: equityViews,
  table: html`<p><a href="${days}">Daily values as a table</a></p>`,
  events: eventsHtml(view, events),
})}
${positionsHtml(view, open)}
${allocationHtml(view, held, margins, by)}
</div>
${accounts.length === 1 && accounts[0]?.state === "complete" ? "" : accountsHtml(view, accounts)}`,
  });
}
