/** Counts the slots of a period by outcome, and names its coverage. */
import type { Steps } from "../core/async/cooperate.ts";
import type { Cell, DatasetName } from "../core/domain.ts";
import type { Series, SlotCounts } from "../store/history.ts";
import type { Period } from "./periods.ts";
import type { Source } from "./source.ts";

/** The coverage columns of other reports. */
export const coverageColumns = ["slots", "slots_ok", "coverage"];

/** Returns functions for the coverage of each series. The counts of the last period are cached. */
export function createCoverage({ history, account, now }: Source) {
  const all = history.series(account);
  let current: Period | null = null;
  const known = new Map<number, SlotCounts>();

  function* counts(period: Period, series: Series): Steps<SlotCounts> {
    if (current !== period) known.clear();
    current = period;
    const found = known.get(series.id) ?? (yield* history.countSlots(series.id, period, now));
    known.set(series.id, found);
    return found;
  }

  /** Returns the coverage word of a period: `going on` if it is in progress, else how many of its slots have a complete run. */
  function word(period: Period, { due, ok, alwaysScheduled, offered }: SlotCounts): string {
    if (period.to > now) return "going on";
    if (!offered) return "not offered";
    if (due === 0) return "not due";
    if (ok < due) return ok === 0 ? "none" : "gaps";
    return alwaysScheduled ? "complete" : "partly due";
  }

  return {
    series: all,
    counts,
    word,
    /** Returns the cells of `coverageColumns`. */
    *cells(period: Period, account: string, dataset: DatasetName): Steps<Cell[]> {
      const series = all.find((one) => one.account === account && one.dataset === dataset);
      if (!series) return [0n, 0n, "not due"];
      const found = yield* counts(period, series);
      return [BigInt(found.due), BigInt(found.ok), word(period, found)];
    },
  };
}
