/** Finds the last slot of a series without a complete run, with its error messages. */
import { causes, type RunState } from "../../core/domain.ts";
import type { LastFailure } from "../history.ts";
import { wholeRun } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Returns the last failure up to `at` (epoch ms); null if there is none. Reads one gap per scope, however long it is. */
export function lastFailure(sqlite: Sqlite, seriesId: number, at: number): LastFailure | null {
  const found = sqlite
    .prepare<unknown[], { id: number; slot: number; state: RunState; cause: string | null }>(
      `select r.id, r.slot, r.state, r.cause
       from (select ${wholeRun} as id union all select id from scope where series_id = @seriesId) p
         join gap g on g.series_id = @seriesId and g.scope_id = p.id and g.from_slot = (
           select from_slot from gap where series_id = @seriesId and scope_id = p.id and from_slot <= @at
             and cause <> '${causes.notOffered}' order by from_slot desc limit 1)
         join run r on r.series_id = @seriesId and r.slot = (
           select max(slot) from run where series_id = @seriesId and slot <= min(g.to_slot, @at))
       order by r.slot desc limit 1`,
    )
    .get({ seriesId, at });
  if (!found) return null;
  const messages = sqlite
    .prepare<[number], string>(
      `select distinct case when p.product_type = '' then '' else p.product_type || ': ' end
         || case when n.error_message = '' then n.error_code else n.error_message end
       from snapshot n join scope p on p.id = n.scope_id where n.run_id = ? and n.error_code is not null order by n.id`,
    )
    .pluck()
    .all(found.id);
  return { slot: found.slot, state: found.state, cause: found.cause, messages };
}
