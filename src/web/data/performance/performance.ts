/** Defines the table of what was won and lost, by day or month: the selected accounts together. */
import { Temporal } from "temporal-polyfill";
import type { Steps } from "../../../core/async/cooperate.ts";
import { compare, decimalIn, divide, sumOf } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { type Period, periodOf, startOfDays } from "../../../queries/periods.ts";
import { resultIn, sumOfKnown } from "../../../reports/ledger/known-days.ts";
import type { HistoryRow, Span } from "../../../store/history.ts";
import { selectedAccounts } from "../comparison-periods.ts";
import { amount, count, type DataTable, profit, share, text, type View } from "../table.ts";
import { type PnlDay, PnlDays } from "./pnl-days.ts";

/** The terms that a profit consists of, and what changed it besides. */
export const terms = ["realized", "unrealized", "funding", "fees", "interest", "prices"] as const;

const pnlDays = new PnlDays();

/** The spans of the page in days; `all` is the whole history. */
export const spans: Readonly<Record<string, number | null>> = { "1m": 30, "3m": 91, "1y": 365, all: null };

/** The terms that make up what was realised, fees and funding included. */
const realizedTerms = ["realized", "funding", "fees", "interest"] as const;

/**
 * The figures of a day that are summed up: the profit is the change of the equity without what was paid in and out, and consists of the
 * terms; `net_realized` is the sum of those that need no equity.
 */
export const summed = ["profit", "change", "flows", ...terms, "net_realized"] as const;
export type Summed = (typeof summed)[number];

/** The result of a day of the selected accounts together; null is unknown. Unit: USDT. */
export interface DayResult extends Record<Summed, DecimalString | null> {
  day: Period;
  closing: DecimalString | null;
  /** Whether the day is not over. */
  isRunning: boolean;
  /** The equities that were due, and those that are complete. */
  due: number;
  ok: number;
  /** What is unknown. */
  unknown: string[];
}

/** Returns the shown span: whole days up to the end of the shown one. */
export function shownSpan(view: View): Span {
  const { at, timezone } = view;
  const { to } = periodOf(timezone, "day", at);
  const days = daysOfSpan(view);
  return { from: days === null ? 0 : startOfDays(timezone, days, at), to };
}

/** Returns the number of days of the shown span; null for the whole history. */
export const daysOfSpan = ({ params }: View): number | null => spans[params.span ?? "1m"] ?? null;

/** Returns the results of the days of a span, oldest first; default: the shown span. */
export function* dayResults(view: View, of: Span = shownSpan(view)): Steps<DayResult[]> {
  const { history, timezone, at } = view;
  const span = { ...of, timezone, now: at };
  const byDay = new Map<string, PnlDay[]>();
  for (const account of selectedAccounts(view))
    for (const one of yield* pnlDays.of(history, account, span))
      byDay.set(one.day.name, [...(byDay.get(one.day.name) ?? []), one]);
  const days = [...byDay.values()].sort(([a], [b]) => (a?.day.from ?? 0) - (b?.day.from ?? 0));
  return days.flatMap((own) => dayResult(view, own) ?? []);
}

/** Returns the result of a day; null if no account was there before it. An account that is new on a day takes no part in it. */
function dayResult(view: View, all: readonly PnlDay[]): DayResult | null {
  const own = all.filter((one) => !isFirst(one) && !isRemoved(view, one));
  const [first] = own;
  if (!first) return null;
  const total = (name: string) => sumOf(own.map(({ row }) => decimalIn(row, name)));
  const parts = Object.fromEntries(terms.map((name) => [name, total(name)])) as Record<
    (typeof terms)[number],
    DecimalString | null
  >;
  return {
    ...parts,
    day: first.day,
    profit: sumOf(own.map(({ row }) => resultIn(row))),
    change: total("change"),
    flows: total("flows"),
    net_realized: sumOf(realizedTerms.map((name) => parts[name])),
    closing: total("closing"),
    isRunning: first.day.to > view.at,
    due: own.reduce((sum, { due }) => sum + due, 0),
    ok: own.reduce((sum, { ok }) => sum + ok, 0),
    unknown: own.flatMap(({ row, account }) => (row.unknown === null ? [] : `${account}: ${row.unknown}`)),
  };
}

/** Returns whether a day is that of an account's first equity or before it, of which nothing is known. */
const isFirst = ({ row, day, firstAt }: PnlDay): boolean => row.opening === null && firstAt >= day.from;

/** Returns whether an account had left the settings before the end of a day. */
const isRemoved = ({ history, at }: View, { row, day, account }: PnlDay): boolean =>
  row.closing === null && history.accountsRemovedAt(Math.min(at, day.to - 1)).includes(account);

/** The result of a day or of a month. */
export interface PeriodResult extends Omit<DayResult, "day"> {
  name: string;
  from: number;
  /** The number of days. */
  days: number;
  /** The number of days of which each figure is known, and which its sum is of. */
  knownDays: Readonly<Record<Summed, number>>;
}

