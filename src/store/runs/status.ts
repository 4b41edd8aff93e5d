/** Reads the collection status of each account and dataset from the run ledger. */
import { runToEnd } from "../../core/async/cooperate.ts";
import { parsePattern } from "../../core/cron.ts";
import { dayMs } from "../../core/time.ts";
import type { Freshness, OpenFailure, ScheduledSeries, SeriesStatus } from "../history.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { prepareFreshnessNow, scheduledSeries } from "./freshness.ts";
import { prepareSlotCount } from "./slot-counts.ts";

/** Returns the state of everything that is scheduled at `now` (epoch ms). */
export function readStatus(sqlite: Sqlite, now: number): SeriesStatus[] {
  const freshnessOf = prepareFreshnessNow(sqlite);
  return scheduledSeries(sqlite).map((series) => statusOf(sqlite, series, freshnessOf(series, now), now));
}

function statusOf(sqlite: Sqlite, series: ScheduledSeries, freshness: Freshness, now: number): SeriesStatus {
  const { offered } = freshness;
  const count = prepareSlotCount(sqlite);
  // The period includes a slot that is due exactly at `now`.
  const slots = (days: number): { ok: number; due: number } => {
    if (!offered) return { ok: 0, due: 0 };
    const { due, ok } = runToEnd(count(series.id, { from: now - days * dayMs + 1, to: now + 1 }, now));
    return { ok, due };
  };
  const share = ({ ok, due }: { ok: number; due: number }): number | null => (due === 0 ? null : ok / due);
  const month = slots(30);
  return {
    ...freshness,
    coverage: { day: share(slots(1)), week: share(slots(7)), month: share(month) },
    slots: month,
    failures: openFailures(sqlite, freshness),
    firstUnprocessedSlot: parsePattern(series.pattern).next(series.processedThrough),
  };
}

/** Returns the failed snapshots of the last run; empty if there are none. */
export function openFailures(sqlite: Sqlite, { offered, last: run }: Freshness): OpenFailure[] {
  if (run === null || run.state === "ok" || !offered) return [];
  const failed = sqlite
    .prepare(
      `select nullif(o.product_type, '') as productType, n.error_code as code, n.error_message as message
       from snapshot n join scope o on o.id = n.scope_id where n.run_id = ? and n.error_code is not null order by n.id`,
    )
    .all(run.id) as OpenFailure[];
  return failed.length > 0 ? failed : [{ productType: null, code: run.state, message: run.cause ?? run.state }];
}
