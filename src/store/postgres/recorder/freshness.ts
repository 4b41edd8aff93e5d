/** Reads whether each dataset of each account is up to date, with a few statements for all of them. */
import type { Freshness, LastRun, ScheduledSeries } from "../../history.ts";
import { freshnessNow, freshnessOf, instantFor } from "../../runs/freshness.ts";
import { notComplete } from "../../schema/tables.ts";
import type { Connection } from "../connection.ts";

const scheduled = `
  select s.id, a.name as account, s.dataset, c.pattern, c.since, coalesce(s.accounted_to, c.since) as "processedThrough"
  from schedule c join series s on s.id = c.series_id join account a on a.id = s.account_id
  where c.until is null order by a.id, s.id`;

/** A slot of a series. */
type SeriesSlot = readonly [seriesId: number, slot: number];

/** Returns the state of everything that is scheduled at `now` (epoch ms). `behindMs` is described at `prepareFreshnessNow`. */
export async function readFreshness(connection: Connection, now: number, behindMs: number): Promise<Freshness[]> {
  const all = await connection.query<ScheduledSeries>(scheduled);
  const instants = all.map((series) => [series.id, instantFor(series, now, behindMs)] as const);
  const last = await lastRuns(connection, instants);
  const lastOk = await lastComplete(connection, last);
  return all.map((series) => {
    const runs = { last: last.get(series.id) ?? null, lastOkAt: lastOk.get(series.id) ?? null };
    return freshnessNow(series, now, behindMs, freshnessOf(series, instantFor(series, now, behindMs), runs));
  });
}

/** Returns the last run of each series up to a slot that has ended. */
async function lastRuns(connection: Connection, upTo: readonly SeriesSlot[]): Promise<Map<number, LastRun>> {
  const found = await connection.query<LastRun & { seriesId: number }>(
    `select given.series_id as "seriesId", r.id, r.slot, r.state, r.cause
     from unnest($1::bigint[], $2::bigint[]) as given(series_id, slot) cross join lateral (
       select id, slot, state, cause from run
       where series_id = given.series_id and slot <= given.slot and state <> 'running' order by slot desc limit 1) r`,
    [upTo.map(([id]) => id), upTo.map(([, slot]) => slot)],
  );
  return new Map(found.map(({ seriesId, ...run }) => [seriesId, run]));
}

/** Returns the slot of the last complete run of each series. Skips a whole gap per step. */
async function lastComplete(connection: Connection, last: ReadonlyMap<number, LastRun>): Promise<Map<number, number>> {
  const complete = new Map<number, number>();
  for (let runs = last; runs.size > 0; ) {
    for (const [seriesId, run] of runs) if (run.state === "ok") complete.set(seriesId, run.slot);
    const others = [...runs].filter(([, { state }]) => state !== "ok").map(([id, { slot }]) => [id, slot] as const);
    runs = others.length === 0 ? new Map() : await lastRuns(connection, await beforeGaps(connection, others));
  }
  return complete;
}

/** Returns the instant before the gap in which a slot is. */
async function beforeGaps(connection: Connection, slots: readonly SeriesSlot[]): Promise<SeriesSlot[]> {
  const found = await connection.cells(
    `select given.series_id, coalesce((
       select from_slot from gap where series_id = given.series_id and scope_id = ${notComplete} and from_slot <= given.slot
       order by from_slot desc limit 1), given.slot) - 1
     from unnest($1::bigint[], $2::bigint[]) as given(series_id, slot)`,
    [slots.map(([id]) => id), slots.map(([, slot]) => slot)],
  );
  return found as unknown as SeriesSlot[];
}
