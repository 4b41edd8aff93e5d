/** Renders the page of data health: the state of each dataset, a calendar of coverage, and the gaps. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { publicAccount } from "../../../core/domain.ts";
import { type Period, periodOf, startOfDate } from "../../../queries/periods.ts";
import type { SlotCounts } from "../../../store/history.ts";
import { notRunning } from "../../daemon-state.ts";
import { daysShown } from "../../data/comparison-periods.ts";
import { causeDescriptions, collection, countSlots, hoursOf, lastDays, workers } from "../../data/health/collection.ts";
import { gaps } from "../../data/health/gaps.ts";
import { stretchesOf } from "../../data/ledger/reconciliation.ts";
import { allRows, type View } from "../../data/table.ts";
import { badRequest } from "../../site.ts";
import { countsText } from "../ledger/verdict.ts";
import { type Html, localText, none, unknown } from "../parts/figure.ts";
import { walletLabel } from "../parts/labels.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams, textParam } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";
import { alertsHtml } from "./alerts.ts";

const maxGaps = 50;

export function* collectionPage(view: View, c: Context): Steps<Html> {
  const day = dayParam(c, view);
  const rows = yield* allRows(collection, view);
  const recording = yield* allRows(workers, view);
  const missing = yield* allRows(gaps, view, maxGaps + 1);
  const calendar = yield* calendarHtml(view, day);
  return layout({
    title: "Data health",
    path: "/collection",
    view,
    params: day ? { day: day.name } : {},
    body: [
      alertsHtml(view),
      tableHtml({
        table: collection,
        view,
        caption: "Datasets",
        columns: columnsFor(collection, view, undefined, { ...statusCells, next_at: nextCell(view) }),
        rows,
        empty: "No feeds scheduled.",
      }),
      ...(recording.length > 0
        ? [
            tableHtml({
              table: workers,
              view,
              caption: "Workers",
              columns: columnsFor(workers, view, undefined, workerCells),
              rows: recording,
              empty: "",
            }),
          ]
        : []),
      reconciledHtml(view),
      calendar,
      tableHtml({
        table: gaps,
        view,
        caption: `Gaps in the last ${daysShown} days`,
        columns: columnsFor(gaps, view, undefined, gapCells),
        rows: missing,
        empty: `No gaps in the last ${daysShown} days.`,
        maxRows: maxGaps,
      }),
    ],
  });
}

/** Returns the verdicts on the exchange's ledger in numbers, a link to its page. */
function reconciledHtml(view: View): Html {
  const counts = countsText(stretchesOf({ ...view, params: {} }));
  return html`<section id="reconciled" data-live aria-labelledby="reconciled-caption"><h2 id="reconciled-caption">The exchange's ledger</h2>
<p>${counts === "" ? none("Nothing reconciled.") : html`Stretches by verdict: ${counts}.`} <a href="${linkTo("/reconciliation", stickyParams(view))}">Reconciliation</a></p></section>`;
}

/** Returns the day to show by hour, or null to show days. @throws HTTPException 400 */
function dayParam(c: Context, { timezone, at }: View): Period | null {
  const text = textParam(c, "day");
  if (text === null) return null;
  const start = startOfDate(text, timezone);
  if (start === null) throw badRequest('"day" must be a date such as 2026-11-01.');
  if (start > at) throw badRequest('"day" is in the future.');
  return periodOf(timezone, "day", start);
}

const stateLabels: Record<string, string> = {
  fresh: "● Up to date",
  stale: "▲ Stale",
  "not offered": "– Not available",
};

/** Shows no next run while no process collects. */
const nextCell =
  ({ daemon: { daemon } }: View): CellRenderer =>
  (_row, plain) =>
    daemon === notRunning ? none("–", "the collector is not running") : plain;

const noneWithoutError: CellRenderer = (row, plain) => (row.trouble_at === null ? none() : plain);

