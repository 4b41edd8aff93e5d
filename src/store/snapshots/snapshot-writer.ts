/** Stores the results of a run, and reads the last good snapshot of each scope. */
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import type {
  DatasetName,
  FailedSnapshot,
  Item,
  KnownRows,
  ReadProgress,
  RecordBatch,
  Scope,
  Snapshot,
} from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset, IncrementalDataset } from "../../datasets/incremental.ts";
import { EpisodeTracker } from "../positions/episode-tracker.ts";
import type { RecordPlan } from "../records/record-plan.ts";
import { RecordWriter } from "../records/record-writer.ts";
import type { LedgerRun, RunLedger } from "../runs/run-ledger.ts";
import type { ScopeState } from "../schema/storage-layout.ts";
import { layoutOf, partsByKey, type StorageLayout, shownRows } from "../schema/storage-layout.ts";
import { account, run, scope, series, snapshot } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { RunEnd, RunId, RunOutcome } from "../store.ts";
import { diff } from "./change-set.ts";
import { DatasetTables } from "./dataset-tables.ts";
import {
  digestOf,
  failureRow,
  recordBatchOf,
  runRowOf,
  type StoredSnapshot,
  scopeText,
  unstorable,
} from "./run-results.ts";

/** A snapshot that another database stored under this id. `removed` holds the last rows of items that were no longer listed. */
export interface PastSnapshot extends Snapshot {
  id: number;
  removed: Item[];
}

/** Records that another database stored with the snapshot of this id. */
export interface PastRecordBatch extends RecordBatch {
  id: number;
  /** The version of each record. */
  versions: number[];
}

const isPastSnapshot = (one: Snapshot): one is PastSnapshot => "removed" in one;

/** Stores the results of runs. Keeps the state of every scope in memory, against which the next snapshot is compared. */
export class SnapshotWriter {
  readonly #sqlite: Sqlite;
  readonly #orm: BetterSQLite3Database;
  readonly #ledger: RunLedger;
  readonly #episodes: EpisodeTracker;
  readonly #records: RecordWriter;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #tables = new Map<StorageLayout, DatasetTables>();
  readonly #states = new Map<number, ScopeState>();

  constructor(sqlite: Sqlite, ledger: RunLedger) {
    const orm = drizzle(sqlite);
    this.#sqlite = sqlite;
    this.#orm = orm;
    this.#ledger = ledger;
    this.#episodes = new EpisodeTracker(orm);
    this.#records = new RecordWriter(sqlite);
    this.#statements = prepare(orm);
  }

  /** Stores rows, snapshots and the end of a run, inside a transaction. A run that has ended already keeps its state, which is returned. */
  finish(id: RunId, end: RunEnd): RunOutcome {
    const found = this.#ledger.run(id);
    if (found.state !== "running") return { state: found.state, failures: end.failures };
    const changed: string[] = [];
    const outcomes = end.snapshots.map((one) =>
      end.dataset.mode === "incremental"
        ? this.#addRecords(end.dataset, found, one, changed)
        : this.#addSnapshot(layoutOf(end.dataset), found, one),
    );
    const good = outcomes.filter((one) => "id" in one);
    const failures = [...end.failures, ...outcomes.filter((one) => "code" in one)];
    const failed = failures.map((failure) => this.#addFailure(found, failure));
    const row = runRowOf(found, end, good, failures);
    if (row.state === "ok") {
      const requested = end.snapshots.map(({ scope }) => scopeText(scope));
      this.#retireOthers(found.seriesId, requested, end.finishedAt);
    }
    this.#ledger.end(row, [...good, ...failed]);
    return { state: row.state, failures, changed };
  }

  /** Returns the scopes of an account that are still requested, with or without a response so far. */
  requestedScopes(dataset: AnyDataset, name: string): Scope[] {
    const found = this.#ledger.seriesId(name, dataset.name);
    if (found === null) return [];
    return this.#statements.requestedScopes
      .all({ seriesId: found })
      .map(({ productType }) => (productType || null) as Scope);
  }

  /** Returns the last good snapshot of every scope that is still requested, of one account or of all. */
  latest(dataset: Dataset, name?: string): KnownRows[] {
    const { latestOfAll, latestOfOne } = this.#statements;
    const layout = layoutOf(dataset);
    const found =
      name === undefined
        ? latestOfAll.all({ dataset: dataset.name })
        : latestOfOne.all({ dataset: dataset.name, account: name });
    return found.map(({ id, account, requested, latest, slot, takenAt }) => ({
      account,
      scope: (requested || null) as Scope,
      slot,
      takenAt,
      rows: shownRows(layout, this.#stateOf(layout, id), latest),
    }));
  }

  /** Returns how far a scope of an incremental dataset was read, null if it never was. */
  reading(name: string, dataset: DatasetName, requested: Scope): ReadProgress | null {
    const found = this.#ledger.seriesId(name, dataset);
    return found === null ? null : this.#records.reading(found, scopeText(requested));
  }

  /** Drops the state in memory, as after a rollback. It is read again when needed. */
  forget(): void {
    this.#states.clear();
    this.#episodes.forget();
  }

  /** Stores a snapshot. Returns its row, or the failure if a value cannot be stored exactly. */
  #addSnapshot(layout: StorageLayout, found: LedgerRun, one: Snapshot): StoredSnapshot | FailedSnapshot {
    let items: ReturnType<typeof partsByKey>;
    let removed: ReturnType<typeof partsByKey> | undefined;
    try {
      items = partsByKey(layout, one.items);
      if (isPastSnapshot(one)) removed = partsByKey(layout, one.removed);
    } catch (error) {
      return unstorable(one, error);
    }
    const scopeId = this.#requestedScope(found.seriesId, one.scope);
    const state = this.#stateOf(layout, scopeId);
    const { changes, lines, rows } = diff(layout, state, items, removed);
    const digest = digestOf(found, one, lines);
    const id = isPastSnapshot(one) ? one.id : undefined;
    const stored = this.#addRow({ id, runId: found.id, scopeId, takenAt: one.takenAt, rows, digest });
    this.#tablesOf(layout).applyChanges(changes, { scopeId, snapshotId: stored.id, state });
    if (layout.dataset.episodes) this.#episodes.advance(scopeId, { id: stored.id, takenAt: one.takenAt }, state);
    this.#statements.setLatest.run({ scopeId, snapshotId: stored.id });
    return stored;
  }

  /** Stores a batch of records likewise. Adds to `changed` the ids of records stored before with different content. */
  #addRecords(
    dataset: IncrementalDataset,
    found: LedgerRun,
    one: Snapshot,
    changed: string[],
  ): StoredSnapshot | FailedSnapshot {
    const batch = recordBatchOf(dataset, one);
    const scopeId = this.#requestedScope(found.seriesId, one.scope);
    let plan: RecordPlan;
    try {
      plan = this.#records.plan(dataset, scopeId, batch);
    } catch (error) {
      return unstorable(one, error);
    }
    changed.push(...plan.changed);
    const digest = digestOf(found, one, plan.lines);
    const id = "id" in batch ? (batch as PastRecordBatch).id : undefined;
    const stored = this.#addRow({ id, runId: found.id, scopeId, takenAt: one.takenAt, rows: plan.rows.length, digest });
    this.#records.write(stored.id, plan);
    this.#statements.setLatest.run({ scopeId, snapshotId: stored.id });
    return stored;
  }

