/** Keeps the run ledger: which slots are accounted for, and how each of them ended. The caller opens the transaction. */
import { and, desc, eq, isNull, type SQL, sql } from "drizzle-orm";
import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import type { ApiVersion, DatasetName, RunState, Trigger } from "../../core/domain.ts";
import { type Chain, createChain, type SnapshotDigest } from "../chain/chain.ts";
import { account, accountMode, run, schedule, series } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { createGapKeeper, type GapKeeper } from "./gaps.ts";

/** A due slot that was not executed, and why. */
export interface UnrunSlot {
  /** Epoch ms. */
  slot: number;
  state: "missed" | "skipped";
  cause: string;
}

/** A schedule in force. Times are epoch ms. */
export interface ScheduleInForce {
  /** A cron pattern, UTC. */
  pattern: string;
  since: number;
  /** The watermark: every due slot up to here has its row. Equals `since` before the first. */
  processedThrough: number;
}

/** A run with the names of its series. */
export interface LedgerRun {
  id: number;
  seriesId: number;
  account: string;
  dataset: DatasetName;
  slot: number;
  state: RunState;
  lateMs: number | null;
}

/** The columns that describe how a run ended. Durations are milliseconds. */
export type RunRow = Pick<
  typeof run.$inferSelect,
  "id" | "state" | "cause" | "tookMs" | "requests" | "retries" | "rows" | "spreadMs" | "skewMs"
>;

/** Reads and writes runs and schedules. Each run that ends is linked into the chain and added to the gaps. */
export class RunLedger {
  readonly #orm: BetterSQLite3Database;
  readonly #chain: Chain;
  readonly #gaps: GapKeeper;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(sqlite: Sqlite) {
    this.#orm = drizzle(sqlite);
    this.#chain = createChain(sqlite);
    this.#gaps = createGapKeeper(sqlite);
    this.#statements = prepare(this.#orm);
  }

  apiVersion(name: string): ApiVersion | null {
    return this.#statements.lastApi.get({ name })?.api ?? null;
  }

  setApiVersion(name: string, api: ApiVersion, since: number, cause: string): void {
    if (this.apiVersion(name) === api) return;
    const { id } = this.#orm
      .insert(accountMode)
      .values({ accountId: this.#accountId(name), since, api, cause })
      .returning({ id: accountMode.id })
      .get();
    this.#chain.appendNote(["account_mode", id, name, since, api, cause]);
  }

  accounts(): string[] {
    return this.#orm
      .select({ name: account.name })
      .from(account)
      .all()
      .map(({ name }) => name);
  }

  /** Returns null if the dataset was never scheduled or run for the account. */
  seriesId(name: string, dataset: DatasetName): number | null {
    return this.#statements.findSeries.get({ name, dataset })?.id ?? null;
  }

  schedule(name: string, dataset: DatasetName): ScheduleInForce | null {
    const found = this.#statements.findSeries.get({ name, dataset });
    if (!found) return null;
    const inForce = this.#orm
      .select({ pattern: schedule.pattern, since: schedule.since })
      .from(schedule)
      .where(and(eq(schedule.seriesId, found.id), isNull(schedule.until)))
      .get();
    return inForce ? { ...inForce, processedThrough: found.processedThrough ?? inForce.since } : null;
  }

  setSchedule(name: string, dataset: DatasetName, pattern: string | null, at: number): void {
    const id = this.#storedSeriesId(name, dataset);
    const ended = this.#orm
      .update(schedule)
      .set({ until: at })
      .where(and(eq(schedule.seriesId, id), isNull(schedule.until)))
      .returning({ since: schedule.since, pattern: schedule.pattern })
      .all();
    for (const old of ended) this.#chain.appendNote(["schedule", name, dataset, old.since, old.pattern, at]);
    if (pattern !== null) {
      this.#orm
        .insert(schedule)
        .values({ seriesId: id, since: at, pattern })
        .onConflictDoUpdate({ target: [schedule.seriesId, schedule.since], set: { pattern, until: null } })
        .run();
      this.#chain.appendNote(["schedule", name, dataset, at, pattern, null]);
    }
    this.#orm.update(series).set({ processedThrough: at }).where(eq(series.id, id)).run();
  }

  closeSlots(name: string, dataset: DatasetName, slots: readonly UnrunSlot[]): void {
    const { closeSlot, advanceWatermark } = this.#statements;
    const seriesId = this.#storedSeriesId(name, dataset);
    for (const { slot, state, cause } of slots) {
      const { changes, lastInsertRowid } = closeSlot.run({ seriesId, slot, state, cause });
      if (changes !== 1) continue;
      this.#gaps.runAdded(seriesId, slot);
      this.#ended(Number(lastInsertRowid), []);
    }
    if (slots.length > 0) advanceWatermark.run({ seriesId, slot: Math.max(...slots.map(({ slot }) => slot)) });
  }

  hasRun(name: string, dataset: DatasetName, slot: number): boolean {
    const found = this.#statements.findSeries.get({ name, dataset });
    return found !== undefined && this.#statements.findSlot.get({ seriesId: found.id, slot }) !== undefined;
  }

  /** Begins the run of a slot. Returns its id, or null if the slot already has a row whose state is not `missed`. */
  claim(name: string, dataset: DatasetName, slot: number, startedAt: number, trigger: Trigger): number | null {
    const { findSlot, claimSlot, advanceWatermark } = this.#statements;
    const seriesId = this.#storedSeriesId(name, dataset);
    const missed = findSlot.get({ seriesId, slot });
    const findClaimed = claimSlot.get({ seriesId, slot, lateMs: startedAt - slot });
    if (!findClaimed) return null;
    if (missed) this.#chain.appendNote(["run", "missed", missed.cause], findClaimed.id);
    if (missed) this.#gaps.runReclaimed(seriesId, slot);
    else this.#gaps.runAdded(seriesId, slot);
    if (trigger === "schedule") advanceWatermark.run({ seriesId, slot });
    return findClaimed.id;
  }

  /** Returns the id of the run that a `claim` with the same values began; null if it was not committed. */
  claimed(name: string, dataset: DatasetName, slot: number, startedAt: number): number | null {
    const seriesId = this.seriesId(name, dataset);
    if (seriesId === null) return null;
    const isOurs = [eq(run.seriesId, seriesId), eq(run.slot, slot), eq(run.lateMs, startedAt - slot)];
    const row = this.#orm
      .select({ id: run.id })
      .from(run)
      .where(and(...isOurs, eq(run.state, "running")))
      .get();
    return row?.id ?? null;
  }

  /** Returns a run. Throws an Error if there is none with this id. */
  run(id: number): LedgerRun {
    const found = this.#statements.findRun.get({ id });
    if (!found) throw new Error(`run ${id} does not exist`);
    return found;
  }

  /** Ends a run. `snapshots` are all snapshots of the run, ascending by id, with the digests that were stored. */
  end(row: RunRow, snapshots: readonly SnapshotDigest[]): void {
    this.#statements.endRun.run(row);
    this.#ended(row.id, snapshots);
  }

  /**
   * Fails the run with this id, or all `running` ones, whose process has ended without finishing them. Their duration stays unknown.
   * Returns the number of failed runs.
   */
  abandon(cause: string, id?: number): number {
    const running = eq(run.state, sql.raw("'running'"));
    const ended = this.#orm
      .update(run)
      .set({ state: "failed", cause, rows: 0 })
      .where(id === undefined ? running : and(running, eq(run.id, id)))
      .returning({ id: run.id })
      .all();
    for (const one of ended) this.#ended(one.id, []);
    return ended.length;
  }

  #ended(id: number, snapshots: readonly SnapshotDigest[]): void {
    this.#chain.appendRun(id, snapshots);
    this.#gaps.runEnded(id);
  }

  #accountId(name: string): number {
    this.#orm.insert(account).values({ name }).onConflictDoNothing().run();
    const found = this.#orm.select({ id: account.id }).from(account).where(eq(account.name, name)).get();
    if (!found) throw new Error(`account ${name} is missing right after it was stored`);
    return found.id;
  }

  #storedSeriesId(name: string, dataset: DatasetName): number {
    return (
      this.seriesId(name, dataset) ??
      this.#orm
        .insert(series)
        .values({ accountId: this.#accountId(name), dataset })
        .returning({ id: series.id })
        .get().id
    );
  }
}

