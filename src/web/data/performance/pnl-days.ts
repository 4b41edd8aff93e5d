/** The results of days, read once from the report of profits and kept: a day takes some ten milliseconds. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { hourMs } from "../../../core/time.ts";
import { equity } from "../../../datasets/snapshots/equity.ts";
import { createCoverage } from "../../../queries/coverage.ts";
import { isCounted } from "../../../queries/flows.ts";
import { type Period, periodsOf } from "../../../queries/periods.ts";
import { pricesSettledTo } from "../../../queries/prices.ts";
import { pnl } from "../../../reports/ledger/pnl.ts";
import type { HistoryReader, HistoryRow, Mark, Span } from "../../../store/history.ts";

/** One day of one account. */
export interface PnlDay {
  day: Period;
  account: string;
  /** When the first equity of the account was read, epoch ms. */
  firstAt: number;
  /** The row of the report `pnl`. */
  row: HistoryRow;
  /** The number of equities that were due, and of those that are complete. */
  due: number;
  ok: number;
}

/** The days of an account that do not change any more; null: before its first equity. */
interface Known {
  mark: Mark;
  /** Which parts of the ledgers were not collected. */
  holes: string;
  days: Map<string, PnlDay | null>;
}

/** The days read in one step: what was read is kept if a page is given up. */
const daysPerStep = 8;

/** Entries of a day may be collected so long after it. Milliseconds. */
const settledMs = hourMs;

/** Keeps the results of days by account. */
export class PnlDays {
  readonly #known = new Map<string, Known>();

  /** Returns the days that overlap a span, oldest first, of one account; `now` is the shown instant, epoch ms. */
  *of(
    history: HistoryReader,
    account: string,
    { timezone, from, to, now }: Span & { timezone: string; now: number },
  ): Steps<PnlDay[]> {
    const { days, finalTo } = this.#knownOf(history, account, timezone);
    const all = [...periodsOf({ timezone, by: "day", from: Math.max(from, firstOf(history, account)), to })];
    const found = new Map<string, PnlDay | null>();
    // At the shown instant a day may be in progress that is over by now.
    const isKnown = ({ name, to }: Period) => to <= now && days.has(name);
    // The newest days first, because they are what most pages show.
    for (let end = all.length; end > 0; end -= daysPerStep) {
      const part = all.slice(Math.max(0, end - daysPerStep), end).filter((day) => !isKnown(day));
      if (part.length > 0)
        for (const [name, day] of yield* read(history, account, { timezone, now }, part)) found.set(name, day);
      for (const { name, to } of part) if (to <= Math.min(now, finalTo)) days.set(name, found.get(name) ?? null);
      yield pause;
    }
    return all.flatMap((day) => found.get(day.name) ?? (isKnown(day) ? days.get(day.name) : null) ?? []);
  }

  #knownOf(history: HistoryReader, account: string, timezone: string) {
    const ledgers = history.ledgers(account).filter(isCounted);
    const series = history.series(account).map(({ id }) => id);
    const key = [history.path, history.mark().file, account, timezone].join(" ");
    const holes = JSON.stringify(ledgers.map(({ wallet, from, to, holes }) => [wallet, from, to, holes]));
    const found = this.#known.get(key);
    const isValid = found?.holes === holes && history.isUnchangedSince(found.mark);
    const known = isValid ? found : { mark: history.mark(), holes, days: new Map<string, PnlDay | null>() };
    known.mark = history.mark();
    this.#known.set(key, known);
    const through = ledgers.filter(({ to }) => to === Number.MAX_SAFE_INTEGER).map((ledger) => ledger.through);
    const finalTo = Math.min(history.firstOpenSlot(series), ...through) - settledMs;
    return { days: known.days, finalTo: pricesSettledTo(history, finalTo) };
  }
}

/** Returns when the equity of an account was first due, epoch ms; infinity if it never was. */
const firstOf = (history: HistoryReader, account: string): number =>
  Math.min(...history.series(account).flatMap(({ dataset, firstAt }) => (dataset === "equity" ? firstAt : [])));

/** Reads days that follow each other, perhaps with some between them that are left out. */
function* read(
  history: HistoryReader,
  account: string,
  { timezone, now }: { timezone: string; now: number },
  days: readonly Period[],
): Steps<Map<string, PnlDay>> {
  const source = { history, account, now };
  const coverage = createCoverage(source);
  const series = coverage.series.find(({ dataset }) => dataset === "equity");
  const firstAt = history.firstTaken(equity, account, null) ?? Number.POSITIVE_INFINITY;
  const found = new Map<string, PnlDay>();
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last || !series) return found;
  for (const cells of pnl.rows(source, { timezone, by: "day", from: first.from, to: last.to })) {
    if (cells === pause) {
      yield pause;
      continue;
    }
    const row = Object.fromEntries(pnl.columns.map((name, at) => [name, cells[at] ?? null]));
    const day = days.find(({ name }) => name === row.day);
    if (day) found.set(day.name, { day, account, firstAt, row, due: 0, ok: 0 });
  }
  for (const one of found.values()) {
    const { due, ok } = yield* coverage.counts(one.day, series);
    Object.assign(one, { due, ok });
  }
  return found;
}
