/** Stores the results of runs in PostgreSQL, in the transaction that has locked the account. */
import type { FailedSnapshot, Snapshot } from "../../../../core/domain.ts";
import type { Dataset } from "../../../../datasets/dataset.ts";
import type { IncrementalDataset } from "../../../../datasets/incremental.ts";
import type { SnapshotDigest } from "../../../chain/chain.ts";
import { type RecordPlan, readRecords } from "../../../records/record-plan.ts";
import { recordLayoutOf } from "../../../schema/record-layout.ts";
import { type ItemParts, layoutOf, partsByKey, type StorageLayout } from "../../../schema/storage-layout.ts";
import { snapshot as snapshotTable } from "../../../schema/tables.ts";
import { diff } from "../../../snapshots/change-set.ts";
import {
  digestOf,
  failureRow,
  recordBatchOf,
  runRowOf,
  type StoredSnapshot,
  scopeText,
  unstorable,
} from "../../../snapshots/run-results.ts";
import type { RunEnd, RunOutcome } from "../../../store.ts";
import { runEnded } from "../gaps.ts";
import { endedCells, endRun, findRun, type LockedAccount, type RecordedRun } from "../ledger.ts";
import { insertWithIds, requireStorable, withoutNul } from "../rows.ts";
import { comparedRecords, insertRecords } from "./records.ts";
import type { ScopeChange, ScopeStates } from "./scope-state.ts";

/** The result of a run, and what to do once it is committed. */
export interface Finished {
  outcome: RunOutcome;
  committed(): void;
}

/** A scope of a series. */
interface ScopeRow {
  id: number;
  productType: string;
  latest: number | null;
  /** Null while it is requested. */
  until: number | null;
}

/** The good snapshots of a run, without ids; `write` stores what belongs to them, under their ids. */
interface Good {
  rows: { scopeId: number; takenAt: number; rows: number; digest: Buffer }[];
  changed: string[];
  write(ids: readonly number[]): Promise<() => void>;
}

/** Stores rows, snapshots and the end of a run. A run that has ended already keeps its state, which is returned. */
export async function finishRun(
  account: LockedAccount,
  runId: number,
  end: RunEnd,
  states: ScopeStates,
): Promise<Finished> {
  const { connection, chain } = account;
  const run = await findRun(connection, runId);
  if (!run) throw new Error(`run ${runId} does not exist`);
  if (run.state !== "running") return { outcome: { state: run.state, failures: end.failures }, committed: () => {} };
  const { dataset } = end;
  requireDistinctScopes(end.snapshots);
  const prepared =
    dataset.mode === "incremental" ? prepareRecords(dataset, end.snapshots) : prepareSnapshots(dataset, end.snapshots);
  const failures = [...end.failures, ...prepared.failures];
  const scopes = await requestScopes(account, run, [
    ...prepared.scopes,
    ...failures.map(({ scope }) => scopeText(scope)),
  ]);
  const good = await prepared.compare(account, run, scopes, states);
  const failed = failures.map((failure) => ({
    scopeId: scopes.get(scopeText(failure.scope))?.id ?? 0,
    ...failureRow(run, { ...failure, message: withoutNul(failure.message) }),
  }));
  const stored = await insertSnapshots(account, run, [
    ...good.rows.map((row) => ({ ...row, errorCode: null, errorMessage: null })),
    ...failed,
  ]);
  const committed = await good.write(stored.map(({ id }) => id));
  const row = runRowOf(run, end, good.rows, failures);
  if (row.state === "ok") await retireOthers(account, [...scopes.values()], end);
  await endRun(
    connection,
    row,
    good.rows.map(({ scopeId }, at) => ({ scopeId, snapshotId: stored[at]?.id ?? 0 })),
  );
  chain.appendRun(runId, endedCells(run, row), stored);
  const { seriesId, slot } = run;
  await runEnded(
    connection,
    { seriesId, slot, state: row.state, cause: row.cause },
    failed.map((one) => [one.scopeId, one.errorCode]),
  );
  return { outcome: { state: row.state, failures, changed: good.changed }, committed };
}

/** The snapshots of a run of which every value can be stored, and failures for the others. */
interface Prepared {
  failures: FailedSnapshot[];
  /** The scopes that are requested, in the order in which they are added. */
  scopes: string[];
  compare(
    account: LockedAccount,
    run: RecordedRun,
    scopes: ReadonlyMap<string, ScopeRow>,
    states: ScopeStates,
  ): Promise<Good>;
}

function requireDistinctScopes(snapshots: readonly Snapshot[]): void {
  const scopes = snapshots.map(({ scope }) => scope);
  if (new Set(scopes).size < scopes.length) throw new Error("a run has two snapshots of one scope");
}

/** Splits snapshots into those for which `read` returns and failures. Rethrows errors of other kinds. */
function storable<Read>(snapshots: readonly Snapshot[], read: (one: Snapshot) => Read) {
  const good: { one: Snapshot; read: Read }[] = [];
  const failures: FailedSnapshot[] = [];
  for (const one of snapshots) {
    try {
      good.push({ one, read: read(one) });
    } catch (error) {
      failures.push(unstorable(one, error));
    }
  }
  return { good, failures };
}

