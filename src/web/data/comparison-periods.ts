/** The two moments that most figures are about: the one that is shown, and the end of the day before it. */
import { type Period, periodOf } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { View } from "./table.ts";

/** Tables of days show so many. */
export const daysShown = 31;

export interface ComparisonPeriods {
  shown: Period;
  yesterday: Period;
  source: Source;
}

export function comparisonPeriods({ history, account, at, timezone }: View): ComparisonPeriods {
  const today = periodOf(timezone, "day", at);
  return {
    shown: { ...today, to: at + 1 },
    yesterday: periodOf(timezone, "day", today.from - 1),
    source: { history, account, now: at },
  };
}

/** Returns the accounts that are looked at, in the order in which they came. */
export const selectedAccounts = ({ history, account }: View): string[] =>
  history.accounts().filter((name) => account === null || name === account);