  #addFailure(found: LedgerRun, failure: FailedSnapshot): StoredSnapshot {
    const scopeId = this.#requestedScope(found.seriesId, failure.scope);
    return this.#addRow({ runId: found.id, scopeId, ...failureRow(found, failure) });
  }

  #addRow(row: typeof snapshot.$inferInsert): StoredSnapshot {
    const { insertSnapshot } = this.#statements;
    const { lastInsertRowid } = insertSnapshot.run({ errorCode: null, errorMessage: null, ...row, id: row.id ?? null });
    return { id: Number(lastInsertRowid), digest: row.digest, rows: row.rows };
  }

  #requestedScope(seriesId: number, requested: Scope): number {
    return this.#statements.requestScope.get({ seriesId, productType: scopeText(requested) }).id;
  }

  /** Retires scopes that a complete run no longer requested, such as product types of an account that is unified now. */
  #retireOthers(seriesId: number, requested: readonly string[], until: number): void {
    const { requestedScopes, retireScope } = this.#statements;
    for (const { id, productType } of requestedScopes.all({ seriesId }))
      if (!requested.includes(productType)) retireScope.run({ id, until });
  }

  #tablesOf(layout: StorageLayout): DatasetTables {
    const tables = this.#tables.get(layout) ?? new DatasetTables(this.#sqlite, this.#orm, layout);
    this.#tables.set(layout, tables);
    return tables;
  }

  #stateOf(layout: StorageLayout, scopeId: number): ScopeState {
    const state = this.#states.get(scopeId) ?? this.#tablesOf(layout).load(scopeId);
    this.#states.set(scopeId, state);
    return state;
  }
}

/** Returns a placeholder, bound when the statement runs. */
const param = (name: string): SQL => sql`${sql.placeholder(name)}`;

function prepare(orm: BetterSQLite3Database) {
  const latest = (condition: SQL | undefined) =>
    orm
      .select({
        id: scope.id,
        account: account.name,
        requested: scope.productType,
        latest: snapshot.id,
        slot: run.slot,
        takenAt: snapshot.takenAt,
      })
      .from(scope)
      .innerJoin(series, eq(series.id, scope.seriesId))
      .innerJoin(account, eq(account.id, series.accountId))
      .innerJoin(snapshot, eq(snapshot.id, scope.latest))
      .innerJoin(run, eq(run.id, snapshot.runId))
      .where(and(eq(series.dataset, param("dataset")), isNull(scope.until), condition))
      .prepare();
  return {
    latestOfAll: latest(undefined),
    latestOfOne: latest(eq(account.name, param("account"))),
    requestScope: orm
      .insert(scope)
      .values({ seriesId: param("seriesId"), productType: param("productType") })
      .onConflictDoUpdate({ target: [scope.seriesId, scope.productType], set: { until: null } })
      .returning({ id: scope.id })
      .prepare(),
    requestedScopes: orm
      .select({ id: scope.id, productType: scope.productType })
      .from(scope)
      .where(and(eq(scope.seriesId, param("seriesId")), isNull(scope.until)))
      .prepare(),
    retireScope: orm
      .update(scope)
      .set({ until: param("until") })
      .where(eq(scope.id, param("id")))
      .prepare(),
    setLatest: orm
      .update(scope)
      .set({ latest: param("snapshotId") })
      .where(eq(scope.id, param("scopeId")))
      .prepare(),
    insertSnapshot: orm
      .insert(snapshot)
      .values({
        id: param("id"),
        runId: param("runId"),
        scopeId: param("scopeId"),
        takenAt: param("takenAt"),
        rows: param("rows"),
        digest: param("digest"),
        errorCode: param("errorCode"),
        errorMessage: param("errorMessage"),
      })
      .prepare(),
  };
}