/** Prepares the statements used for every slot; rare ones are not prepared. */
function prepare(orm: BetterSQLite3Database) {
  const given = sql.placeholder;
  const set = (name: string): SQL => sql`${given(name)}`;
  const started = { state: "running", cause: null, requests: null, retries: null, rows: null } as const;
  return {
    findSeries: orm
      .select({ id: series.id, processedThrough: series.processedThrough })
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
    findSlot: orm
      .select({ cause: run.cause })
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
    closeSlot: orm
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
      .values({ seriesId: given("seriesId"), slot: given("slot"), lateMs: given("lateMs"), ...started })
      .onConflictDoUpdate({
        target: [run.seriesId, run.slot],
        set: { ...started, lateMs: sql`excluded.late_ms` },
        setWhere: eq(run.state, "missed"),
      })
      .returning({ id: run.id })
      .prepare(),
    endRun: orm
      .update(run)
      .set({
        state: set("state"),
        cause: set("cause"),
        tookMs: set("tookMs"),
        requests: set("requests"),
        retries: set("retries"),
        rows: set("rows"),
        spreadMs: set("spreadMs"),
        skewMs: set("skewMs"),
      })
      .where(eq(run.id, given("id")))
      .prepare(),
    advanceWatermark: orm
      .update(series)
      .set({ processedThrough: sql`max(coalesce(${series.processedThrough}, ${given("slot")}), ${given("slot")})` })
      .where(eq(series.id, given("seriesId")))
      .prepare(),
  };
}
