/** The ledger: which slots are accounted for, and how each of them ended. Statements only; the caller has the transaction. */
import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { ApiVersion, DatasetName, RunState, Trigger } from "../../core/domain.ts";
import type { Chain } from "../chain/chain.ts";
import { account, accountMode, run, schedule, series } from "../schema/tables.ts";
import type { GapKeeper } from "./gaps.ts";

export interface SettledSlot {
  slot: number;
  state: "missed" | "skipped";
  cause: string;
}

export interface LedgerRun {
  id: number;
  seriesId: number;
  account: string;
  dataset: DatasetName;
  slot: number;
  state: RunState;
  lateMs: number | null;
}

export interface Ledger {
  apiVersion(account: string): ApiVersion | null;
  setApiVersion(account: string, api: ApiVersion, since: number, cause: string): void;
  accounts(): string[];
  /** Null where nothing of it was ever scheduled or run. */
  seriesId(account: string, dataset: DatasetName): number | null;
  schedule(account: string, dataset: DatasetName): { pattern: string; since: number; accountedTo: number } | null;
  setSchedule(account: string, dataset: DatasetName, pattern: string | null, at: number): void;
  settle(account: string, dataset: DatasetName, slots: readonly SettledSlot[]): void;
  /** True where the slot has a row, whatever became of it. */
  hasRun(account: string, dataset: DatasetName, slot: number): boolean;
  /** The id of the run, or null where the slot has a row that is not `missed`. */
  claim(account: string, dataset: DatasetName, slot: number, startedAt: number, trigger: Trigger): number | null;
  /** The run that `claim` began, where it is stored. */
  claimed(account: string, dataset: DatasetName, slot: number, startedAt: number): number | null;
  run(id: number): LedgerRun | undefined;
  /** Ends runs that nobody will end any more, all of them or one; of no effect on those that have ended. Returns how many. */
  abandon(cause: string, at: number, id?: number): number;
}

/** What is said for every slot is prepared once; the rest is rare. What it ends is linked into the chain. */
export function createLedger(orm: BetterSQLite3Database, chain: Chain, gaps: GapKeeper): Ledger {
  const { findSeries, findRun, findMissed, findSlot, lastApi, settleSlot, claimSlot, moveAccountedTo } = prepare(orm);

  function accountId(name: string): number {
    orm.insert(account).values({ name }).onConflictDoNothing().run();
    const found = orm.select({ id: account.id }).from(account).where(eq(account.name, name)).get();
    if (!found) throw new Error(`${name} was just stored and is not there`);
    return found.id;
  }

  function seriesId(name: string, dataset: DatasetName): number {
    const known = findSeries.get({ name, dataset });
    if (known) return known.id;
    return orm
      .insert(series)
      .values({ accountId: accountId(name), dataset })
      .returning({ id: series.id })
      .get().id;
  }

  const apiVersion = (name: string): ApiVersion | null => lastApi.get({ name })?.api ?? null;

  return {
    apiVersion,
    setApiVersion(name, api, since, cause) {
      if (apiVersion(name) === api) return;
      const { id } = orm
        .insert(accountMode)
        .values({ accountId: accountId(name), since, api, cause })
        .returning({ id: accountMode.id })
        .get();
      chain.note(["account_mode", id, name, since, api, cause]);
    },
    seriesId: (name, dataset) => findSeries.get({ name, dataset })?.id ?? null,
    accounts: () =>
      orm
        .select({ name: account.name })
        .from(account)
        .all()
        .map(({ name }) => name),
    schedule(name, dataset) {
      const found = findSeries.get({ name, dataset });
      if (!found) return null;
      const inForce = orm
        .select({ pattern: schedule.pattern, since: schedule.since })
        .from(schedule)
        .where(and(eq(schedule.seriesId, found.id), isNull(schedule.until)))
        .get();
      return inForce ? { ...inForce, accountedTo: found.accountedTo ?? inForce.since } : null;
    },
    setSchedule(name, dataset, pattern, at) {
      const id = seriesId(name, dataset);
      const ended = orm
        .update(schedule)
        .set({ until: at })
        .where(and(eq(schedule.seriesId, id), isNull(schedule.until)))
        .returning({ since: schedule.since, pattern: schedule.pattern })
        .all();
      for (const old of ended) chain.note(["schedule", name, dataset, old.since, old.pattern, at]);
      if (pattern !== null) {
        orm
          .insert(schedule)
          .values({ seriesId: id, since: at, pattern })
          .onConflictDoUpdate({ target: [schedule.seriesId, schedule.since], set: { pattern, until: null } })
          .run();
        chain.note(["schedule", name, dataset, at, pattern, null]);
      }
      orm.update(series).set({ accountedTo: at }).where(eq(series.id, id)).run();
    },
    settle(name, dataset, slots) {
      const id = seriesId(name, dataset);
      for (const { slot, state, cause } of slots) {
        const { changes, lastInsertRowid } = settleSlot.run({ seriesId: id, slot, state, cause });
        if (changes !== 1) continue;
        chain.ended(Number(lastInsertRowid), []);
        gaps.added(id, slot);
        gaps.ended(Number(lastInsertRowid));
      }
      if (slots.length > 0) moveAccountedTo.run({ seriesId: id, slot: Math.max(...slots.map(({ slot }) => slot)) });
    },
    hasRun(name, dataset, slot) {
      const found = findSeries.get({ name, dataset });
      return found !== undefined && findSlot.get({ seriesId: found.id, slot }) !== undefined;
    },
    claim(name, dataset, slot, startedAt, trigger) {
      const id = seriesId(name, dataset);
      const missed = findMissed.get({ seriesId: id, slot });
      const claimed = claimSlot.get({ seriesId: id, slot, lateMs: startedAt - slot }) as { id: number } | undefined;
      if (!claimed) return null;
      if (missed) chain.note(["run", "missed", missed.cause], claimed.id);
      if (missed) gaps.reclaimed(id, slot);
      else gaps.added(id, slot);
      if (trigger === "schedule") moveAccountedTo.run({ seriesId: id, slot });
      return claimed.id;
    },
    claimed(name, dataset, slot, startedAt) {
      const found = findSeries.get({ name, dataset });
      if (!found) return null;
      const isOurs = [eq(run.seriesId, found.id), eq(run.slot, slot), eq(run.lateMs, startedAt - slot)];
      const row = orm
        .select({ id: run.id })
        .from(run)
        .where(and(...isOurs, eq(run.state, "running")))
        .get();
      return row?.id ?? null;
    },
    run: (id) => findRun.get({ id }),
    abandon(cause, at, id) {
      const running = eq(run.state, sql.raw("'running'"));
      const ended = orm
        .update(run)
        .set({ state: "failed", cause, rows: 0, tookMs: sql`max(0, ${at} - ${run.slot} - ${run.lateMs})` })
        .where(id === undefined ? running : and(running, eq(run.id, id)))
        .returning({ id: run.id })
        .all();
      for (const one of ended) {
        chain.ended(one.id, []);
        gaps.ended(one.id);
      }
      return ended.length;
    },
  };
}

