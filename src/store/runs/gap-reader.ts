/** Reads the gaps of a period with the names of their series, the newest first. */

import { causes } from "../../core/domain.ts";
import { recordDatasets } from "../../datasets/index.ts";
import type { NamedGap, SlotRange, Span } from "../history.ts";
import { wholeRun } from "../schema/tables.ts";
import { holeCause } from "../schema/views.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { type Gap, gapColumns } from "./gaps.ts";
import { isDueSql } from "./slot-counts.ts";

interface Scope extends Pick<NamedGap, "account" | "dataset" | "productType"> {
  seriesId: number;
  scopeId: number;
}

type ScopeGap = Gap & Scope;

/** The number of gaps read at once for a scope after its first gap was yielded. */
const gapsAhead = 50;

/** Yields the gaps that `RunHistory.gaps` describes. */
export function* gapsWithin(sqlite: Sqlite, account: string | null, { from, to }: Span): Generator<NamedGap, void> {
  const newest = sqlite.prepare<[number, number, number, number], Gap>(
    `select ${gapColumns} from gap where series_id = ? and scope_id = ? and from_slot <= ? order by from_slot desc limit ?`,
  );
  // Each due slot between the first and the last one of a gap belongs to it.
  const until = sqlite.prepare<[number, number, number], Omit<SlotRange, "fromSlot">>(
    `select max(slot) as toSlot, count(*) as slots from run
     where series_id = ? and slot between ? and ? and ${isDueSql("slot")}`,
  );
  // The gaps of a scope do not overlap: after the first one that ends before the period, none reaches into it.
  const read = (scope: Scope, last: number, limit: number): ScopeGap[] =>
    newest
      .all(scope.seriesId, scope.scopeId, last, limit)
      .filter(({ toSlot }) => toSlot >= from)
      .map((gap) => ({ ...scope, ...gap, ...(gap.toSlot > to ? until.get(gap.seriesId, gap.fromSlot, to) : {}) }));
  let queues = scopesOf(sqlite, account)
    .map((scope) => read(scope, to, 1))
    .filter((queue) => queue.length > 0);
  const holes = recordGaps(sqlite, account, { from, to });
  while (queues.length > 0) {
    const queue = queues.reduce((one, other) => (startOf(other) > startOf(one) ? other : one));
    const gap = queue.shift();
    if (!gap) continue;
    while (holes[0] && holes[0].fromSlot >= gap.fromSlot) yield holes.shift() as NamedGap;
    yield gap;
    if (queue.length === 0) queue.push(...read(gap, gap.fromSlot - 1, gapsAhead));
    if (queue.length === 0) queues = queues.filter((one) => one !== queue);
  }
  yield* holes;
}

/**
 * Returns the stretches of which records are missing, the newest first; they have no slots. Those that the exchange has deleted are long
 * past when a run finds them: a span has those that overlap it, and those that were found in it, but none that was found later. A dataset
 * that was switched off at the end of the span has a stretch without an end.
 */
export const recordGaps = (sqlite: Sqlite, account: string | null, { from, to }: Span): NamedGap[] =>
  sqlite
    .prepare<unknown[], NamedGap>(
      `select a.name as account, e.dataset, nullif(p.product_type, '') as productType, g.hole_from as fromSlot, g.hole_to as toSlot,
         0 as slots, ${holeCause} as cause
       from reading g cross join snapshot n on n.id = g.snapshot_id join scope p on p.id = n.scope_id
         join series e on e.id = p.series_id join account a on a.id = e.account_id
       where g.hole_from > 0 and n.taken_at <= @to and (g.hole_to >= @from or n.taken_at >= @from)
         and (@account is null or a.name = @account)
       union all
       select a.name, e.dataset, null, max(c.until), null, 0, '${causes.switchedOff}'
       from schedule c join series e on e.id = c.series_id join account a on a.id = e.account_id
       where c.since <= @to and e.dataset in (${recordDatasets.map(({ name }) => `'${name}'`).join(", ")}) and (@account is null or a.name = @account)
       group by e.id having count(c.until) = count(*) and max(c.until) <= @to
       order by fromSlot desc`,
    )
    .all({ account, from, to });

const startOf = ([gap]: readonly ScopeGap[]): number => gap?.fromSlot ?? Number.NEGATIVE_INFINITY;

const scopesOf = (sqlite: Sqlite, account: string | null): Scope[] =>
  sqlite
    .prepare<{ account: string | null }, Scope>(
      `with e as (
         select e.id, a.name as account, e.dataset from series e join account a on a.id = e.account_id
         where @account is null or a.name = @account or e.dataset = 'prices')
       select id as seriesId, ${wholeRun} as scopeId, account, dataset, null as productType from e
       union all
       select e.id, p.id, account, dataset, nullif(p.product_type, '') from scope p join e on e.id = p.series_id
       order by 1, 2`,
    )
    .all({ account });
