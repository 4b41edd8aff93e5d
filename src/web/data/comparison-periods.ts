/** Computes the two instants that most values compare: the shown one, and the close of the day before. */
import { type Period, periodOf } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { View } from "./table.ts";

/** Number of days in tables of days. */
export const daysShown = 31;

export interface ComparisonPeriods {
  shown: Period;
  yesterday: Period;
  source: Source;
}

/** Returns the shown period up to the shown instant, and the local day before it. */
export function comparisonPeriods({ history, account, at, timezone }: View): ComparisonPeriods {
  const today = periodOf(timezone, "day", at);
  return {
    shown: { ...today, to: at + 1 },
    yesterday: periodOf(timezone, "day", today.from - 1),
    source: { history, account, now: at },
  };
}

/** Returns the selected account, or all accounts in the order in which they were first recorded. */
export const selectedAccounts = ({ history, account }: View): string[] =>
  history.accounts().filter((name) => account === null || name === account);

/** Returns those of them whose results count: of all accounts together, without those that were removed. */
export function countedAccounts(view: View): string[] {
  const removed = view.account === null ? view.history.accountsRemovedAt(view.at) : [];
  return selectedAccounts(view).filter((name) => !removed.includes(name));
}
