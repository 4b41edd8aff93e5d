/** The last slot of a series that did not end well, and what was said about it. */
import type { RunState } from "../domain.ts";
import type { Sqlite } from "./sqlite.ts";

export interface LastTrouble {
  /** Epoch ms. */
  slot: number;
  state: RunState;
  cause: string | null;
  /** Of the answers that failed, with the product type they were about. */
  messages: string[];
}

const failuresBack = 5000;

/** Before `at`, epoch ms; null where everything ever due was told. */
export function lastTrouble(sqlite: Sqlite, seriesId: number, at: number): LastTrouble | null {
  // Both have an index. Among the failed snapshots of all series those of this one are looked for no further than this.
  const found = sqlite
    .prepare<unknown[], { id: number; slot: number; state: RunState; cause: string | null }>(
      `select * from (
         select id, slot, state, cause from run
         where series_id = @seriesId and slot <= @at and state in ('missed', 'skipped', 'failed')
           and coalesce(cause, '') <> 'not offered' order by slot desc limit 1)
       union all select * from (
         select r.id, r.slot, r.state, r.cause from (
           select run_id from snapshot where error_code is not null order by run_id desc limit ${failuresBack}) n
         join run r on r.id = n.run_id where r.series_id = @seriesId and r.slot <= @at order by n.run_id desc limit 1)
       order by slot desc limit 1`,
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
