/** The two moments that most figures are about: the one that is shown, and the end of the day before it. */
import { type Period, periodOf } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { View } from "./table.ts";

export interface Moments {
  shown: Period;
  yesterday: Period;
  source: Source;
}

export function momentsOf({ sqlite, account, at, timezone }: View): Moments {
  const today = periodOf(timezone, "day", at);
  return {
    shown: { ...today, to: at + 1 },
    yesterday: periodOf(timezone, "day", today.from - 1),
    source: { sqlite, account, now: at },
  };
}

/** Of people, in the order in which they came; public prices belong to none. */
export const accountsOf = ({ sqlite, account }: Pick<View, "sqlite" | "account">): string[] =>
  (
    sqlite
      .prepare(
        `select a.name from account a
         where exists (select 1 from series e where e.account_id = a.id and e.dataset <> 'prices') order by a.id`,
      )
      .pluck()
      .all() as string[]
  ).filter((name) => account === null || name === account);