/** Sums up days by month: each figure is the sum of the days of which it is known. A month has all of its days up to the shown one. */
export function monthResults(days: readonly DayResult[]): PeriodResult[] {
  const months = new Map<string, DayResult[]>();
  for (const one of days) {
    const name = one.day.name.slice(0, 7);
    months.set(name, [...(months.get(name) ?? []), one]);
  }
  return [...months].map(([name, own]) => {
    const running = own.find(({ isRunning }) => isRunning);
    const days = running ? Number(running.day.name.slice(8)) : Temporal.PlainYearMonth.from(name).daysInMonth;
    return { ...total(own), name, from: own[0]?.day.from ?? 0, days };
  });
}

/** Sums up days: each figure is the sum of the days of which it is known. The equity at the end is that of the last day. */
export function total(days: readonly DayResult[]): Omit<PeriodResult, "name" | "from"> {
  const known = summed.map((name) => [name, sumOfKnown(days.map((one) => one[name]))] as const);
  return {
    ...(Object.fromEntries(known.map(([name, { value }]) => [name, value])) as Record<Summed, DecimalString | null>),
    closing: days.at(-1)?.closing ?? null,
    isRunning: days.some(({ isRunning }) => isRunning),
    due: days.reduce((all, { due }) => all + due, 0),
    ok: days.reduce((all, { ok }) => all + ok, 0),
    unknown: [...new Set(days.flatMap(({ unknown }) => unknown))],
    days: days.length,
    knownDays: Object.fromEntries(known.map(([name, { days }]) => [name, days])) as Record<Summed, number>,
  };
}

/** Returns the day with the highest and that with the lowest of the given values; null without any. */
export function extremes(days: readonly DayResult[], of: "profit" | "change") {
  const known = days.flatMap((one) => (one[of] === null ? [] : [{ day: one.day, value: one[of] }]));
  const best = known.reduce<(typeof known)[number] | null>(
    (a, b) => (a && compare(a.value, b.value) >= 0 ? a : b),
    null,
  );
  const worst = known.reduce<(typeof known)[number] | null>(
    (a, b) => (a && compare(a.value, b.value) <= 0 ? a : b),
    null,
  );
  return {
    best,
    worst,
    won: known.filter(({ value }) => compare(value, "0") > 0).length,
    lost: known.filter(({ value }) => compare(value, "0") < 0).length,
  };
}

export const performance: DataTable = {
  name: "performance",
  summary:
    "what the selected accounts won and lost together, by day or month (`by`) over `span` (1m, 3m, 1y, all), oldest first; a month is the sum of its known days, and `sums_of_days` names the figures that are not of all of them",
  columns: [
    text("period", "Day"),
    text("state", "State"),
    profit("profit", "Profit"),
    amount("flows", "Paid in and out"),
    profit("realized", "Realised"),
    profit("unrealized", "Unrealised"),
    profit("funding", "Funding"),
    profit("fees", "Fees"),
    profit("interest", "Interest"),
    profit("prices", "Prices"),
    profit("change", "Equity change"),
    amount("closing", "Equity"),
    share("coverage", "Coverage"),
    count("unknown_days", "Days unknown"),
    text("sums_of_days", "Sums of days"),
    text("unknown", "Unknown"),
    profit("net_realized", "Realised, net"),
  ],
  *rows(view) {
    const days = yield* dayResults(view);
    const isByMonth = view.params.by === "month";
    const periods = isByMonth ? monthResults(days) : days.map((one) => ({ ...total([one]), name: one.day.name }));
    for (const one of periods) yield rowOf(one);
  },
};

const rowOf = (one: Omit<PeriodResult, "from">): HistoryRow => ({
  period: one.name,
  state: stateOf(one),
  profit: one.profit,
  flows: one.flows,
  ...Object.fromEntries(terms.map((name) => [name, one[name]])),
  change: one.change,
  closing: one.closing,
  coverage: coverageOf(one),
  unknown_days: BigInt(one.days - one.knownDays.profit),
  sums_of_days: partialSums(one),
  unknown: one.unknown.length > 0 ? one.unknown.join("; ") : null,
  net_realized: one.net_realized,
});

function stateOf({ isRunning, profit, days, knownDays }: Omit<PeriodResult, "from" | "name">): string {
  if (isRunning) return "in progress";
  return profit === null ? "unknown" : knownDays.profit < days ? "incomplete" : "complete";
}

/** Names the sums that are not of all days, such as `profit 29 of 30; prices 29 of 30`; null if there are none. */
function partialSums({ days, knownDays }: Pick<PeriodResult, "days" | "knownDays">): string | null {
  const partial = summed.filter((name) => knownDays[name] > 0 && knownDays[name] < days);
  return partial.map((name) => `${name} ${knownDays[name]} of ${days}`).join("; ") || null;
}

/** Returns the share of equities that are complete; null where none was due. */
export const coverageOf = ({ due, ok }: { due: number; ok: number }): DecimalString | null =>
  due === 0 ? null : divide(String(ok), String(due));
