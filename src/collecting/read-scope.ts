/** Reads one scope of a run: sends requests and maps responses to rows. Throws failures; `collect.ts` decides what they mean. */

import { toJson } from "../bitget/wire/json.ts";
import { abortable } from "../core/async/abort.ts";
import type { ApiEndpoint, ApiResponse, Item, Params, RecordBatch, Scope, Snapshot } from "../core/domain.ts";
import { ApiError, type CollectorError, UnknownError } from "../core/errors.ts";
import type { AnyDatasetSource } from "../datasets/dataset.ts";
import type { AnyListSource, PartsList } from "../datasets/incremental.ts";
import type { Session, SubAccountAccess } from "./account-session.ts";
import { type ReadResult, readRecords } from "./incremental/read-records.ts";
import { mapperInput } from "./related-rows.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Reads one scope of a snapshot dataset. An empty response is requested once more if the last snapshot had rows, and then accepted;
 * so is a response for all sub-accounts that omits this one.
 * @throws UnknownError, or ApiError of kind `absent` if that was to be expected, for an omitted sub-account
 */
export async function readSnapshot(run: RunContext, source: AnyDatasetSource, scope: Scope): Promise<Snapshot> {
  const { dataset, session, deps } = run;
  if (dataset.mode !== "snapshot") throw new Error(`${dataset.name} has no snapshots`);
  const first = await readOnce(run, source, scope, 1);
  if (first && (source.endpoint === null || first.items.length > 0)) return first;
  const last = (await deps.store.latest(dataset, session.name)).find((known) => known.scope === scope);
  const snapshot = last && last.rows.length > 0 ? await readOnce(run, source, scope, 2) : first;
  if (snapshot) return snapshot;
  throw leftOut(session, source, last !== undefined);
}

/**
 * Returns the error for a sub-account that a complete response omits. That it holds nothing would be a guess, because the key of the
 * main account may no longer have access to it. Nothing is recorded if it was never listed, or if empty ones are omitted.
 */
function leftOut({ name }: Session, { subAccounts }: AnyDatasetSource, wasListed: boolean): CollectorError {
  const path = subAccounts?.endpoint.path ?? "";
  if (wasListed && !subAccounts?.omitsEmpty)
    return new UnknownError(`${path}: the response no longer contains the sub-account ${name}`);
  return new ApiError("absent", path, "absent", `the response does not contain the sub-account ${name}`);
}

/**
 * Sends the request at once, and maps the response after the runs that its rows depend on have ended. Returns null if the response
 * for all sub-accounts omits this one.
 */
async function readOnce(
  run: RunContext,
  source: AnyDatasetSource,
  scope: Scope,
  attempt: number,
): Promise<Snapshot | null> {
  const { subAccount } = run.session;
  const response = subAccount
    ? await readPart(run, subAccount, source, { scope, attempt })
    : await request(run, source, scope);
  run.assertWithinSlot();
  if (subAccount && !response) return null;
  if (source.needs.length > 0) await abortable(run.dependencies, run.signal);
  const takenAt = response?.takenAt ?? run.session.client.exchangeNow();
  const input = await mapperInput(run, scope, source.needs);
  const lacks = (subAccount && source.subAccounts?.lacks) ?? [];
  const items = source.items(response?.data ?? null, input, (field) => {
    if (!lacks.includes(field)) run.missingFields.add(field);
  });
  return { scope, takenAt, items: items.map((item) => withoutSecrets(run, item)) };
}

/** Reads the new records of one scope of an incremental dataset. Returns records read before a failure together with the error. */
export async function readNewRecords(run: RunContext, list: AnyListSource, scope: Scope): Promise<ReadResult> {
  const { dataset, session, deps } = run;
  const last = await deps.store.reading(session.name, dataset.name, scope);
  const source = {
    endpoint: list,
    scope,
    async get(params: Params) {
      const response = await send(run, list.endpoint, params, scope);
      run.assertWithinSlot();
      return response;
    },
    onMissing: (field: string) => run.missingFields.add(field),
    onWindow: (done: number, total: number) => reportWindow(run, scope, done, total),
  };
  const { batch, error } = await readRecords(source, last, run.exchangeTime());
  return { batch: batch && { ...batch, items: batch.items.map((item) => withoutSecrets(run, item)) }, error };
}

/** Reads which parts a wallet has: an empty batch that says when, and the scopes of the parts. */
export async function readParts(
  run: RunContext,
  parts: PartsList,
  scope: Scope,
): Promise<{ batch: RecordBatch; scopes: Scope[] }> {
  const response = await send(run, parts.endpoint, {}, scope);
  run.assertWithinSlot();
  const { takenAt } = response;
  const reading = { through: takenAt, window: null, hole: null };
  return { batch: { scope, takenAt, items: [], reading }, scopes: parts.read(response.data) };
}

/** Reports how far a run has come that reads several windows: the first one of a scope, or one after a long time. */
function reportWindow({ name, deps }: RunContext, scope: Scope, done: number, total: number): void {
  if (total === 1) return;
  const { account, dataset } = name;
  for (const observer of deps.observers) observer.onWindow?.(account, dataset, scope, done, total);
  const what = scope === null ? dataset : `${dataset} of ${scope}`;
  deps.log.info({ account, dataset, scope, done, total }, `${account} ${what}: ${done} of ${total} windows are read`);
}

/** Returns the part of a sub-account in the response for all of them, which their runs of a slot share; null if it has none. */
async function readPart(
  run: RunContext,
  { uid, reader }: SubAccountAccess,
  { subAccounts: bulk, params }: AnyDatasetSource,
  { scope, attempt }: { scope: Scope; attempt: number },
): Promise<ApiResponse | null> {
  if (!bulk) throw new Error(`${run.dataset.name} cannot be read for sub-accounts`);
  const { slot, signal, tally } = run;
  const reading = await abortable(
    reader.read(bulk, params(scope), { slot, attempt, options: { signal, tally } }),
    signal,
  );
  const part = reading.parts.get(uid);
  const received = part ?? reading.last;
  if (received) run.keepResponse(scope, bulk.endpoint.name, received.response, received.receivedAt);
  if (!part && reading.error) throw reading.error;
  if (part) run.recordResponseTime(part.receivedAt);
  return part ?? null;
}

/** Returns null for a dataset that is computed from other datasets only. */
const request = async (
  run: RunContext,
  { endpoint, params }: AnyDatasetSource,
  scope: Scope,
): Promise<ApiResponse | null> => endpoint && send(run, endpoint, params(scope), scope);

async function send(run: RunContext, endpoint: ApiEndpoint, params: Params, scope: Scope): Promise<ApiResponse> {
  const { signal, tally } = run;
  const response = await run.session.client.get(endpoint, params, {
    signal,
    tally,
    onResponse: (raw, receivedAt) => run.keepResponse(scope, endpoint.name, raw, receivedAt),
  });
  run.recordResponseTime(response.receivedAt);
  return response;
}

/** Returns the item without its unknown fields if they repeat a secret that was sent. */
function withoutSecrets({ deps }: RunContext, item: Item): Item {
  if (item.extra === null) return item;
  const text = toJson(item.extra);
  return deps.redact(text) === text ? item : { ...item, extra: { redacted: "it repeated a secret" } };
}
