/**
 * One run of one dataset for one account: the heart of the program.
 *
 * A run claims its slot, asks for every scope at the same time, turns answers into items, and stores all of it, or why
 * not, in one transaction. Nothing above this file asks the exchange for rows; nothing below it decides what a failure means.
 */
import type { Clock } from "./clock.ts";
import { sleep } from "./clock.ts";
import { type Pattern, periodAt } from "./cron.ts";
import type { AnyEndpoint, Context, Dataset } from "./datasets/dataset.ts";
import {
  type ApiVersion,
  causes,
  type DatasetName,
  type FailedSnapshot,
  type Known,
  type Occasion,
  type ProductType,
  type RunState,
  type Scope,
  type Snapshot,
  type Tally,
} from "./domain.ts";
import { ApiError, CollectorError, DeadlineError, StorageError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store/store.ts";
import { visible } from "./text.ts";

export interface Tools {
  store: Store;
  datasets: readonly Dataset[];
  productTypes: readonly ProductType[];
  schedules: Readonly<Record<DatasetName, Pattern | null>>;
  runDeadlineSeconds: number;
  clock: Clock;
  log: Log;
  /** Takes secrets out of a text; what an answer echoes must not reach the database. */
  redact(text: string): string;
  occasion: Occasion;
  /** `dataset.field` of what the exchange sent and no column was found for, once it was said. */
  unknownFields: Set<string>;
  /** Aborted when the program must stop at once. */
  stopping: AbortSignal;
}

interface Job {
  dataset: Dataset;
  session: Session;
  slot: number;
  signal: AbortSignal;
  tally: Tally;
  tools: Tools;
}

interface Outcome {
  snapshots: Snapshot[];
  failures: FailedSnapshot[];
  /** Our clock at each answer, for the spread between the first and the last. */
  answeredAt: number[];
  /** Nothing was asked: the account's API generation has no such data. */
  skipped: boolean;
}

/** Later than this is said in the ledger: "late". Milliseconds. */
const punctual = 1000;

/**
 * Runs a slot. `before` is waited for first (the runs this one builds on), at most until half of the time is gone.
 * Resolves with the run's final state, or null where somebody else had the slot.
 */
export async function collect(
  dataset: Dataset,
  session: Session,
  slot: number,
  tools: Tools,
  before: Promise<unknown> = Promise.resolve(),
): Promise<RunState | null> {
  const { store, clock } = tools;
  const startedAt = clock.now();
  const run = await store.begin(session.name, dataset.name, slot, startedAt, tools.occasion);
  if (run === null) return null;
  const deadline = startDeadline(dataset, slot, tools);
  const tally: Tally = { requests: 0, retries: 0 };
  const job: Job = { dataset, session, slot, signal: deadline.signal, tally, tools };
  try {
    await atMost(before, deadline.ms / 2, clock);
    const outcome = await gather(job);
    const { snapshots, failures, answeredAt, skipped } = outcome;
    const finishedAt = clock.now();
    const end = {
      dataset,
      snapshots,
      failures,
      skipped,
      cause: skipped ? causes.notOffered : (causeOf(failures) ?? (startedAt - slot > punctual ? causes.late : null)),
      finishedAt,
      ...tally,
      spreadMs: answeredAt.length === 0 ? null : Math.max(...answeredAt) - Math.min(...answeredAt),
    };
    const state = await untilStored(() => store.finish(run, end), job);
    report(job, state, outcome, finishedAt - startedAt);
    reportUnknownFields(job, snapshots);
    return state;
  } finally {
    deadline.clear();
  }
}

/** Public data is asked once, everything else for each account. */
export const sessionsOf = <S>(dataset: Dataset, sessions: readonly S[], publicSession: S): readonly S[] =>
  dataset.public ? [publicSession] : sessions;

/** True where a run of `one` uses rows that a run of `other` brings. */
export function buildsOn(one: Pick<Job, "dataset" | "session">, other: Pick<Job, "dataset" | "session">): boolean {
  const isNear = one.dataset.public || other.dataset.public || one.session === other.session;
  return isNear && (one.dataset.needs?.includes(other.dataset.name) ?? false);
}

/** Waits for something that need not come. */
async function atMost(wanted: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  let cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([wanted, late]);
  cancel();
}

/** Full disks and busy databases pass; what was received is kept until then. A database that is gone does not come back. */
async function untilStored<Result>(write: () => Promise<Result>, { dataset, session, tools }: Job): Promise<Result> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StorageError) || error.gone) throw error;
      const problem = describe(error, tools).message;
      tools.log.error(
        { account: session.name, dataset: dataset.name, problem },
        "not stored; trying again in a second",
      );
      await sleep(tools.clock, 1000, tools.stopping);
    }
  }
}

