/** Defines the input that all queries share, and what they ask first: the schedule of a series. */
import type { DatasetName } from "../core/domain.ts";
import type { HistoryReader, SchedulePeriod } from "../store/history.ts";

export interface Source {
  history: HistoryReader;
  /** The account to read; null: all accounts. */
  account: string | null;
  /** The current time: a day or month that has not ended by then is `going on`. Epoch ms. */
  now: number;
}

/** Returns the schedules of a dataset of an account; none where it was never recorded. */
export function schedulesOf(history: HistoryReader, account: string, dataset: DatasetName): readonly SchedulePeriod[] {
  const series = history.series(account).find((one) => one.dataset === dataset);
  return series ? history.schedules(series.id) : [];
}

/** Returns the schedule in force at an instant (epoch ms); undefined where there was none. */
export const scheduleAt = (schedules: readonly SchedulePeriod[], instant: number): SchedulePeriod | undefined =>
  schedules.find(({ since, until }) => since <= instant && until > instant);
