/**
 * Whether what is collected is up to date, per account and dataset: the one rule that `status`, health, metrics, heartbeat
 * and alerts go by. Cheap enough to be asked at any time.
 */

import { clockToleranceMs } from "../../bitget/clock-check.ts";
import { freshUntil, parsePattern } from "../../core/cron.ts";
import { causes } from "../../core/domain.ts";
import type { Freshness, LastRun, ScheduledSeries } from "../history.ts";
import { notComplete } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** The series with a schedule in force, now or at an instant (epoch ms). */
export const scheduledSeries = (sqlite: Sqlite, at: number | null = null): ScheduledSeries[] =>
  sqlite
    .prepare(
      `select s.id, a.name as account, s.dataset, c.pattern, c.since, coalesce(s.accounted_to, c.since) as processedThrough
       from schedule c join series s on s.id = c.series_id join account a on a.id = s.account_id
       where case when @at is null then c.until is null else c.since <= @at and coalesce(c.until, @at + 1) > @at end
       order by a.id, s.id`,
    )
    .all({ at }) as ScheduledSeries[];

/**
 * A reader of the state of everything that is scheduled. It reads a few rows, however long ago the last complete run was. `behindMs`:
 * as in `presentReader`.
 */
export function prepareFreshness(sqlite: Sqlite, behindMs = clockToleranceMs): (now: number) => Freshness[] {
  const freshnessOf = prepareFreshnessNow(sqlite, behindMs);
  return (now) => scheduledSeries(sqlite).map((series) => freshnessOf(series, now));
}

/** Returns what is known where the clock is wrong: nothing has an age, and nothing is fresh. */
export const withUnknownAge = (freshness: Freshness): Freshness => ({
  ...freshness,
  ageMs: null,
  fresh: !freshness.offered,
});

/**
 * Reads the state of a series as it is at `now`, the present. A clock that is more than `behindMs` before what is stored is wrong. A
 * process that asks the exchange for the time knows that better, and allows for more.
 */
export function prepareFreshnessNow(
  sqlite: Sqlite,
  behindMs = clockToleranceMs,
): (series: ScheduledSeries, now: number) => Freshness {
  const freshnessOf = prepareFreshnessAt(sqlite);
  return (series, now) => {
    if (series.processedThrough <= now + behindMs) return freshnessOf(series, now);
    const stored = freshnessOf(series, series.processedThrough);
    return { ...withUnknownAge(stored), nextAt: parsePattern(series.pattern).next(now) };
  };
}

/** Reads the state of a series as it was at an instant. */
export function prepareFreshnessAt(sqlite: Sqlite): (series: ScheduledSeries, now: number) => Freshness {
  const findLast = sqlite.prepare<[number, number], LastRun>(
    "select id, slot, state, cause from run where series_id = ? and slot <= ? and state <> 'running' order by slot desc limit 1",
  );
  const gapStart = sqlite
    .prepare<[number, number], number>(
      `select from_slot from gap where series_id = ? and scope_id = ${notComplete} and from_slot <= ?
       order by from_slot desc limit 1`,
    )
    .pluck();

  /** What lies before the stretch without a complete run that this one is in; again, where that is still running. */
  function lastOk(id: number, last: LastRun | null): number | null {
    let run = last;
    while (run && run.state !== "ok") run = findLast.get(id, (gapStart.get(id, run.slot) ?? run.slot) - 1) ?? null;
    return run?.slot ?? null;
  }

  return ({ id, account, dataset, pattern: schedule, since }, now) => {
    const pattern = parsePattern(schedule);
    const last = findLast.get(id, now) ?? null;
    const lastOkAt = lastOk(id, last);
    const offered = !(last?.state === "skipped" && last.cause === causes.notOffered);
    // A schedule that is young has had no chance yet.
    const due = freshUntil(pattern, Math.max(lastOkAt ?? since, since));
    const staleAt = offered && Number.isFinite(due) ? due : null;
    return {
      account,
      dataset,
      schedule,
      lastOkAt,
      ageMs: lastOkAt === null ? null : now - lastOkAt,
      nextAt: pattern.next(now),
      since,
      fresh: staleAt === null || now <= staleAt,
      staleAt,
      offered,
      last,
    };
  };
}
