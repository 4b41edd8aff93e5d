/** Reads one scope of a run: sends requests and maps responses to rows. Throws failures; `collect.ts` decides what they mean. */

import { toJson } from "../bitget/wire/json.ts";
import { abortable } from "../core/async/abort.ts";
import type { ApiEndpoint, ApiResponse, Item, Params, Scope, Snapshot } from "../core/domain.ts";
import type { AnyDatasetSource } from "../datasets/dataset.ts";
import type { AnyListSource } from "../datasets/incremental.ts";
import { type ReadResult, readRecords } from "./incremental/read-records.ts";
import { mapperInput } from "./related-rows.ts";
import type { RunContext } from "./run-context.ts";

/** Reads one scope of a snapshot dataset. An empty response is requested once more if the last snapshot had rows, and then accepted. */
export async function readSnapshot(run: RunContext, source: AnyDatasetSource, scope: Scope): Promise<Snapshot> {
  const { dataset, session, deps } = run;
  const first = await readOnce(run, source, scope);
  if (source.endpoint === null || first.items.length > 0 || dataset.mode !== "snapshot") return first;
  const last = (await deps.store.latest(dataset, session.name)).find((known) => known.scope === scope);
  return last && last.rows.length > 0 ? readOnce(run, source, scope) : first;
}

/** Sends the request at once, and maps the response after the runs that its rows depend on have ended. */
async function readOnce(run: RunContext, source: AnyDatasetSource, scope: Scope): Promise<Snapshot> {
  const answer = await request(run, source, scope);
  run.assertWithinSlot();
  if (source.needs.length > 0) await abortable(run.dependencies, run.signal);
  const takenAt = answer?.takenAt ?? run.session.client.exchangeNow();
  const input = await mapperInput(run, scope, source.needs);
  const items = source.items(answer?.data ?? null, input, (field) => run.missingFields.add(field));
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
      const answer = await send(run, list.endpoint, params, scope);
      run.assertWithinSlot();
      return answer;
    },
    onMissing: (field: string) => run.missingFields.add(field),
  };
  const { batch, error } = await readRecords(source, last, run.exchangeTime());
  return { batch: batch && { ...batch, items: batch.items.map((item) => withoutSecrets(run, item)) }, error };
}

/** Returns null for a dataset that is computed from other datasets only. */
const request = async (
  run: RunContext,
  { endpoint, params }: AnyDatasetSource,
  scope: Scope,
): Promise<ApiResponse | null> => endpoint && send(run, endpoint, params(scope), scope);

async function send(run: RunContext, address: ApiEndpoint, params: Params, scope: Scope): Promise<ApiResponse> {
  const { signal, tally } = run;
  const answer = await run.session.client.get(address, params, {
    signal,
    tally,
    onResponse: (reply, receivedAt) => run.keepResponse(scope, address.name, reply, receivedAt),
  });
  run.recordResponseTime(answer.receivedAt);
  return answer;
}

/** Returns the item without its unknown fields if they repeat a secret that was sent. */
function withoutSecrets({ deps }: RunContext, item: Item): Item {
  if (item.extra === null) return item;
  const text = toJson(item.extra);
  return deps.redact(text) === text ? item : { ...item, extra: { redacted: "it repeated a secret" } };
}
