/**
 * One run of one dataset for one account.
 *
 *     claim the slot → request every scope at the same time → map responses to rows → store all of it in one transaction → notify
 *
 * `scheduler.ts` calls it for slots that are due, the `collect` command for the current time. `read-scope.ts` reads one scope. A
 * failure is stored as the failed snapshot of its scope with the reason: only this file decides what a failure means, and a run
 * whose slot was claimed always ends with a stored result.
 */

import { holdsMoney } from "../bitget/product-types.ts";
import { sleep } from "../core/clock.ts";
import {
  type ApiVersion,
  causes,
  type FailedSnapshot,
  manualSlot,
  type RecordBatch,
  type RunState,
  type Scope,
  type Snapshot,
} from "../core/domain.ts";
import { CollectorError, StorageError } from "../core/errors.ts";
import { type AnyListSource, sourcesOf } from "../datasets/incremental.ts";
import type { RunEnd } from "../store/store.ts";
import { readNewRecords, readParts, readSnapshot } from "./read-scope.ts";
import { type CollectorDeps, RunContext, type RunRequest } from "./run-context.ts";
import { logRun } from "./run-log.ts";

/** The results of all scopes. Neither snapshots nor failures: the account has no such data. */
interface Result {
  /** Batches of records for an incremental dataset, including those read before a failure. */
  snapshots: (Snapshot | RecordBatch)[];
  failures: FailedSnapshot[];
}

/** A run that starts later than this after its slot is stored as `late`. */
const lateAfterMs = 1000;

/**
 * Runs one dataset of one account at one slot. Resolves with the run's final state; null if the slot has a run already.
 * @throws StorageError if the database was removed, or the slot cannot be claimed
 */
export async function collect(request: RunRequest, deps: CollectorDeps): Promise<RunState | null> {
  const { dataset, session, trigger } = request;
  const { store, clock } = deps;
  const slot = trigger === "demand" ? manualSlot(request.slot) : request.slot;
  // The slot of a manual run may be the next millisecond.
  const started = { wall: Math.max(slot, clock.now()), monotonic: clock.monotonic() };
  const id = await store.begin(session.name, dataset.name, slot, started.wall, trigger);
  if (id === null) return null;
  const run = new RunContext({ ...request, slot }, started, deps);
  try {
    const result = await readAllScopes(run);
    const end = endOf(run, result);
    const stored = await retryWhileStorageFails(run, () => store.finish(id, end));
    deps.rawResponses?.keep(run.name, run.responses);
    logRun(run, stored, result.snapshots, end.finishedAt);
    const ended = { ...run.name, ...run.tally, ...stored, startedAt: run.startedAt, finishedAt: end.finishedAt };
    for (const observer of deps.observers) observer.onEnded?.(ended);
    if (dataset.mode === "incremental" && (dataset.isLedger || dataset.endsEpisodes)) {
      const reconciling = reconcileLedger(run);
      if (request.onReconciling) request.onReconciling(reconciling);
      else await reconciling;
    }
    return stored.state;
  } finally {
    run.close();
  }
}

/** Compares new entries of the exchange's ledger with the snapshots and with closed positions. Never rejects: what fails is done after the next run. */
async function reconcileLedger({ session, deps }: RunContext): Promise<void> {
  try {
    if (!deps.store.ledger) return;
    await deps.store.ledger.reconcile(session.name, deps.clock.now());
    for (const observer of deps.observers) observer.onReconciled?.(session.name);
  } catch (error) {
    const fields = { account: session.name, problem: error instanceof Error ? error.message : String(error) };
    deps.log.warn(fields, "the exchange's ledger could not be reconciled; the next run tries again");
  }
}

/**
 * Reads every scope of the dataset in the account's API version. If the exchange reports that the account has another version by
 * now, all scopes are read again, once.
 */
async function readAllScopes(run: RunContext, mayChangeVersion = true): Promise<Result> {
  const { session, deps } = run;
  let scopes: readonly Scope[] = [null];
  try {
    const remembered = await deps.store.apiVersion(session.name);
    if (remembered) scopes = requestsOf(run, remembered).map(({ scope }) => scope);
    deps.store.requireDiskSpace();
    const { signal, tally } = run;
    const version = await session.api({ signal, tally });
    const requests = requestsOf(run, version);
    scopes = requests.map(({ scope }) => scope);
    const result: Result = { snapshots: [], failures: [] };
    const errors: unknown[] = [];
    const readAll = async (all: readonly Requested[]): Promise<void> => {
      await Promise.all(
        all.map(async ({ source, scope }) => {
          try {
            if (!("read" in source)) result.snapshots.push(await readSnapshot(run, source, scope));
            else if (source.parts) await readEachPart(run, source, scope, result, readAll);
            else {
              const { batch, error } = await readNewRecords(run, source, scope);
              if (batch) result.snapshots.push(batch);
              if (error) throw error;
            }
          } catch (error) {
            errors.push(error);
            // A product type that the exchange does not have is not a failure.
            if (kindOf(error) !== "absent") result.failures.push(failureOf(run, scope, error));
          }
        }),
      );
    };
    await readAll(requests);
    const versionMayHaveChanged = mayChangeVersion && errors.some((error) => kindOf(error) === "mode");
    if (!versionMayHaveChanged || !(await hasOtherVersion(run, version))) return result;
    const second = await readAllScopes(run, false);
    // Keeps the first result if only that has a snapshot.
    return second.snapshots.length === 0 && result.snapshots.length > 0 ? result : second;
  } catch (error) {
    return { snapshots: [], failures: scopes.map((scope) => failureOf(run, scope, error)) };
  }
}

