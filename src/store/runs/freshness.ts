/**
 * Decides whether each dataset of each account is up to date: the one rule that `status`, health, metrics, heartbeat and alerts
 * share. It reads a few rows per series, however long the history is.
 */

import { clockToleranceMs } from "../../bitget/clock-check.ts";
import { freshUntil, parsePattern } from "../../core/cron.ts";
import { causes } from "../../core/domain.ts";
import type { Freshness, LastRun, ScheduledSeries } from "../history.ts";
import { notComplete } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Returns the series with a schedule in force, now (null) or at an instant (epoch ms). */
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
 * Returns a function that reads the state of everything that is scheduled at `now` (epoch ms). `behindMs` is described at
 * `prepareFreshnessNow`.
 */
export function prepareFreshness(sqlite: Sqlite, behindMs = clockToleranceMs): (now: number) => Freshness[] {
  const stateNow = prepareFreshnessNow(sqlite, behindMs);
  return (now) => scheduledSeries(sqlite).map((series) => stateNow(series, now));
}

/** Returns the state of a series while the clock is known to be wrong: without an age, and not fresh. */
export const withUnknownAge = (freshness: Freshness): Freshness => ({
  ...freshness,
  ageMs: null,
  fresh: !freshness.offered,
});

/**
 * Returns a function that reads the state of a series at the present time `now` (epoch ms). A clock that is more than `behindMs`
 * (milliseconds) behind the last slot on record is considered wrong. A process that compares its clock with the exchange's passes a
 * larger value.
 */
export function prepareFreshnessNow(
  sqlite: Sqlite,
  behindMs = clockToleranceMs,
): (series: ScheduledSeries, now: number) => Freshness {
  const stateAt = prepareFreshnessAt(sqlite);
  return (series, now) => freshnessNow(series, now, behindMs, stateAt(series, instantFor(series, now, behindMs)));
}

/** Returns the time as of which the runs of a series are read: `now`, or its last slot if the clock is behind that. Epoch ms. */
export const instantFor = ({ processedThrough }: ScheduledSeries, now: number, behindMs: number): number =>
  processedThrough <= now + behindMs ? now : processedThrough;

/** Returns `stored`, which was read as of `instantFor`, without an age if the clock is wrong. */
export const freshnessNow = (series: ScheduledSeries, now: number, behindMs: number, stored: Freshness): Freshness =>
  instantFor(series, now, behindMs) === now
    ? stored
    : { ...withUnknownAge(stored), nextAt: parsePattern(series.pattern).next(now) };

/** Returns a function that reads the state of a series as it was at an instant (epoch ms). */
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

  /** Returns the last slot with a complete run, null without one. Skips a whole gap per step, and runs in progress one by one. */
  function lastOk(id: number, last: LastRun | null): number | null {
    let run = last;
    while (run && run.state !== "ok") run = findLast.get(id, (gapStart.get(id, run.slot) ?? run.slot) - 1) ?? null;
    return run?.slot ?? null;
  }

  return (series, now) => {
    const last = findLast.get(series.id, now) ?? null;
    return freshnessOf(series, now, { last, lastOkAt: lastOk(series.id, last) });
  };
}

/** The last run of a series, and the slot of the last complete one; null if there is none. */
interface LastRuns {
  last: LastRun | null;
  lastOkAt: number | null;
}

/** Computes the state of a series as it was at an instant (epoch ms) from its last runs up to then. */
export function freshnessOf(
  { account, dataset, pattern: schedule, since }: ScheduledSeries,
  now: number,
  { last, lastOkAt }: LastRuns,
): Freshness {
  const pattern = parsePattern(schedule);
  const offered = !(last?.state === "skipped" && last.cause === causes.notOffered);
  // A new schedule is not stale before its first slots are due.
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
}
