/** The end of a run in the database, and what the last good snapshots said. */
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { FailedSnapshot, Item, Known, RunState, Scope, Snapshot } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { Chain, Sealed } from "../chain/chain.ts";
import { createEpisodes } from "../positions/episodes.ts";
import { createGaps } from "../runs/gaps.ts";
import type { Ledger, LedgerRun } from "../runs/run-ledger.ts";
import { digestOf, failureDigestOf, type Heading, kept } from "../schema/digest.ts";
import type { State } from "../schema/storage-layout.ts";
import { type Layout, layoutOf, partsByKey, rowOf } from "../schema/storage-layout.ts";
import { account, run, scope, series, snapshot } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { RunEnd, RunId, RunOutcome } from "../store.ts";
import { createRecorder, plan, type Recorder } from "./change-set.ts";

const longestMessage = 500;

export interface History {
  /** Inside a transaction. */
  finish(id: RunId, end: RunEnd): RunOutcome;
  /** The state of a run that has ended, null while it runs. */
  endedAs(id: RunId): RunState | null;
  /** The scopes of an account that are still asked, whether or not there was ever an answer. */
  asked(dataset: Dataset, account: string): Scope[];
  latest(dataset: Dataset, account?: string): Known[];
  /** Drops what is kept in memory; it is read again when needed. */
  forget(): void;
}

/** A snapshot that was stored before, elsewhere, under this id. `gone`: the last rows of items that it no longer held. */
export interface PastSnapshot extends Snapshot {
  id: number;
  gone: Item[];
}

const isPast = (one: Snapshot): one is PastSnapshot => "gone" in one;

interface StoredSnapshot extends Sealed {
  rows: number;
}

export function createHistory(sqlite: Sqlite, orm: BetterSQLite3Database, ledger: Ledger, chain: Chain): History {
  const { askScope, scopesAsked, retireScope, pointScope, latestOfAll, latestOfOne, insertSnapshot, endRun } =
    prepare(orm);
  const recorders = new Map<Layout, Recorder>();
  const states = new Map<number, State>();
  const episodes = createEpisodes(orm);
  const gaps = createGaps(sqlite);

  function recorderOf(layout: Layout): Recorder {
    const recorder = recorders.get(layout) ?? createRecorder(sqlite, orm, layout);
    recorders.set(layout, recorder);
    return recorder;
  }

  function stateOf(layout: Layout, scopeId: number): State {
    const state = states.get(scopeId) ?? recorderOf(layout).load(scopeId);
    states.set(scopeId, state);
    return state;
  }

  function stored(id: RunId): LedgerRun {
    const found = ledger.run(id);
    if (!found) throw new Error(`there is no run ${id}`);
    return found;
  }

  function finish(id: RunId, end: RunEnd): RunOutcome {
    const found = stored(id);
    if (found.state !== "running") return { state: found.state, failures: end.failures };
    const layout = layoutOf(end.dataset);
    const failures = [...end.failures];
    const sealed: Sealed[] = [];
    let rows = 0;
    for (const one of end.snapshots) {
      const outcome = addSnapshot(layout, found, one);
      if ("code" in outcome) failures.push(outcome);
      else {
        rows += outcome.rows;
        sealed.push(outcome);
      }
    }
    for (const failure of failures) sealed.push(addFailure(found, failure));
    const good = end.snapshots.length + end.failures.length - failures.length;
    const state = endState(end, good, failures.length);
    if (state === "ok") {
      retireOthers(
        found.seriesId,
        end.snapshots.map(({ scope }) => textOf(scope)),
        end.finishedAt,
      );
    }
    endRun.run({
      id,
      state,
      cause: failures.length > 0 ? [...new Set(failures.map(({ code }) => code))].join(", ") : end.cause,
      tookMs: end.finishedAt - found.slot - (found.lateMs ?? 0),
      requests: end.requests,
      retries: end.retries,
      rows,
      spreadMs: end.spreadMs,
      skewMs: end.skewMs,
    });
    chain.ended(id, sealed);
    gaps.ended(id);
    return { state, failures };
  }

  /** What is stored of it, with the number of rows it shows; or why it cannot be stored. */
  function addSnapshot(layout: Layout, found: LedgerRun, one: Snapshot): StoredSnapshot | FailedSnapshot {
    let items: ReturnType<typeof partsByKey>;
    let gone: ReturnType<typeof partsByKey> | undefined;
    try {
      items = partsByKey(layout, one.items);
      if (isPast(one)) gone = partsByKey(layout, one.gone);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { scope: one.scope, takenAt: one.takenAt, code: "shape", message: error.message };
    }
    const scopeId = askedScope(found.seriesId, one.scope);
    const state = stateOf(layout, scopeId);
    const { steps, lines, rows } = plan(layout, state, items, gone);
    const digest = kept(digestOf(headingOf(found, one), lines));
    const id = isPast(one) ? one.id : undefined;
    const stored = addRow({ id, runId: found.id, scopeId, takenAt: one.takenAt, rows, digest });
    recorderOf(layout).carryOut({ scopeId, snapshotId: stored.id, state, steps });
    if (layout.dataset.episodes) episodes.advance(scopeId, { id: stored.id, takenAt: one.takenAt }, state);
    pointScope.run({ scopeId, snapshotId: stored.id });
    return stored;
  }

  function addFailure(found: LedgerRun, failure: FailedSnapshot): StoredSnapshot {
    const errorCode = failure.code.slice(0, 16);
    const errorMessage = Buffer.from(failure.message.slice(0, longestMessage)).toString();
    const digest = kept(failureDigestOf(headingOf(found, failure), errorCode, errorMessage));
    const scopeId = askedScope(found.seriesId, failure.scope);
    return addRow({ runId: found.id, scopeId, takenAt: failure.takenAt, rows: 0, digest, errorCode, errorMessage });
  }

  function addRow(row: typeof snapshot.$inferInsert): StoredSnapshot {
    const { lastInsertRowid } = insertSnapshot.run({ errorCode: null, errorMessage: null, ...row, id: row.id ?? null });
    return { id: Number(lastInsertRowid), digest: row.digest, rows: row.rows };
  }

  const askedScope = (seriesId: number, asked: Scope): number =>
    askScope.get({ seriesId, productType: textOf(asked) }).id;

  /** Scopes that a good run no longer asked, such as product types of an account that is unified now. */
  function retireOthers(seriesId: number, asked: readonly string[], until: number): void {
    for (const { id, productType } of scopesAsked.all({ seriesId })) {
      if (!asked.includes(productType)) retireScope.run({ id, until });
    }
  }

  return {
    finish,
    endedAs(id) {
      const { state } = stored(id);
      return state === "running" ? null : state;
    },
    asked(dataset, name) {
      const found = ledger.seriesId(name, dataset.name);
      return found === null
        ? []
        : scopesAsked.all({ seriesId: found }).map(({ productType }) => (productType || null) as Scope);
    },
    latest(dataset, name) {
      const layout = layoutOf(dataset);
      const found =
        name === undefined
          ? latestOfAll.all({ dataset: dataset.name })
          : latestOfOne.all({ dataset: dataset.name, account: name });
      return found.map(({ id, account, asked, latest, slot, takenAt }) => ({
        account,
        scope: (asked || null) as Scope,
        slot,
        takenAt,
        rows: [...stateOf(layout, id).values()]
          .filter(({ present, since }) => present === 1 || (dataset.vanishes === "zero" && since === latest))
          .map(({ parts }) => rowOf(layout, parts)),
      }));
    },
    forget() {
      states.clear();
      episodes.forget();
    },
  };
}

