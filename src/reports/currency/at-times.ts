/** Adds columns in another currency to a report whose amounts are of times that its rows name: each with the rate of the day of its time. */
import { pause } from "../../core/async/cooperate.ts";
import { asDecimal, multiply } from "../../core/decimal.ts";
import type { Cell } from "../../core/domain.ts";
import { periodOf } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { Report } from "../report.ts";
import type { Rate, RateOf, ReportInCurrency } from "./rates.ts";

/**
 * Returns the report with its amounts of USDT also in a currency. What a day brought has the rate of the last of these times if that is
 * of the day, and none in a month, which has many.
 */
export function inCurrencyAtTimes(
  report: Report,
  currency: string,
  ratesOf: (source: Source) => RateOf,
): ReportInCurrency {
  const { atTimes = {}, during = [] } = report.money ?? {};
  const [names, suffix] = [Object.keys(atTimes), `_${currency.toLowerCase()}`];
  const placeOf = (name: string) => report.columns.indexOf(name);
  const unrated = new Set<string>();
  const rateColumns = (name: string) => [`${name}_rate`, `${name}_rate_source`, `${name}_rate_at`];
  return {
    ...report,
    unrated,
    columns: [
      ...report.columns,
      ...[...names, ...during].map((name) => `${name}${suffix}`),
      ...names.flatMap(rateColumns),
    ],
    *rows(source, span) {
      const rows: Cell[][] = [];
      // While a report is read, nothing else can be.
      for (const row of report.rows(source, span)) {
        if (row === pause) yield pause;
        else rows.push(row);
      }
      const rateOf = ratesOf(source);
      const rates = new Map<string, Rate | null>();
      for (const row of rows) {
        const found: { day: string; rate: Rate | null }[] = [];
        for (const name of names) {
          const at = row[placeOf(atTimes[name] ?? "")];
          const day = at === null || at === undefined ? null : periodOf(span.timezone, "day", Date.parse(String(at)));
          if (day && !rates.has(day.name)) rates.set(day.name, yield* rateOf(day));
          const rate = (day && rates.get(day.name)) ?? null;
          if (day && !rate) unrated.add(day.name);
          found.push({ day: day?.name ?? "", rate });
        }
        const last = found.at(-1);
        const converted = (name: string, rate: Rate | null | undefined): Cell => {
          const amount = asDecimal(row[placeOf(name)]);
          return amount !== null && rate ? multiply(amount, rate.rate) : null;
        };
        yield [
          ...row,
          ...names.map((name, at) => converted(name, found[at]?.rate)),
          ...during.map((name) => converted(name, last?.day === row[placeOf("day")] ? last?.rate : null)),
          ...found.flatMap(({ rate }) => [rate?.rate ?? null, rate?.source ?? null, rate?.at ?? null]),
        ];
      }
    },
  };
}