function prepareSnapshots(dataset: Dataset, snapshots: readonly Snapshot[]): Prepared {
  const layout = layoutOf(dataset);
  const { good, failures } = storable(snapshots, (one) => storableParts(layout, one));
  return {
    failures,
    scopes: good.map(({ one }) => scopeText(one.scope)),
    async compare({ connection }, run, scopes, states) {
      const rows: Good["rows"] = [];
      const changes: Omit<ScopeChange, "snapshotId">[] = [];
      for (const { one, read } of good) {
        const { id: scopeId, latest } = scopeOf(scopes, one);
        const before = await states.read(connection, layout, scopeId, latest);
        const found = diff(layout, before.state, read);
        rows.push({ scopeId, takenAt: one.takenAt, rows: found.rows, digest: digestOf(run, one, found.lines) });
        changes.push({ layout, scopeId, takenAt: one.takenAt, before, changes: found.changes });
      }
      const write = (ids: readonly number[]) =>
        states.write(
          connection,
          changes.map((change, at) => ({ ...change, snapshotId: ids[at] ?? 0 })),
        );
      return { rows, changed: [], write };
    },
  };
}

function storableParts(layout: StorageLayout, { items }: Snapshot): Map<string, ItemParts> {
  const parts = partsByKey(layout, items);
  const kinds = [...layout.key, ...layout.steady, ...layout.moving].map((name) => ({
    name,
    kind: layout.dataset.columns[name]?.kind,
  }));
  for (const [item, { key, steady, moving }] of parts)
    for (const [at, value] of [...key, ...steady, ...moving].entries())
      requireStorable(value, kinds[at]?.kind === "decimal", `${item}: ${kinds[at]?.name}`);
  return parts;
}

function prepareRecords(dataset: IncrementalDataset, snapshots: readonly Snapshot[]): Prepared {
  const layout = recordLayoutOf(dataset);
  const { good, failures } = storable(snapshots, (one) => {
    const read = readRecords(layout, recordBatchOf(dataset, one));
    for (const { id, cells } of read)
      for (const [at, value] of cells.entries())
        requireStorable(value, layout.columns[at]?.kind === "decimal", `${id}: ${layout.names[at]}`);
    return read;
  });
  return {
    failures,
    scopes: snapshots.map(({ scope }) => scopeText(scope)),
    async compare({ connection }, run, scopes) {
      const plans: RecordPlan[] = [];
      for (const { one, read } of good)
        plans.push(
          await comparedRecords(connection, layout, scopeOf(scopes, one).id, recordBatchOf(dataset, one), read),
        );
      return {
        changed: plans.flatMap(({ changed }) => changed),
        rows: good.map(({ one }, at) => ({
          scopeId: scopeOf(scopes, one).id,
          takenAt: one.takenAt,
          rows: plans[at]?.rows.length ?? 0,
          digest: digestOf(run, one, plans[at]?.lines ?? []),
        })),
        async write(ids) {
          for (const [at, plan] of plans.entries()) await insertRecords(connection, ids[at] ?? 0, plan);
          return () => {};
        },
      };
    },
  };
}

function scopeOf(scopes: ReadonlyMap<string, ScopeRow>, { scope }: Snapshot): ScopeRow {
  const found = scopes.get(scopeText(scope));
  if (!found) throw new Error(`the scope "${scopeText(scope)}" was not requested`);
  return found;
}

/** Adds or reopens scopes in their order. Returns all of the series, by product type. */
async function requestScopes(
  { connection }: LockedAccount,
  { seriesId }: RecordedRun,
  productTypes: readonly string[],
): Promise<ReadonlyMap<string, ScopeRow>> {
  const found = await connection.query<ScopeRow>(
    `select id, product_type as "productType", latest, until from scope where series_id = $1`,
    [seriesId],
  );
  const scopes = new Map<string, ScopeRow>(found.map((one) => [one.productType, one]));
  const requested = new Set(productTypes);
  const retired = found.filter(({ productType, until }) => until !== null && requested.has(productType));
  if (retired.length > 0)
    await connection.run("update scope set until = null where id = any($1)", [retired.map(({ id }) => id)]);
  const added = [...requested].filter((one) => !scopes.has(one));
  if (added.length === 0) return scopes;
  const ids = await connection.query<{ id: number }>(
    `insert into scope (series_id, product_type)
     select $1, product_type from unnest($2::text[]) with ordinality as given(product_type, ordinality) order by ordinality
     returning id`,
    [seriesId, added],
  );
  for (const [at, productType] of added.entries())
    scopes.set(productType, { id: ids[at]?.id ?? 0, productType, latest: null, until: null });
  return scopes;
}

/** Retires scopes that a complete run no longer requested, such as product types of an account that is unified now. */
async function retireOthers({ connection }: LockedAccount, scopes: readonly ScopeRow[], end: RunEnd): Promise<void> {
  const requested = new Set(end.snapshots.map(({ scope }) => scopeText(scope)));
  const others = scopes.filter(({ productType, until }) => until === null && !requested.has(productType));
  if (others.length === 0) return;
  await connection.run("update scope set until = $1 where id = any($2)", [end.finishedAt, others.map(({ id }) => id)]);
}

type SnapshotRow = Good["rows"][number] & { errorCode: string | null; errorMessage: string | null };

async function insertSnapshots(
  { connection }: LockedAccount,
  { id }: RecordedRun,
  rows: readonly SnapshotRow[],
): Promise<(StoredSnapshot & SnapshotDigest)[]> {
  const names = ["run_id", "scope_id", "taken_at", "rows", "digest", "error_code", "error_message"];
  const ids = await insertWithIds(
    connection,
    snapshotTable,
    names,
    rows.map((one) => [id, one.scopeId, one.takenAt, one.rows, one.digest, one.errorCode, one.errorMessage]),
  );
  return rows.map(({ digest, rows }, at) => ({ id: ids[at] ?? 0, digest, rows }));
}
