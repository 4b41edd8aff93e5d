import { pause, type Steps } from "../core/async/cooperate.ts";
import { freshUntil } from "../core/cron.ts";
import { asDecimal, compare, decimalIn, subtract } from "../core/decimal.ts";
import type { Cell, DecimalString } from "../core/domain.ts";
import { dayMs } from "../core/time.ts";
import { equity as dataset } from "../datasets/snapshots/equity.ts";
import type { ChartLine } from "../output/chart/chart.ts";
import { type Close, createCloses, instantText } from "../queries/close.ts";
import { coverageColumns, createCoverage } from "../queries/coverage.ts";
import { equityOf, missingText, pricedPartOf, unpricedText } from "../queries/equity.ts";
import { type Period, periodOf, periodsOf, type Span } from "../queries/periods.ts";
import { type Source, scheduleAt } from "../queries/source.ts";
import type { ItemCells, ItemPoint } from "../store/history.ts";
import type { Report } from "./report.ts";

/** The equity of an account at a time; null if a part of it is unknown. */
type Value = ItemPoint<DecimalString | null>;

const wallets = ["spot_usdt", "futures_usdt", "other_usdt"];

export const equity: Report = {
  name: "equity",
  summary: "the equity of the account in USDT: close, change, lowest and highest",
  columns: [
    "day",
    "account",
    "opening",
    "closing",
    "change",
    ...wallets,
    "complete",
    "taken_at",
    "lowest",
    "lowest_at",
    "highest",
    "highest_at",
    ...coverageColumns,
    "priced_usdt",
    "unpriced",
    "missing",
  ],
  money: { atClose: ["closing", ...wallets] },
  *rows(source, span) {
    const closesOf = createCloses(source, dataset);
    const coverage = createCoverage(source);
    const periods = [...periodsOf(span)];
    const [first, last] = [periods[0], periods.at(-1)];
    if (!first || !last) return;
    const accounts = coverage.series
      .filter(({ dataset }) => dataset === "equity")
      .map(({ account }) => ({ account, extremesIn: createExtremes(source, account, first.from, last.to) }));
    yield pause;
    let before = byAccount(yield* closesOf(periodOf(span.timezone, span.by, first.from - 1)));
    for (const period of periods) {
      const after = byAccount(yield* closesOf(period));
      for (const { account, extremesIn } of accounts) {
        const { lowest, highest } = yield* extremesIn(period);
        const close = after.get(account);
        // The account did not exist yet.
        if (!close) continue;
        const [opening, end] = [equityOf(before.get(account)), equityOf(close)];
        const row = close.rows[0];
        yield [
          period.name,
          account,
          opening,
          end,
          opening !== null && end !== null ? subtract(end, opening) : null,
          ...wallets.map((name) => decimalIn(row, name)),
          row?.complete ?? null,
          instantText(close.takenAt),
          ...cellsOf(lowest),
          ...cellsOf(highest),
          ...(yield* coverage.cells(period, account, "equity")),
          pricedPartOf(row),
          unpricedText(row),
          missingText(row),
        ];
      }
      before = after;
    }
  },
  *chart(source, span) {
    const { timezone, from, to } = span;
    const lines: ChartLine[] = [];
    for (const { id, account, dataset } of source.history.series(source.account))
      if (dataset === "equity") lines.push({ name: account, points: yield* withGaps(source, id, account, span) });
    return { title: "Equity", unit: "USDT", timezone, from, to, lines };
  },
};

const byAccount = (closes: readonly Close[]): Map<string, Close> =>
  new Map(closes.map((close) => [close.account, close]));

const cellsOf = (value: Value | null): Cell[] => [value?.value ?? null, instantText(value?.at ?? null)];

function* valuesOf({ history }: Source, account: string, from: number, to: number): Generator<Value, void> {
  const columns = ["usdt_equity", "complete"];
  const valueIn = (cells: ItemCells) => (Number(cells?.[1]) === 1 ? asDecimal(cells?.[0]) : null);
  for (const item of history.items(dataset, account, null, {}))
    yield* history.points(dataset, item, { from, to }, columns, valueIn);
}

interface Extremes {
  lowest: Value | null;
  highest: Value | null;
}

/**
 * Returns a function that gives the first lowest and the first highest value of a period; periods must be passed in order, as the
 * values are read once. Both are unknown if snapshots of the period were pruned: daily ranges include incomplete values.
 */
function createExtremes(
  source: Source,
  account: string,
  from: number,
  to: number,
): (period: Period) => Steps<Extremes> {
  const pruned = source.history.prunedDays(dataset, account);
  const values = valuesOf(source, account, from, to);
  let next = values.next();
  return function* (period) {
    let lowest: Value | null = null;
    let highest: Value | null = null;
    for (; !next.done && next.value.at < period.to; next = values.next()) {
      const { value } = next.value;
      if (value !== null && (!lowest?.value || compare(value, lowest.value) < 0)) lowest = next.value;
      if (value !== null && (!highest?.value || compare(value, highest.value) > 0)) highest = next.value;
      yield pause;
    }
    const isPruned = pruned.some((day) => day < period.to && day + dayMs > period.from);
    return isPruned ? { lowest: null, highest: null } : { lowest, highest };
  };
}

/** Returns the values as points of a line, with a null at the time from which a value was stale before the next. */
function* withGaps(source: Source, seriesId: number, account: string, { from, to }: Span): Steps<ChartLine["points"]> {
  const schedules = source.history.schedules(seriesId);
  const points: { at: number; value: DecimalString | null }[] = [];
  let until = Number.POSITIVE_INFINITY;
  for (const { at, slot, value } of valuesOf(source, account, from, to)) {
    if (slot > until) points.push({ at: until, value: null });
    points.push({ at, value });
    const inForce = scheduleAt(schedules, at);
    until = inForce ? freshUntil(inForce.pattern, slot) : Number.POSITIVE_INFINITY;
    yield pause;
  }
  return points;
}
