/**
 * One run of one dataset for one account: the heart of the program.
 *
 *     claim the slot → request every scope at the same time → map responses to rows → store all of it in one transaction → notify
 *
 * `scheduler.ts` calls it for slots that are due, the `collect` command for the present instant. `read-scope.ts` is what happens
 * to one scope. What fails is stored as the failed snapshot of its scope with the reason: this file alone decides what a
 * failure means, and a run that was claimed always ends with a stored result.
 */

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
import type { RunEnd } from "../store/store.ts";
import { readNewRecords, readSnapshot } from "./read-scope.ts";
import { type CollectorDeps, RunContext, type RunRequest } from "./run-context.ts";
import { logRun } from "./run-log.ts";

/** What a run brought for each scope. Neither snapshots nor failures: the account has no such data. */
interface Result {
  /** Of an incremental dataset: batches of records; what was read before a failure is one too. */
  snapshots: (Snapshot | RecordBatch)[];
  failures: FailedSnapshot[];
}

/** A run that starts later than this after its slot is stored as `late`. */
const lateAfterMs = 1000;

/**
 * Runs one dataset of one account at one slot. Resolves with the run's final state, or null where the slot is taken already.
 * @throws StorageError where the database is gone, or the slot cannot be claimed
 */
export async function collect(request: RunRequest, deps: CollectorDeps): Promise<RunState | null> {
  const { dataset, session, trigger } = request;
  const { store, clock } = deps;
  const slot = trigger === "demand" ? manualSlot(request.slot) : request.slot;
  // The slot of a run on demand may be the millisecond after this one.
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
    return stored.state;
  } finally {
    run.close();
  }
}

/**
 * Reads every scope of the dataset as the account's API version provides it. Where the exchange says that the account has another
 * version by now, all scopes are read again, once.
 */
async function readAllScopes(run: RunContext, mayChangeVersion = true): Promise<Result> {
  const { dataset, session, deps } = run;
  let scopes: readonly Scope[] = [null];
  try {
    const remembered = await deps.store.apiVersion(session.name);
    scopes = (remembered && dataset.endpoints[remembered]?.scopes(deps.productTypes)) ?? scopes;
    deps.store.requireDiskSpace();
    const { signal, tally } = run;
    const version = await session.api({ signal, tally });
    const endpoint = dataset.endpoints[version];
    if (!endpoint) return { snapshots: [], failures: [] };
    scopes = endpoint.scopes(deps.productTypes);
    const result: Result = { snapshots: [], failures: [] };
    const errors: unknown[] = [];
    await Promise.all(
      scopes.map(async (scope) => {
        try {
          if ("read" in endpoint) {
            const { batch, error } = await readNewRecords(run, endpoint, scope);
            if (batch) result.snapshots.push(batch);
            if (error) throw error;
          } else result.snapshots.push(await readSnapshot(run, endpoint, scope));
        } catch (error) {
          errors.push(error);
          // A product type that the exchange does not have is no failure.
          if (kindOf(error) !== "absent") result.failures.push(failureOf(run, scope, error));
        }
      }),
    );
    const versionMayHaveChanged = mayChangeVersion && errors.some((error) => kindOf(error) === "mode");
    if (!versionMayHaveChanged || !(await hasOtherVersion(run, version))) return result;
    const second = await readAllScopes(run, false);
    // The first result stands where it has a snapshot and the second one none.
    return second.snapshots.length === 0 && result.snapshots.length > 0 ? result : second;
  } catch (error) {
    return { snapshots: [], failures: scopes.map((scope) => failureOf(run, scope, error)) };
  }
}

/** Returns true where the account really has another API version than `version`; false where that cannot be found out now. */
async function hasOtherVersion(run: RunContext, version: ApiVersion): Promise<boolean> {
  const { session, dataset, signal, tally, deps } = run;
  try {
    return await session.recheck(version, { signal, tally });
  } catch (error) {
    const { code, message } = describe(run, error);
    const fields = { account: session.name, dataset: dataset.name, code };
    deps.log.warn(fields, `whether ${session.name} still speaks ${version} is not known: ${message}`);
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
 * Repeats a write every second until it succeeds: full disks and busy databases pass, and the result is kept until then.
 * @throws what does not pass: the database is gone, a bug, or the program must stop
 */
async function retryWhileStorageFails<Stored>(run: RunContext, write: () => Promise<Stored>): Promise<Stored> {
  const { dataset, session, deps } = run;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StorageError) || error.gone) throw error;
      const problem = describe(run, error).message;
      deps.log.error({ account: session.name, dataset: dataset.name, problem }, "not stored; trying again in a second");
      await sleep(deps.clock, 1000, deps.stopping);
    }
  }
}

const kindOf = (error: unknown): CollectorError["kind"] => (error instanceof CollectorError ? error.kind : "internal");

/** The snapshot of a scope that could not be read, with the reason. */
const failureOf = (run: RunContext, scope: Scope, error: unknown): FailedSnapshot => ({
  scope,
  takenAt: run.now() + (run.session.client.offset() ?? 0),
  ...describe(run, error),
});

/** Puts a failure into words. An error that is not of this program's classes is a bug of it, and is called one. */
function describe({ deps }: RunContext, error: unknown): { code: string; message: string } {
  if (error instanceof CollectorError) return { code: error.code, message: deps.redact(error.message) };
  return { code: "internal", message: deps.redact(`a bug of this program: ${String(error)}`) };
}
