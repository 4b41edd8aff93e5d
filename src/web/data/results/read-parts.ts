/** Reads the parts of the selected accounts up to the shown instant: a local day each, and an hour each of the shown day. */
import type { Steps } from "../../../core/async/cooperate.ts";
import { equity } from "../../../datasets/snapshots/equity.ts";
import { periodOf, periodsOf } from "../../../queries/periods.ts";
import type { Span } from "../../../store/history.ts";
import { countedAccounts } from "../comparison-periods.ts";
import { hoursOf } from "../health/collection.ts";
import type { View } from "../table.ts";
import { type Part, Parts } from "./parts.ts";

export interface KnownParts {
  parts: Part[];
  /** Those in which flows are known, up to `through` (epoch ms). */
  known: Part[];
  through: number;
}

/** Reads the parts since the beginning of a local day, epoch ms. */
export function* readParts(view: View, from: number): Steps<KnownParts> {
  const { history, account, at, timezone } = view;
  const accounts = countedAccounts(view);
  const reader = new Parts({ history, account, now: at }, accounts);
  const today = periodOf(timezone, "day", at);
  const begin = Math.min(...accounts.map((name) => history.firstTaken(equity, name, null) ?? Number.POSITIVE_INFINITY));
  const days = [...periodsOf({ timezone, by: "day", from: Math.max(from, begin), to: today.from })];
  const spans = cutAt([...days, ...hoursOf(today, view)], Math.min(at + 1, reader.through), at + 1);
  const parts = yield* reader.of(spans);
  return { parts, known: parts.filter((one) => one.from < reader.through), through: reader.through };
}

/** Returns the spans up to `end`, the one that contains `cut` in two. */
function cutAt(spans: readonly Span[], cut: number, end: number): Span[] {
  return spans
    .filter(({ from }) => from < end)
    .flatMap(({ from, to }) => {
      const last = Math.min(to, end);
      return from < cut && cut < last
        ? [
            { from, to: cut },
            { from: cut, to: last },
          ]
        : [{ from, to: last }];
    });
}
