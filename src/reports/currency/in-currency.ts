/** Adds columns in another currency to a report: with the rate of the row's own day, its source and its time, or empty. */
import { pause } from "../../core/async/cooperate.ts";
import { asDecimal, multiply } from "../../core/decimal.ts";
import type { Cell } from "../../core/domain.ts";
import { type Period, periodOf, type Span, startOfDate } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { Report } from "../report.ts";
import type { Rate, RateOf } from "./rates.ts";

/**
 * Returns the report with its amounts of USDT also in a currency. Values at the close have the rate of the day of the close; what a day
 * brought has the rate of that day, and no rate in a month, which has many.
 */
export function inCurrency(report: Report, currency: string, ratesOf: (source: Source) => RateOf): Report {
  const { atClose = [], during = [] } = report.money ?? {};
  const suffix = `_${currency.toLowerCase()}`;
  const converted = [...atClose, ...during];
  return {
    ...report,
    columns: [...report.columns, ...converted.map((name) => `${name}${suffix}`), "rate", "rate_source", "rate_at"],
    *rows(source, span) {
      const rateOf = ratesOf(source);
      const [dayAt, places] = [report.columns.indexOf("day"), converted.map((name) => report.columns.indexOf(name))];
      const known = new Map<string, Rate | null>();
      for (const row of report.rows(source, span)) {
        if (row === pause) {
          yield pause;
          continue;
        }
        const day = dayOf(String(row[dayAt]), span, source.now);
        if (!known.has(day.name)) known.set(day.name, yield* rateOf(day));
        const rate = known.get(day.name) ?? null;
        const cells = places.map((place, at): Cell => {
          const amount = asDecimal(row[place]);
          const hasRate = span.by === "day" || at < atClose.length;
          return amount !== null && rate && hasRate ? multiply(amount, rate.rate) : null;
        });
        yield [...row, ...cells, rate?.rate ?? null, rate?.source ?? null, rate?.at ?? null];
      }
    },
  };
}

/** Returns the day at whose end a row was read: its own, or the last of its month; today in one that has not ended. */
function dayOf(name: string, { timezone, by }: Span, now: number): Period {
  const start = startOfDate(by === "day" ? name : `${name}-01`, timezone) ?? now;
  const { to } = periodOf(timezone, by, start);
  return periodOf(timezone, "day", Math.min(to - 1, now));
}