const statusCells: Record<string, CellRenderer> = {
  state: ({ state }) =>
    html`<span class="state ${String(state).replace(" ", "-")}">${stateLabels[String(state)] ?? state}</span>`,
  last_ok_at: (row, plain) => (row.last_ok_at === null ? unknown("never") : plain),
  trouble_at: noneWithoutError,
  trouble: noneWithoutError,
};

const workerCells: Record<string, CellRenderer> = {
  state({ state }) {
    if (state === "unknown") return unknown();
    return state === "live"
      ? html`<span class="state fresh">● Live</span>`
      : html`<span class="state stale">▲ Gone</span>`;
  },
  paused_until: (row, plain) => (row.paused_until === null ? none() : plain),
};

const gapCells: Record<string, CellRenderer> = {
  to_at: (row, plain) => (row.to_at === null ? html`now` : plain),
  product_type: ({ product_type: type }) => html`${type === null ? "All" : walletLabel(String(type))}`,
  cause: ({ cause }, plain) => html`${causeDescriptions[String(cause)] ?? plain}`,
};

/** Returns the calendar: a row for each day, or for each hour of `day`. */
function* calendarHtml(view: View, day: Period | null): Steps<Html> {
  const periods = day ? hoursOf(day) : lastDays(view);
  const found = yield* countSlots(view, periods);
  const series = [...new Map(found.map(({ series }) => [series.id, series])).values()];
  const several =
    new Set(series.filter(({ account }) => account !== publicAccount).map(({ account }) => account)).size > 1;
  const kept = stickyParams(view);
  const csv = linkTo("/api/slots.csv", kept);
  return html`<section id="calendar" class="table" data-live aria-labelledby="calendar-caption">
<h2 id="calendar-caption">${day ? html`Coverage of ${day.name} by hour` : "Coverage by day"}<a class="csv" href="${csv}" download="slots.csv">CSV<span class="unseen"> of coverage</span></a></h2>
<p class="key">${Object.entries(marks).map(([name, mark]) => html`<span class="slot ${name}">${mark}</span> ${name} `)}
${day ? html`<a href="${linkTo("/collection", kept)}">Back to all days</a>` : ""}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Calendar">
<table class="calendar">
<thead><tr><th scope="col">${day ? "Hour" : "Day"}</th>${series.map(({ account, dataset }) => html`<th scope="col">${several && account !== publicAccount ? html`<small>${account}</small><br>` : ""}${dataset}</th>`)}</tr></thead>
<tbody>
${periods.map(
  (
    period,
  ) => html`<tr><th scope="row">${day ? localText(period.from, view.timezone).slice(11, 16) : html`<a href="${linkTo("/collection", kept, { day: period.name })}">${period.name}</a>`}</th>
${series.map(({ id }) => slotCell(found.find((one) => one.period === period && one.series.id === id)?.counts))}</tr>`,
)}
</tbody>
</table>
</div>
</section>`;
}

const marks = { ok: "●", partial: "◐", failed: "✕", missed: "○", skipped: "–" };
/** The states from worst to best: a cell shows the worst one. */
const severity = ["missed", "failed", "partial", "skipped", "ok"] as const;

function slotCell(counts: SlotCounts | undefined): Html {
  const worst = counts && severity.find((state) => counts[state] > 0);
  if (!counts || !worst) return html`<td class="slot none"><span class="unseen">not scheduled</span></td>`;
  const all = severity.toReversed().flatMap((state) => (counts[state] > 0 ? `${counts[state]} ${state}` : []));
  const why = counts.causes.map(([cause, slots]) => `${cause}: ${slots}`).join("; ");
  return html`<td class="slot ${worst}" title="${all.join(", ")} of ${counts.due}${why ? ` (${why})` : ""}"><span aria-hidden="true">${marks[worst]}${worst === "ok" ? "" : ` ${counts[worst]}`}</span><span class="unseen">${all.join(", ")}</span></td>`;
}
