/** Parses what a report is of: a month, a year, or dates, in a time zone. */
import type { Context } from "hono";
import { type Period, periodOf, type Span, type Step, startOfDate, steps } from "../../../queries/periods.ts";
import { timezoneProblem } from "../../../settings/timezone.ts";
import { badRequest, type Site } from "../../site.ts";
import { textParam } from "../parts/query-params.ts";

/** What the parameters of the page choose. */
export interface Choice {
  timezone: string;
  /** `2026-10`, `2026` or `custom`. */
  span: string;
  from: number;
  to: number;
  /** Null: that of the report. */
  by: Step | null;
  /** The parameters, for links. */
  params: Record<string, string>;
}

/** Parses `span`, `from`, `to`, `zone` and `by`; without any it is the current month. @throws HTTPException 400 */
export function parseChoice(c: Context, { timezone: own, now }: Pick<Site, "timezone" | "now">): Choice {
  const timezone = textParam(c, "zone") ?? own;
  const problem = timezoneProblem(timezone);
  if (problem !== null) throw badRequest(`"zone" ${problem}.`);
  const [from, to] = [textParam(c, "from"), textParam(c, "to")];
  const by = textParam(c, "by");
  const step = steps.find((one) => one === by) ?? null;
  if (by !== null && step === null) throw badRequest(`"by" must be ${steps.join(" or ")}.`);
  const zone = timezone === own ? "" : timezone;
  const shared = { zone, by: step ?? "" };
  if (from !== null || to !== null) {
    const dates = { from: dateIn(from, timezone, "from"), to: dateIn(to, timezone, "to") };
    const { to: end } = periodOf(timezone, "day", dates.to);
    if (end <= dates.from) throw badRequest('"to" is before "from".');
    return {
      timezone,
      span: "custom",
      by: step,
      from: dates.from,
      to: end,
      params: { ...shared, from: from ?? "", to: to ?? "" },
    };
  }
  const span = textParam(c, "span") ?? periodOf(timezone, "month", now()).name;
  const period = /^\d{4}-\d\d$/.test(span) ? monthIn(span, timezone) : yearIn(span, timezone);
  if (!period) throw badRequest('"span" must be a month such as 2026-10, or a year.');
  return { timezone, span, by: step, from: period.from, to: period.to, params: { ...shared, span } };
}

/** Returns a month; null for another text. */
export function monthIn(text: string, timezone: string): Period | null {
  const start = /^\d{4}-\d\d$/.test(text) ? startOfDate(`${text}-01`, timezone) : null;
  return start === null ? null : periodOf(timezone, "month", start);
}

function yearIn(text: string, timezone: string): { from: number; to: number } | null {
  if (!/^\d{4}$/.test(text)) return null;
  const [first, last] = [monthIn(`${text}-01`, timezone), monthIn(`${text}-12`, timezone)];
  return first && last && { from: first.from, to: last.to };
}

function dateIn(text: string | null, timezone: string, name: string): number {
  const start = text === null ? null : startOfDate(text, timezone);
  if (start === null) throw badRequest(`"${name}" must be a date such as 2026-10-31.`);
  return start;
}

/** Returns the span of a report, at most from the first run to now. */
export const spanOf = (choice: Choice, otherwise: Step, { first, now }: { first: number; now: number }): Span => ({
  timezone: choice.timezone,
  by: choice.by ?? otherwise,
  from: Math.max(choice.from, first),
  to: Math.min(choice.to, now),
});
