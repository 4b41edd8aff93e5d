/** Renders the results of days as calendars, a month each. */
import { html } from "hono/html";
import { Temporal } from "temporal-polyfill";
import { compare, isZero } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { grouped, shownMoney } from "../../../output/shown.ts";
import {
  coverageOf,
  type DayResult,
  monthResults,
  type PeriodResult,
  type Summed,
} from "../../data/performance/performance.ts";
import type { View } from "../../data/table.ts";
import { type Html, none, profitFigure, shareFigure } from "../parts/figure.ts";

const weekdays = [
  ["Mo", "Monday"],
  ["Tu", "Tuesday"],
  ["We", "Wednesday"],
  ["Th", "Thursday"],
  ["Fr", "Friday"],
  ["Sa", "Saturday"],
  ["Su", "Sunday"],
] as const;

const monthNames = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });

/** Which figure of a day is shown. */
export type Shown = Extract<Summed, "profit" | "change">;

/** Returns a calendar for each month, the newest first. */
export function calendars(days: readonly DayResult[], of: Shown, view: View): Html {
  const months = monthResults(days).toReversed();
  return html`<div class="months">${months.map((month) => {
    const own = new Map(days.filter(({ day }) => day.name.startsWith(month.name)).map((one) => [one.day.name, one]));
    const sum = month[of];
    return html`<table class="pnl-calendar">
<caption>${monthNames.format(Date.parse(month.name))} ${sum === null ? none("not known") : profitFigure(sum, view)}${daysOfSum(month, of)}</caption>
<thead><tr>${weekdays.map(([short, name]) => html`<th scope="col"><abbr title="${name}">${short}</abbr></th>`)}</tr></thead>
<tbody>${weeksOf(month.name).map((week) => html`<tr>${week.map((date) => dayCell(date, date === null ? undefined : own.get(date), { of, view }))}</tr>`)}</tbody>
</table>`;
  })}</div>`;
}

/** Returns the dates of a month (`2026-11`) by week, from Monday on; null is a day of another month. */
function weeksOf(month: string): (string | null)[][] {
  const { year, month: number, daysInMonth } = Temporal.PlainYearMonth.from(month);
  const dates = Array.from({ length: daysInMonth }, (_, at) =>
    Temporal.PlainDate.from({ year, month: number, day: at + 1 }),
  );
  const before = (dates[0]?.dayOfWeek ?? 1) - 1;
  const cells = [...Array<null>(before).fill(null), ...dates.map(String)];
  const weeks = Array.from({ length: Math.ceil(cells.length / 7) }, (_, at) => cells.slice(at * 7, at * 7 + 7));
  return weeks.map((week) => [...week, ...Array<null>(7 - week.length).fill(null)]);
}

function dayCell(date: string | null, result: DayResult | undefined, { of, view }: { of: Shown; view: View }): Html {
  if (date === null) return html`<td></td>`;
  const number = html`<span class="day">${Number(date.slice(8))}</span>`;
  if (!result) return html`<td>${number}</td>`;
  const value = result[of];
  const coverage = coverageOf(result);
  const isGap = coverage !== null && compare(coverage, "1") < 0;
  const classes = [signOf(value), isGap ? "gap" : "", result.isRunning ? "running" : ""].filter((one) => one !== "");
  return html`<td class="${classes.join(" ")}">${number} ${value === null ? none("?", result.unknown.join("; ")) : cellFigure(value, view)}${isGap ? html`<span class="unseen">, coverage ${shareFigure(coverage, view)}</span>` : ""}${result.isRunning ? html`<small>in progress</small>` : ""}</td>`;
}

const signOf = (value: DecimalString | null): string =>
  value === null ? "unknown-day" : isZero(value) ? "even" : compare(value, "0") > 0 ? "up" : "down";

/** Shows a result with its sign; a narrow screen hides the places, which the exact page shows. */
function cellFigure(value: DecimalString, view: View): Html {
  const text = `${compare(value, "0") > 0 ? "+" : ""}${view.isExact ? grouped(value) : shownMoney(value)}`;
  const [, whole = text, places = ""] = /^([^<>.]*)(\.\d+)$/.exec(text) ?? [];
  return html`<data value="${value}" title="${value}">${whole}<span class="places">${places}</span></data>`;
}

/** Says of how many days a sum is where others are unknown; nothing where it is of all, or of none. */
export function daysOfSum({ days, knownDays }: Pick<PeriodResult, "days" | "knownDays">, of: Summed): Html | "" {
  const known = knownDays[of];
  return known === 0 || known === days ? "" : html` <small class="days-known">${known} of ${days} days</small>`;
}
