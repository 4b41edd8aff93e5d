/** What `db verify` can expect of the lives of positions where snapshots were pruned. */
import { compare, toDigits } from "../decimal.ts";
import { prunedNotes } from "./chain.ts";
import type { ScopeRow } from "./check-snapshots.ts";
import type { Life } from "./episodes.ts";
import { dayMs } from "./ranges.ts";
import type { Sqlite } from "./sqlite.ts";

/** How far a value must at least go: upwards or downwards. */
const extremes = {
  largestTotal: 1,
  bestUnrealizedPl: 1,
  worstUnrealizedPl: -1,
  closestLiquidation: -1,
} as const satisfies Partial<Record<keyof Life, 1 | -1>>;

/**
 * What can be expected of a life of which snapshots may have been pruned. One that ended on a pruned day is sealed as it was,
 * and check-pruned.ts looks at it; of others the extremes may lie further than what is left of their history tells.
 */
export function createComparable(
  sqlite: Sqlite,
  { id, account, dataset }: ScopeRow,
): (found: Life, expected: Life) => Life {
  const lastPruned = sqlite
    .prepare<[number], number>(
      `select p.id from pruned p join run r on r.id = p.run_id
       where r.series_id = (select series_id from scope where id = ?) order by p.id desc limit 1`,
    )
    .pluck()
    .get(id);
  const notes = prunedNotes(sqlite).filter(
    ([, ofAccount, ofDataset]) => ofAccount === account && ofDataset === dataset,
  );
  const prunedDays = new Set(notes.map(([, , , day]) => Date.parse(day)));
  return (found, expected) => {
    if (lastPruned === undefined || expected.since > lastPruned) return expected;
    const { closedBefore } = expected;
    if (closedBefore !== null && prunedDays.has(closedBefore - (closedBefore % dayMs))) return found;
    const life = { ...expected };
    for (const name of Object.keys(extremes) as (keyof typeof extremes)[]) {
      const [was, left] = [found[name], expected[name]];
      if (toDigits(was ?? "") === null || was === null) continue;
      if (left === null || compare(was, left) === extremes[name]) life[name] = was;
    }
    return life;
  };
}
