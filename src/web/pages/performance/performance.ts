/** The performance page: what was won and lost, day by day and month by month. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { isZero } from "../../../core/decimal.ts";
import { durationText } from "../../../core/text.ts";
import {
  type DayResult,
  dayResults,
  daysOfSpan,
  extremes,
  monthResults,
  performance,
  type Summed,
  shownSpan,
  summed,
  total,
} from "../../data/performance/performance.ts";
import type { CurrentDrawdown } from "../../data/results/drawdown.ts";
import { allRows, type View } from "../../data/table.ts";
import type { Advance } from "../advance.ts";
import { chartHtml } from "../parts/chart.ts";
import { amountFigure, type Html, instantFigure, none, profitFigure, shareFigure, unknown } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";
import { calendars, daysOfSum, type Shown } from "./calendar.ts";

const spanLabels: Readonly<Record<string, string>> = { "1m": "1 month", "3m": "3 months", "1y": "1 year", all: "All" };

export function* performancePage(view: View, _c: Context, { advance }: { advance: Advance }): Steps<Html> {
  const days = yield* dayResults(view);
  const { from, to } = shownSpan(view);
  const loss = yield* advance.drawdown(view);
  const all = totalOfSpan(days, view);
  const of: Shown = days.some(({ profit }) => profit !== null) || days.length === 0 ? "profit" : "change";
  const params = { span: view.params.span ?? "", by: view.params.by ?? "" };
  return layout({
    title: "Performance",
    path: "/performance",
    view,
    params,
    body: [
      spanLinks(view, params),
      tiles(days, { of, loss, view }),
      html`<section id="calendar" data-live aria-label="Calendar"><h2>${of === "profit" ? "Profit" : "Equity change"} by day, USDT</h2>
${days.length === 0 ? html`<p class="empty">No day is over yet.</p>` : calendars(days, of, view)}
<p class="note"><span class="gap-key"></span> Some snapshots of the day are missing. ${of === "profit" ? "Profit is the change of the equity without what was paid in and out." : "What was paid in and out is unknown: it is part of the change."}</p></section>`,
      ...charts(view, { from, to }),
      all.knownDays[of] < all.days
        ? html`<p class="note">The curves also have what is known of days that are not known as a whole.</p>`
        : html``,
      yield* periods(view, params, { of, days }),
    ],
  });
}

function spanLinks(view: View, params: Record<string, string>): Html {
  const current = params.span || "1m";
  return html`<div class="spans" role="group" aria-label="Span">${Object.entries(spanLabels).map(
    ([span, label]) =>
      html`<a href="${linkTo("/performance", stickyParams(view), params, { span })}"${span === current ? html` aria-current="true"` : ""}>${label}</a>`,
  )}</div>`;
}

interface Tiles {
  of: Shown;
  /** Undefined while it is being read. */
  loss: CurrentDrawdown | null | undefined;
  view: View;
}

/** Sums up the days of the shown span. Those before the first equity are not known either. */
function totalOfSpan(days: readonly DayResult[], view: View): ReturnType<typeof total> {
  const all = total(days);
  return { ...all, days: daysOfSpan(view) ?? all.days };
}

function tiles(days: readonly DayResult[], { of, loss, view }: Tiles): Html {
  const all = totalOfSpan(days, view);
  const { best, worst, won, lost } = extremes(days, of);
  const figure = (value: string | null) => (value === null ? unknown() : profitFigure(value, view));
  const dayTile = (one: typeof best) => (one ? html`${figure(one.value)} <small>${one.day.name}</small>` : none());
  return html`<section id="results" data-live aria-label="Results"><dl>
<div><dt>${of === "profit" ? "Profit" : "Equity change"}, USDT</dt><dd>${days.length === 0 ? none() : figure(all[of])}${daysOfSum(all, of)}</dd></div>
<div><dt>Realised after fees and funding, USDT</dt><dd>${days.length === 0 ? none() : figure(all.net_realized)}${daysOfSum(all, "net_realized")}</dd></div>
<div><dt>Paid in and out, USDT</dt><dd>${all.flows === null ? unknown() : html`${amountFigure(all.flows, view)}${daysOfSum(all, "flows")}`}</dd></div>
<div><dt>Largest drawdown${loss?.isWithoutFlows === false ? " of equity" : ""}, ${lengthText(view)}</dt><dd>${drawdown(loss, view)}</dd></div>
<div><dt>Best day</dt><dd>${dayTile(best)}</dd></div>
<div><dt>Worst day</dt><dd>${dayTile(worst)}</dd></div>
<div><dt>Days won and lost</dt><dd>${won} won, ${lost} lost${all.knownDays[of] < all.days ? `, ${all.days - all.knownDays[of]} not known` : ""}</dd></div>
</dl></section>`;
}