interface Requested {
  source: ReturnType<typeof sourcesOf>[number];
  scope: Scope;
}

/**
 * Reads which parts a wallet has, and then each: also those that earlier runs found, because the exchange may list only what holds
 * something. @throws where the parts cannot be listed, after the known ones were read
 */
async function readEachPart(
  run: RunContext,
  source: AnyListSource,
  scope: Scope,
  result: Result,
  readAll: (all: readonly Requested[]) => Promise<void>,
): Promise<void> {
  const { store } = run.deps;
  const requested = await store.requestedScopes(run.dataset, run.session.name);
  const parts = new Set(requested.filter((one) => one?.startsWith(`${scope}/`)));
  try {
    if (!source.parts) return;
    const { batch, scopes } = await readParts(run, source.parts, scope);
    result.snapshots.push(batch);
    for (const part of scopes) parts.add(part);
  } finally {
    await readAll([...parts].map((part) => ({ source: { ...source, parts: null }, scope: part })));
  }
}

/**
 * Returns the scopes to request, each with its source; none where the API version does not offer the dataset. The endpoints for all
 * sub-accounts of a main account are not documented to have demo product types.
 */
function requestsOf({ dataset, session, deps }: RunContext, version: ApiVersion): Requested[] {
  const isMissing = (source: Requested["source"]) => !("subAccounts" in source && source.subAccounts);
  return sourcesOf(dataset, version).flatMap((source) => {
    if (session.subAccount && isMissing(source)) return [];
    const scopes = source.scopes(deps.productTypes);
    return (session.subAccount ? scopes.filter(holdsMoney) : scopes).map((scope) => ({ source, scope }));
  });
}

/** Returns true if the account has another API version than `version`; false also if that cannot be determined now. */
async function hasOtherVersion(run: RunContext, version: ApiVersion): Promise<boolean> {
  const { session, dataset, signal, tally, deps } = run;
  try {
    return await session.recheck(version, { signal, tally });
  } catch (error) {
    const { code, message } = describe(run, error);
    const fields = { account: session.name, dataset: dataset.name, code };
    deps.log.warn(
      fields,
      `the API version of account ${session.name} could not be checked, still using ${version}: ${message}`,
    );
    return false;
  }
}

function endOf(run: RunContext, { snapshots, failures }: Result): RunEnd {
  const skipped = snapshots.length + failures.length === 0;
  return {
    dataset: run.dataset,
    snapshots,
    failures,
    skipped,
    cause: skipped ? causes.notOffered : run.startedAt - run.slot > lateAfterMs ? causes.late : null,
    finishedAt: run.now(),
    ...run.tally,
    spreadMs: run.spreadMs(),
    skewMs: run.skewMs(),
  };
}

/**
 * Repeats a write every second until it succeeds: a full disk or a busy database is temporary, and the result must not be lost.
 * @throws StorageError if the database was removed; any other error; the abort reason if the program must stop
 */
async function retryWhileStorageFails<Stored>(run: RunContext, write: () => Promise<Stored>): Promise<Stored> {
  const { dataset, session, deps } = run;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StorageError) || error.fileLost) throw error;
      const problem = describe(run, error).message;
      deps.log.error(
        { account: session.name, dataset: dataset.name, problem },
        "the run could not be stored; retrying in 1 s",
      );
      await sleep(deps.clock, 1000, deps.stopping);
    }
  }
}

const kindOf = (error: unknown): CollectorError["kind"] => (error instanceof CollectorError ? error.kind : "internal");

/** Returns the failed snapshot of a scope, with the reason. */
const failureOf = (run: RunContext, scope: Scope, error: unknown): FailedSnapshot => ({
  scope,
  takenAt: run.now() + (run.session.client.offset() ?? 0),
  ...describe(run, error),
});

/** Returns the code and message of a failure. An error of an unknown class is reported as a bug of this program. */
function describe({ deps }: RunContext, error: unknown): { code: string; message: string } {
  if (error instanceof CollectorError) return { code: error.code, message: deps.redact(error.message) };
  return { code: "internal", message: deps.redact(`a bug of this program: ${String(error)}`) };
}
