/** Adds columns in another currency to a report: with the rate of the row's own day, its source and its time, or empty. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { asDecimal, multiply } from "../../core/decimal.ts";
import type { Cell } from "../../core/domain.ts";
import { periodOf, periodsOf, type Span } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { Report } from "../report.ts";
import { inCurrencyAtTimes } from "./at-times.ts";
import type { Rate, RateOf, ReportInCurrency } from "./rates.ts";

/**
 * Returns the report with its amounts of USDT also in a currency. Values at the close have the rate of the day of the close; what a day
 * brought has the rate of that day, and no rate in a month, which has many.
 */
export function inCurrency(report: Report, currency: string, ratesOf: (source: Source) => RateOf): ReportInCurrency {
  const { atClose = [], during = [], atTimes } = report.money ?? {};
  if (atTimes) return inCurrencyAtTimes(report, currency, ratesOf);
  const suffix = `_${currency.toLowerCase()}`;
  const converted = [...atClose, ...during];
  const unrated = new Set<string>();
  return {
    ...report,
    unrated,
    columns: [...report.columns, ...converted.map((name) => `${name}${suffix}`), "rate", "rate_source", "rate_at"],
    *rows(source, span) {
      const places = converted.map((name) => report.columns.indexOf(name));
      const dayAt = report.columns.indexOf("day");
      // A report may keep its reading open between rows, during which nothing else can be read.
      const rates = yield* ratesIn(span, ratesOf(source), source.now);
      for (const row of report.rows(source, span)) {
        if (row === pause) {
          yield pause;
          continue;
        }
        const { day = "", rate = null } = rates.get(String(row[dayAt])) ?? {};
        if (!rate && places.some((place) => row[place] !== null)) unrated.add(day);
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

/** A day, and its rate; null if there is none. */
interface DayRate {
  day: string;
  rate: Rate | null;
}

/** Returns the rate of each period of a span by its name: that of its last day, or of today in one that has not ended. */
function* ratesIn(span: Span, rateOf: RateOf, now: number): Steps<ReadonlyMap<string, DayRate>> {
  const rates = new Map<string, DayRate>();
  for (const { name, to } of periodsOf(span)) {
    const day = periodOf(span.timezone, "day", Math.min(to - 1, now));
    rates.set(name, { day: day.name, rate: yield* rateOf(day) });
  }
  return rates;
}
