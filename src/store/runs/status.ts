/** How collecting goes: per account and dataset, read from the ledger. */
import { graceAt, type Pattern, parsePattern, periodAt } from "../../core/cron.ts";
import type { Freshness, OpenFailure, Scheduled, SeriesStatus } from "../history.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { presentReader, scheduledSeries } from "./freshness.ts";
import { isDueSql } from "./slot-counts.ts";

const day = 86_400_000;

/** Reads the state of everything that is scheduled, at `now`. */
export function readStatus(sqlite: Sqlite, now: number): SeriesStatus[] {
  const freshnessOf = presentReader(sqlite);
  return scheduledSeries(sqlite).map((series) => statusOf(sqlite, series, freshnessOf(series, now), now));
}

function statusOf(sqlite: Sqlite, series: Scheduled, freshness: Freshness, now: number): SeriesStatus {
  const { offered } = freshness;
  const pattern = parsePattern(series.pattern);
  const share = (days: number) => (offered ? coverage(sqlite, series, pattern, now - days * day, now) : null);
  return {
    ...freshness,
    coverage: { day: share(1), week: share(7), month: share(30) },
    failures: openFailures(sqlite, freshness),
    unwrittenFrom: pattern.next(series.accountedTo),
  };
}

/**
 * Slots that passed while nothing ran have no row yet; they count all the same. Runs by hand do not.
 */
function coverage(sqlite: Sqlite, series: Scheduled, pattern: Pattern, from: number, now: number): number | null {
  const { ok, written } = sqlite
    .prepare(
      `select count(*) filter (where state = 'ok') as ok, count(*) as written
       from run where series_id = ? and slot > ? and slot <= ? and ${isDueSql("slot")} and state <> 'running'`,
    )
    .get(series.id, from, now) as { ok: number; written: number };
  const due = written + unwritten(pattern, Math.max(series.accountedTo, from), now);
  return due === 0 ? null : ok / due;
}

/** More slots than this are not counted one by one. */
const many = 2000;

/** How many slots after `from` are over by now, the last one not before its time of grace is. */
function unwritten(pattern: Pattern, from: number, now: number): number {
  const latest = pattern.latest(now);
  const end = now - latest > graceAt(pattern, latest) ? latest : latest - 1;
  const guess = (end - from) / periodAt(pattern, latest);
  if (guess > many) return Math.floor(guess);
  let count = 0;
  for (let slot = pattern.next(from); slot <= end; slot = pattern.next(slot)) count += 1;
  return count;
}

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