/** The dataset's answers as they are told by the account's generation; asks anew once when that turns out to have changed. */
async function gather(job: Job, again = true): Promise<Outcome> {
  const { dataset, session, tools } = job;
  const outcome: Outcome = { snapshots: [], failures: [], answeredAt: [], skipped: false };
  let scopes: readonly Scope[] = [null];
  try {
    const remembered = tools.store.apiVersion(session.name);
    scopes = scopesOf(dataset, remembered, tools) ?? scopes;
    const api = await session.api(job);
    const endpoint = dataset.endpoints[api];
    if (!endpoint) return { ...outcome, skipped: true };
    scopes = endpoint.scopes(tools.productTypes);
    const errors: unknown[] = [];
    await Promise.all(
      scopes.map(async (scope) => {
        try {
          outcome.snapshots.push(await readScope(job, endpoint, api, scope, outcome.answeredAt));
        } catch (error) {
          errors.push(error);
          outcome.failures.push(failureOf(error, scope, job));
        }
      }),
    );
    const refused = errors.some((error) => error instanceof ApiError && error.kind === "mode");
    return again && refused && (await session.recheck(api, job)) ? gather(job, false) : outcome;
  } catch (error) {
    return { ...outcome, snapshots: [], failures: scopes.map((scope) => failureOf(error, scope, job)) };
  }
}

const scopesOf = (dataset: Dataset, api: ApiVersion | null, tools: Tools): readonly Scope[] | undefined =>
  api === null ? undefined : dataset.endpoints[api]?.scopes(tools.productTypes);

/** One scope's complete answer. An answer that says "nothing" where there was something is asked for once more. */
async function readScope(
  job: Job,
  endpoint: AnyEndpoint,
  api: ApiVersion,
  scope: Scope,
  answeredAt: number[],
): Promise<Snapshot> {
  const context = contextOf(job, api, scope);
  const first = await readOnce(job, endpoint, scope, context, answeredAt);
  const hadRows = () =>
    job.tools.store
      .latest(job.dataset, job.session.name)
      .some((known) => known.scope === scope && known.rows.length > 0);
  if (endpoint.address === null || first.items.length > 0 || !hadRows()) return first;
  return readOnce(job, endpoint, scope, context, answeredAt);
}

async function readOnce(
  job: Job,
  endpoint: AnyEndpoint,
  scope: Scope,
  context: Context,
  answeredAt: number[],
): Promise<Snapshot> {
  const { client } = job.session;
  if (endpoint.address === null) {
    const takenAt = job.tools.clock.now() + (client.offset() ?? 0);
    return { scope, takenAt, items: endpoint.items(null, context) };
  }
  const { data, takenAt, receivedAt } = await client.ask(endpoint.address, endpoint.params(scope), job);
  const items = endpoint.items(data, context);
  answeredAt.push(receivedAt);
  return { scope, takenAt, items };
}

/** What a mapper may know of other datasets: rows not older than two of their periods. */
function contextOf({ dataset, session, tools, slot }: Job, api: ApiVersion, scope: Scope): Context {
  const { store, clock, schedules } = tools;
  const fresh = (name: DatasetName): Known[] => {
    const needed = tools.datasets.find((one) => one.name === name);
    const pattern = schedules[name] ?? schedules[dataset.name];
    if (!needed || !pattern) return [];
    const oldest = clock.now() + (session.client.offset() ?? 0) - 2 * periodAt(pattern, slot);
    const ownRows = !dataset.public && !needed.public;
    return store.latest(needed, ownRows ? session.name : undefined).filter((known) => known.takenAt >= oldest);
  };
  return {
    scope,
    known: fresh,
    complete(name) {
      const needed = tools.datasets.find((one) => one.name === name);
      const scopes = needed && (needed.public ? [null] : scopesOf(needed, api, tools));
      const known = fresh(name).map((one) => one.scope);
      return scopes?.every((one) => known.includes(one)) ?? false;
    },
  };
}

