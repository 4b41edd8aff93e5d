/** Determines what `db verify` can expect of position episodes whose snapshots were pruned. */
import { toDecimalString } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { startOfDay } from "../../core/time.ts";
import { prunedNotes } from "../chain/chain.ts";
import { type Episode, extremeOf } from "../positions/episodes.ts";
import { unpackHex } from "../schema/encoding.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { ScopeRow } from "./problem.ts";

/** The direction of each extreme, and the daily range that contains it (null field: no range). */
const extremes = {
  largestTotal: { direction: 1, field: "total", end: "greatest" },
  bestUnrealizedPl: { direction: 1, field: "unrealized_pl", end: "greatest" },
  worstUnrealizedPl: { direction: -1, field: "unrealized_pl", end: "least" },
  closestLiquidation: { direction: -1, field: null, end: "least" },
} as const satisfies Partial<Record<keyof Episode, unknown>>;

interface RangeRow {
  day: number;
  field: string;
  least: string;
  greatest: string;
}

/**
 * Returns a function that gives the expected values of an episode whose snapshots may have been pruned. Its first and last snapshots
 * are kept, so both ends are known. The other values of an episode that ended on a pruned day are covered by the retained digest,
 * which check-pruned.ts checks; the extremes of others follow from the remaining history and the ranges of the pruned days.
 */
export function prepareExpectation(
  sqlite: Sqlite,
  { id, account, dataset }: ScopeRow,
): (found: Episode, expected: Episode) => Episode {
  const lastPruned = sqlite
    .prepare<[number], number>(
      `select p.id from pruned p join run r on r.id = p.run_id
       where r.series_id = (select series_id from scope where id = ?) order by p.id desc limit 1`,
    )
    .pluck()
    .get(id);
  const rangesOf = sqlite.prepare<[string, number, number, number], RangeRow>(
    `select day, field, hex(least) as least, hex(greatest) as greatest from daily_range
     where dataset = ? and item_id = ? and day between ? and ?`,
  );
  const notes = prunedNotes(sqlite).filter(
    ([, ofAccount, ofDataset]) => ofAccount === account && ofDataset === dataset,
  );
  const prunedDays = new Set(notes.map(([, , , day]) => Date.parse(day)));
  return (found, expected) => {
    if (lastPruned === undefined || expected.since > lastPruned) return expected;
    const { itemId, since, openedAt, firstSeenAt, closedBefore } = expected;
    if (closedBefore !== null && prunedDays.has(startOfDay(closedBefore)))
      return { ...found, since, openedAt, firstSeenAt, closedBefore };
    const firstDay = startOfDay(firstSeenAt);
    const ranges = rangesOf.all(dataset, itemId, firstDay, closedBefore ?? Number.MAX_SAFE_INTEGER);
    const episode = { ...expected };
    for (const name of Object.keys(extremes) as (keyof typeof extremes)[]) {
      const { direction, field, end } = extremes[name];
      const [was, left] = [found[name], expected[name]];
      const furthest = (from: DecimalString | null, rows: readonly RangeRow[]): DecimalString | null =>
        rows.reduce<DecimalString | null>(
          (far, row) => extremeOf(far, toDecimalString(unpackHex(row[end])), direction),
          from,
        );
      const ofField = ranges.filter((row) => row.field === field);
      const wholeDays = ofField.filter(({ day }) => day > firstDay);
      const nearest = furthest(left, wholeDays);
      // The range of its first day may include an earlier episode of the same item.
      const farthest = furthest(nearest, ofField);
      const isPossible =
        was !== null &&
        toDecimalString(was) !== null &&
        extremeOf(was, nearest, direction) === was &&
        (field === null || extremeOf(farthest, was, direction) === farthest);
      episode[name] = isPossible ? was : nearest;
    }
    return episode;
  };
}