/** Returns how long the shown span is: `30 days`. */
function lengthText(view: View): string {
  const days = daysOfSpan(view);
  return days === null ? "all time" : `${days} days`;
}

/** Returns the largest drawdown, from its peak to its trough, and how much time is not in it. */
function drawdown(loss: CurrentDrawdown | null | undefined, view: View): Html {
  if (loss === undefined) return html`<span data-reading>being read…</span>`;
  if (loss === null) return none();
  const { largest, leftOutMs } = loss;
  const left = leftOutMs === 0 ? "" : html` <small>without ${durationText(leftOutMs)} not known</small>`;
  if (isZero(largest.depth)) return html`0 %${left}`;
  const { peakAt, lowestAt, recoveredAt } = largest;
  return html`${shareFigure(largest.depth, view, "up")} <small>from ${instantFigure(peakAt, view.timezone)} to ${instantFigure(lowestAt, view.timezone)}, ${recoveredAt === null ? "not recovered" : html`recovered ${instantFigure(recoveredAt, view.timezone)}`}</small>${left}`;
}

const charts = (view: View, { from, to }: { from: number; to: number }): Html[] => {
  const range = { view, of: "profit", from: from === 0 ? null : from, to: view.isNow ? null : to };
  return [
    chartHtml({ id: "profit-curve", title: "Cumulative profit, USDT", lines: ["profit"], ...range }),
    chartHtml({ id: "drawdown-curve", title: "Drawdown", lines: ["drawdown"], ...range }),
  ];
};

/** Returns the table by day or by month, the newest first. */
function* periods(
  view: View,
  params: Record<string, string>,
  { of, days }: { of: Shown; days: readonly DayResult[] },
): Steps<Html> {
  const by = params.by || "month";
  const rows = yield* allRows(performance, { ...view, params: { ...view.params, by } });
  const hidden = [
    "unknown",
    "unknown_days",
    "sums_of_days",
    "net_realized",
    ...(of === "profit" ? ["change"] : ["profit", "flows"]),
  ];
  const unused = ["interest"].filter((name) => rows.every((row) => row[name] === null || isZero(String(row[name]))));
  const names = performance.columns
    .map(({ name }) => name)
    .filter((name) => !hidden.includes(name) && !unused.includes(name));
  const label = by === "day" ? "Day" : "Month";
  const labelled = performance.columns.map((one) => (one.name === "period" ? { ...one, label } : one));
  const table = tableHtml({
    table: { ...performance, columns: labelled },
    view: { ...view, params: { ...view.params, by } },
    caption: by === "day" ? "By day, USDT" : "By month, USDT",
    columns: columnsFor({ ...performance, columns: labelled }, view, names, by === "month" ? monthCells(days) : {}),
    rows: rows.toReversed(),
    empty: "No day is over yet.",
    maxRows: 100,
    reasonOf: (row) => (row.unknown === null ? null : `${row.period}: ${row.unknown}`),
  });
  const link = (other: string, label: string) =>
    html`<a href="${linkTo("/performance", stickyParams(view), params, { by: other })}#performance"${other === by ? html` aria-current="true"` : ""}>${label}</a>`;
  return html`<div class="spans" role="group" aria-label="Rows">${link("month", "By month")}${link("day", "By day")}</div>${table}`;
}

/** Says in the cells of a month of how many of its days each sum is. */
function monthCells(days: readonly DayResult[]): Record<string, CellRenderer> {
  const months = new Map(monthResults(days).map((one) => [one.name, one]));
  const cellOf = (name: Summed): CellRenderer => {
    return ({ period }, plain) => {
      const month = months.get(String(period));
      return month ? html`${plain}${daysOfSum(month, name)}` : plain;
    };
  };
  return Object.fromEntries(summed.map((name) => [name, cellOf(name)]));
}
