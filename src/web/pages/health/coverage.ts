/** Renders the coverage of each feed by day or by hour. */
import { html } from "hono/html";
import { publicAccount } from "../../../core/domain.ts";
import { shareText } from "../../../core/text.ts";
import type { Period } from "../../../queries/periods.ts";
import type { SlotCounts } from "../../../store/history.ts";
import type { PeriodCounts } from "../../data/health/collection.ts";
import type { View } from "../../data/table.ts";
import { type Html, localText } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";

/** Returns the calendar: a row for each day, or for each hour of `day`. */
export function calendarHtml(view: View, day: Period | null, found: readonly PeriodCounts[]): Html {
  const periods = [...new Set(found.map(({ period }) => period))];
  const series = [...new Map(found.map(({ series }) => [series.id, series])).values()];
  const several =
    new Set(series.filter(({ account }) => account !== publicAccount).map(({ account }) => account)).size > 1;
  const kept = stickyParams(view);
  const csv = linkTo("/api/slots.csv", kept, { day: day?.name });
  return html`<section id="calendar" class="table" data-live aria-labelledby="calendar-caption">
<h2 id="calendar-caption">${day ? html`Coverage of ${day.name} by hour` : "Coverage by day"}<a class="csv" href="${csv}" download="slots.csv">CSV<span class="unseen"> of coverage</span></a></h2>
<p class="key">The share of due slots with a complete run; a tooltip has the outcomes. ${Object.entries(levels).map(([name, words]) => html`<span class="share ${name}">${words}</span> `)}
${day ? html`<a href="${linkTo("/collection", kept)}">Back to all days</a>` : ""}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Calendar">
<table class="calendar">
<thead><tr><th scope="col">${day ? "Hour" : "Day"}</th>${series.map(({ account, dataset }) => html`<th scope="col">${several && account !== publicAccount ? html`<small>${account}</small><br>` : ""}${dataset}</th>`)}</tr></thead>
<tbody>
${periods.map(
  (
    period,
  ) => html`<tr><th scope="row">${day ? localText(period.from, view.timezone).slice(11, 16) : html`<a href="${linkTo("/collection", kept, { day: period.name })}">${period.name}</a>`}</th>
${series.map(({ id }) => shareCell(found.find((one) => one.period === period && one.series.id === id)?.counts))}</tr>`,
)}
</tbody>
</table>
</div>
</section>`;
}

const levels = { whole: "100 %", most: "90 % or more", some: "less", nothing: "0 %" };

function shareCell(counts: SlotCounts | undefined): Html {
  if (!counts || counts.due === 0) return html`<td class="share none"><span class="unseen">not scheduled</span></td>`;
  if (!counts.offered) return html`<td class="share none" title="not available for this type of account">–</td>`;
  const { due, ok } = counts;
  const level = ok === due ? "whole" : ok === 0 ? "nothing" : ok / due >= 0.9 ? "most" : "some";
  const outcomes = (["ok", "partial", "failed", "missed", "skipped"] as const).filter((state) => counts[state] > 0);
  const words = `${outcomes.map((state) => `${counts[state]} ${state}`).join(", ")} of ${due}`;
  const why = counts.causes.map(([cause, slots]) => `${cause}: ${slots}`).join("; ");
  return html`<td class="share ${level}" title="${words}${why ? ` (${why})` : ""}">${ok === due ? "100" : shareText(ok / due).replace(" %", "")}<span class="unseen"> %, ${words}</span></td>`;
}

/** Returns the share of all due slots with a complete run; null if none was due. */
export function coverageOf(found: readonly PeriodCounts[]): number | null {
  const offered = found.filter(({ counts }) => counts.offered);
  const due = offered.reduce((all, { counts }) => all + counts.due, 0);
  return due === 0 ? null : offered.reduce((all, { counts }) => all + counts.ok, 0) / due;
}