function failureOf(error: unknown, scope: Scope, { session, tools }: Job): FailedSnapshot {
  return { scope, takenAt: tools.clock.now() + (session.client.offset() ?? 0), ...describe(error, tools) };
}

/** A failure in words. What is no error of ours is a bug of ours, and says so. */
function describe(error: unknown, tools: Tools): { code: string; message: string } {
  if (error instanceof CollectorError) return { code: error.code, message: tools.redact(error.message) };
  return { code: "internal", message: tools.redact(`a bug of this program: ${String(error)}`) };
}

function causeOf(failures: readonly FailedSnapshot[]): string | null {
  return failures.length === 0 ? null : [...new Set(failures.map((failure) => failure.code))].join(", ");
}

/** The run is cut when its time is up: the setting, or the slot after this one where that comes first. */
function startDeadline(
  dataset: Dataset,
  slot: number,
  tools: Tools,
): { signal: AbortSignal; ms: number; clear(): void } {
  const { clock, schedules, runDeadlineSeconds, occasion, stopping } = tools;
  const setting = runDeadlineSeconds * 1000;
  const pattern = schedules[dataset.name];
  const untilNext = occasion === "schedule" && pattern ? pattern.next(slot) - clock.now() : setting;
  const ms = Math.max(0, Math.min(setting, untilNext));
  const controller = new AbortController();
  const cut = () => controller.abort(stopping.reason);
  const cancel = clock.after(ms, () =>
    controller.abort(new DeadlineError(`not finished within ${Math.round(ms / 100) / 10} s; the run was cut`)),
  );
  // Not AbortSignal.any: in Node 20 such a signal, and every answer its listeners hold, lives as long as `stopping`.
  if (stopping.aborted) cut();
  stopping.addEventListener("abort", cut, { once: true });
  const clear = () => {
    cancel();
    stopping.removeEventListener("abort", cut);
  };
  return { signal: controller.signal, ms, clear };
}

/** One line per run. */
function report({ dataset, session, slot, tally, tools }: Job, state: RunState, outcome: Outcome, took: number): void {
  const items = outcome.snapshots.reduce((count, snapshot) => count + snapshot.items.length, 0);
  const ms = Math.round(took);
  const failed = inWords(outcome.failures);
  const fields = {
    account: session.name,
    dataset: dataset.name,
    slot: new Date(slot).toISOString(),
    state,
    items,
    ...tally,
    ms,
    ...(failed.length === 0 ? {} : { failed }),
  };
  const what = outcome.skipped
    ? "this kind of account has no such data"
    : [`${items} items, ${tally.requests} requests, ${ms} ms`, ...failed].join("; ");
  tools.log[failed.length === 0 ? "info" : "error"](fields, `${session.name} ${dataset.name} ${state}: ${what}`);
}

/** The exchange has begun to send something new: it is kept, and said once. */
function reportUnknownFields({ dataset, tools }: Job, snapshots: readonly Snapshot[]): void {
  const fields = snapshots.flatMap(({ items }) => items.flatMap(({ extra }) => Object.keys(extra ?? {})));
  for (const field of new Set(fields)) {
    const name = `${dataset.name}.${visible(field)}`;
    if (tools.unknownFields.has(name)) continue;
    tools.unknownFields.add(name);
    tools.log.warn(
      { dataset: dataset.name, field },
      `the exchange sends a field nobody knows yet: ${name}; kept in "extra"`,
    );
  }
}

/** Scopes that failed alike are named together. */
function inWords(failures: readonly FailedSnapshot[]): string[] {
  const scopes = new Map<string, string[]>();
  for (const { scope, code, message } of failures) {
    const problem = `${code} ${message}`;
    scopes.set(problem, [...(scopes.get(problem) ?? []), ...(scope === null ? [] : [scope])]);
  }
  return [...scopes].map(([problem, names]) => (names.length === 0 ? problem : `${names.join(", ")}: ${problem}`));
}