function prepare(orm: BetterSQLite3Database) {
  const given = sql.placeholder;
  const begun = { state: "running", cause: null, requests: null, retries: null, rows: null } as const;
  return {
    findSeries: orm
      .select({ id: series.id, accountedTo: series.accountedTo })
      .from(series)
      .innerJoin(account, eq(account.id, series.accountId))
      .where(and(eq(account.name, given("name")), eq(series.dataset, given("dataset"))))
      .prepare(),
    findRun: orm
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
      .where(eq(run.id, given("id")))
      .prepare(),
    findMissed: orm
      .select({ cause: run.cause })
      .from(run)
      .where(and(eq(run.seriesId, given("seriesId")), eq(run.slot, given("slot")), eq(run.state, "missed")))
      .prepare(),
    findSlot: orm
      .select({ id: run.id })
      .from(run)
      .where(and(eq(run.seriesId, given("seriesId")), eq(run.slot, given("slot"))))
      .prepare(),
    lastApi: orm
      .select({ api: accountMode.api })
      .from(accountMode)
      .innerJoin(account, eq(account.id, accountMode.accountId))
      .where(eq(account.name, given("name")))
      .orderBy(desc(accountMode.id))
      .limit(1)
      .prepare(),
    settleSlot: orm
      .insert(run)
      .values({
        seriesId: given("seriesId"),
        slot: given("slot"),
        state: given("state"),
        cause: given("cause"),
        requests: 0,
        retries: 0,
        rows: 0,
      })
      .onConflictDoNothing()
      .prepare(),
    claimSlot: orm
      .insert(run)
      .values({ seriesId: given("seriesId"), slot: given("slot"), lateMs: given("lateMs"), ...begun })
      .onConflictDoUpdate({
        target: [run.seriesId, run.slot],
        set: { ...begun, lateMs: sql`excluded.late_ms` },
        setWhere: eq(run.state, "missed"),
      })
      .returning({ id: run.id })
      .prepare(),
    moveAccountedTo: orm
      .update(series)
      .set({ accountedTo: sql`max(coalesce(${series.accountedTo}, ${given("slot")}), ${given("slot")})` })
      .where(eq(series.id, given("seriesId")))
      .prepare(),
  };
}
