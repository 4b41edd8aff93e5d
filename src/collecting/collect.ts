/**
 * One run of one dataset for one account: the heart of the program.
 *
 *     claim the slot → request every scope at the same time → map responses to rows → store all of it in one transaction → notify
 *
 * A run that was claimed always ends with a stored result. What fails is stored as the failed snapshot of its scope, with the
 * reason: this file alone decides what a failure means.
 */

import { toJson } from "../bitget/wire/json.ts";
import { unlessAborted } from "../core/abort.ts";
import { sleep } from "../core/clock.ts";
import {
  type Address,
  type Answer,
  type ApiVersion,
  causes,
  type FailedSnapshot,
  type Item,
  manualSlot,
  type Params,
  type RecordBatch,
  type RunState,
  type Scope,
  type Snapshot,
} from "../core/domain.ts";
import { CollectorError, StorageError } from "../core/errors.ts";
import type { AnyEndpoint } from "../datasets/dataset.ts";
import type { AnyListEndpoint } from "../datasets/incremental.ts";
import type { RunEnd } from "../store/store.ts";
import { readRecords } from "./incremental/read-records.ts";
import { mapperInput } from "./related-rows.ts";
import { type CollectorDeps, RunContext, type RunRequest } from "./run-context.ts";
import { logFields, logRecords, logRun } from "./run-log.ts";

/** What a run brought: one entry per scope. Neither snapshots nor failures: the account has no such data. */
interface Result {
  /** Of an incremental dataset: batches of records. */
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
    deps.rawAnswers?.keep(run.name, run.responses);
    logRun(run, stored, result.snapshots, end.finishedAt);
    logRecords(run, stored, result.snapshots);
    logFields(run, result.snapshots);
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
  const remembered = await deps.store.apiVersion(session.name);
  let scopes: readonly Scope[] = (remembered && dataset.endpoints[remembered]?.scopes(deps.productTypes)) ?? [null];
  try {
    deps.store.requireRoom();
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
          if ("read" in endpoint) await readNewRecords(run, endpoint, scope, result);
          else result.snapshots.push(await readScope(run, endpoint, scope));
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

/** Reads what is new in one scope of an incremental dataset. What was read before a failure is part of the result. */
async function readNewRecords(run: RunContext, endpoint: AnyListEndpoint, scope: Scope, result: Result): Promise<void> {
  const { dataset, session, deps } = run;
  const { address } = endpoint;
  const last = await deps.store.reading(session.name, dataset.name, scope);
  const { batch, error } = await readRecords(
    {
      endpoint,
      scope,
      async ask(params) {
        const answer = await send(run, address, params, scope);
        run.assertWithinSlot();
        return answer;
      },
      onMissing: (field) => run.missingFields.add(field),
    },
    last,
    run.exchangeTime(),
  );
  if (batch) result.snapshots.push({ ...batch, items: batch.items.map((item) => withoutSecrets(run, item)) });
  if (error) throw error;
}

/** Reads one scope. An empty response where the last snapshot had rows is requested once more, and then believed. */
async function readScope(run: RunContext, endpoint: AnyEndpoint, scope: Scope): Promise<Snapshot> {
  const { dataset, session, deps } = run;
  const first = await readOnce(run, endpoint, scope);
  if (endpoint.address === null || first.items.length > 0 || dataset.mode !== "snapshot") return first;
  const last = (await deps.store.latest(dataset, session.name)).find((known) => known.scope === scope);
  return last && last.rows.length > 0 ? readOnce(run, endpoint, scope) : first;
}

/** Sends the request at once, and maps the response when the runs that its rows depend on have ended. */
async function readOnce(run: RunContext, endpoint: AnyEndpoint, scope: Scope): Promise<Snapshot> {
  const answer = await request(run, endpoint, scope);
  run.assertWithinSlot();
  if (endpoint.needs.length > 0) await unlessAborted(run.dependencies, run.signal);
  const takenAt = answer?.takenAt ?? run.session.client.exchangeNow();
  const input = await mapperInput(run, scope, endpoint.needs);
  const items = endpoint.items(answer?.data ?? null, input, (field) => run.missingFields.add(field));
  return { scope, takenAt, items: items.map((item) => withoutSecrets(run, item)) };
}

/** Returns null where the rows are computed from other datasets alone. */
const request = async (run: RunContext, { address, params }: AnyEndpoint, scope: Scope): Promise<Answer | null> =>
  address && send(run, address, params(scope), scope);

async function send(run: RunContext, address: Address, params: Params, scope: Scope): Promise<Answer> {
  const { signal, tally } = run;
  const answer = await run.session.client.get(address, params, {
    signal,
    tally,
    onReply: (reply, receivedAt) => run.keepResponse(scope, address.name, reply, receivedAt),
  });
  run.answered(answer.receivedAt);
  return answer;
}

/** Unknown fields are kept as they are, but not where they repeat a secret that was sent. */
function withoutSecrets({ deps }: RunContext, item: Item): Item {
  if (item.extra === null) return item;
  const text = toJson(item.extra);
  return deps.redact(text) === text ? item : { ...item, extra: { redacted: "it repeated a secret" } };
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
