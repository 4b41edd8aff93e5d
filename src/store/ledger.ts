/** The ledger: which slots are accounted for, and how each of them ended. Statements only; the caller has the transaction. */
import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { ApiVersion, DatasetName, Occasion } from "../domain.ts";
import { account, accountMode, run, schedule, series } from "./tables.ts";

type Orm = BetterSQLite3Database;

export function findSeries(orm: Orm, name: string, dataset: DatasetName) {
  return orm
    .select({ id: series.id, accountedTo: series.accountedTo })
    .from(series)
    .innerJoin(account, eq(account.id, series.accountId))
    .where(and(eq(account.name, name), eq(series.dataset, dataset)))
    .get();
}

function accountId(orm: Orm, name: string): number {
  orm.insert(account).values({ name }).onConflictDoNothing().run();
  return orm.select({ id: account.id }).from(account).where(eq(account.name, name)).get()?.id ?? missing(name);
}

function seriesId(orm: Orm, name: string, dataset: DatasetName): number {
  const known = findSeries(orm, name, dataset);
  if (known) return known.id;
  return orm
    .insert(series)
    .values({ accountId: accountId(orm, name), dataset })
    .returning({ id: series.id })
    .get().id;
}

const missing = (what: string): never => {
  throw new Error(`${what} was just stored and is not there`);
};

export function apiVersion(orm: Orm, name: string): ApiVersion | null {
  const last = orm
    .select({ api: accountMode.api })
    .from(accountMode)
    .innerJoin(account, eq(account.id, accountMode.accountId))
    .where(eq(account.name, name))
    .orderBy(desc(accountMode.id))
    .limit(1)
    .get();
  return last?.api ?? null;
}

export function setApiVersion(orm: Orm, name: string, api: ApiVersion, since: number, cause: string): void {
  if (apiVersion(orm, name) === api) return;
  orm
    .insert(accountMode)
    .values({ accountId: accountId(orm, name), since, api, cause })
    .run();
}

export function scheduleOf(orm: Orm, name: string, dataset: DatasetName) {
  const found = findSeries(orm, name, dataset);
  if (!found) return null;
  const inForce = orm
    .select({ pattern: schedule.pattern, since: schedule.since })
    .from(schedule)
    .where(and(eq(schedule.seriesId, found.id), isNull(schedule.until)))
    .get();
  return inForce ? { ...inForce, accountedTo: found.accountedTo ?? inForce.since } : null;
}

export function setSchedule(orm: Orm, name: string, dataset: DatasetName, pattern: string | null, at: number): void {
  const id = seriesId(orm, name, dataset);
  orm
    .update(schedule)
    .set({ until: at })
    .where(and(eq(schedule.seriesId, id), isNull(schedule.until)))
    .run();
  if (pattern !== null) {
    orm
      .insert(schedule)
      .values({ seriesId: id, since: at, pattern })
      .onConflictDoUpdate({ target: [schedule.seriesId, schedule.since], set: { pattern, until: null } })
      .run();
  }
  orm.update(series).set({ accountedTo: at }).where(eq(series.id, id)).run();
}

export interface SettledSlot {
  slot: number;
  state: "missed" | "skipped";
  cause: string;
}

export function settle(orm: Orm, name: string, dataset: DatasetName, slots: readonly SettledSlot[]): void {
  const id = seriesId(orm, name, dataset);
  for (const { slot, state, cause } of slots) {
    orm
      .insert(run)
      .values({ seriesId: id, slot, state, cause, requests: 0, retries: 0, rows: 0 })
      .onConflictDoNothing()
      .run();
  }
  if (slots.length > 0) accountFor(orm, id, Math.max(...slots.map(({ slot }) => slot)));
}

/** The id of the run, or null where the slot has a row that is not `missed`. */
export function claim(
  orm: Orm,
  name: string,
  dataset: DatasetName,
  slot: number,
  startedAt: number,
  occasion: Occasion,
): number | null {
  const id = seriesId(orm, name, dataset);
  const begun = {
    state: "running",
    cause: null,
    lateMs: startedAt - slot,
    requests: null,
    retries: null,
    rows: null,
  } as const;
  const claimed = orm
    .insert(run)
    .values({ seriesId: id, slot, ...begun })
    .onConflictDoUpdate({ target: [run.seriesId, run.slot], set: begun, setWhere: eq(run.state, "missed") })
    .returning({ id: run.id })
    .get() as { id: number } | undefined;
  if (!claimed) return null;
  if (occasion === "schedule") accountFor(orm, id, slot);
  return claimed.id;
}

/** The run that `claim` began, where it is stored. */
export function claimed(orm: Orm, name: string, dataset: DatasetName, slot: number, startedAt: number): number | null {
  const found = findSeries(orm, name, dataset);
  if (!found) return null;
  const row = orm
    .select({ id: run.id })
    .from(run)
    .where(
      and(eq(run.seriesId, found.id), eq(run.slot, slot), eq(run.state, "running"), eq(run.lateMs, startedAt - slot)),
    )
    .get();
  return row?.id ?? null;
}

function accountFor(orm: Orm, seriesId: number, slot: number): void {
  orm
    .update(series)
    .set({ accountedTo: sql`max(coalesce(${series.accountedTo}, ${slot}), ${slot})` })
    .where(eq(series.id, seriesId))
    .run();
}

export function findRun(orm: Orm, id: number) {
  return orm
    .select({
      id: run.id,
      seriesId: run.seriesId,
      account: account.name,
      dataset: series.dataset,
      slot: run.slot,
      state: run.state,
      lateMs: run.lateMs,
    })
    .from(run)
    .innerJoin(series, eq(series.id, run.seriesId))
    .innerJoin(account, eq(account.id, series.accountId))
    .where(eq(run.id, id))
    .get();
}

/** Ends runs that nobody will end any more, all of them or one; of no effect on those that have ended. Returns how many. */
export function abandon(orm: Orm, cause: string, at: number, id?: number): number {
  const running = eq(run.state, sql.raw("'running'"));
  return orm
    .update(run)
    .set({ state: "failed", cause, rows: 0, tookMs: sql`${at} - ${run.slot} - ${run.lateMs}` })
    .where(id === undefined ? running : and(running, eq(run.id, id)))
    .run().changes;
}