/** A value that is given when the statement runs. */
const given = (name: string): SQL => sql`${sql.placeholder(name)}`;

function prepare(orm: BetterSQLite3Database) {
  const latest = (condition: SQL | undefined) =>
    orm
      .select({
        id: scope.id,
        account: account.name,
        asked: scope.productType,
        latest: snapshot.id,
        slot: run.slot,
        takenAt: snapshot.takenAt,
      })
      .from(scope)
      .innerJoin(series, eq(series.id, scope.seriesId))
      .innerJoin(account, eq(account.id, series.accountId))
      .innerJoin(snapshot, eq(snapshot.id, scope.latest))
      .innerJoin(run, eq(run.id, snapshot.runId))
      .where(and(eq(series.dataset, given("dataset")), isNull(scope.until), condition))
      .prepare();
  return {
    latestOfAll: latest(undefined),
    latestOfOne: latest(eq(account.name, given("account"))),
    askScope: orm
      .insert(scope)
      .values({ seriesId: given("seriesId"), productType: given("productType") })
      .onConflictDoUpdate({ target: [scope.seriesId, scope.productType], set: { until: null } })
      .returning({ id: scope.id })
      .prepare(),
    scopesAsked: orm
      .select({ id: scope.id, productType: scope.productType })
      .from(scope)
      .where(and(eq(scope.seriesId, given("seriesId")), isNull(scope.until)))
      .prepare(),
    retireScope: orm
      .update(scope)
      .set({ until: given("until") })
      .where(eq(scope.id, given("id")))
      .prepare(),
    pointScope: orm
      .update(scope)
      .set({ latest: given("snapshotId") })
      .where(eq(scope.id, given("scopeId")))
      .prepare(),
    insertSnapshot: orm
      .insert(snapshot)
      .values({
        id: given("id"),
        runId: given("runId"),
        scopeId: given("scopeId"),
        takenAt: given("takenAt"),
        rows: given("rows"),
        digest: given("digest"),
        errorCode: given("errorCode"),
        errorMessage: given("errorMessage"),
      })
      .prepare(),
    endRun: orm
      .update(run)
      .set({
        state: given("state"),
        cause: given("cause"),
        tookMs: given("tookMs"),
        requests: given("requests"),
        retries: given("retries"),
        rows: given("rows"),
        spreadMs: given("spreadMs"),
        skewMs: given("skewMs"),
      })
      .where(eq(run.id, given("id")))
      .prepare(),
  };
}

const textOf = (scope: Scope): string => scope ?? "";

const headingOf = ({ dataset, account, slot }: LedgerRun, one: { scope: Scope; takenAt: number }): Heading => [
  dataset,
  account,
  textOf(one.scope),
  slot,
  one.takenAt,
];

function endState(end: RunEnd, good: number, failed: number): RunState {
  if (end.skipped) return "skipped";
  if (good === 0) return "failed";
  return failed > 0 ? "partial" : "ok";
}
