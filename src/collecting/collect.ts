/**
 * One run of one dataset for one account: the heart of the program.
 *
 * A run claims its slot, asks for every scope at the same time, turns answers into items, and stores all of it, or why
 * not, in one transaction. Nothing above this file asks the exchange for rows; nothing below it decides what a failure means.
 */

import type { Reply } from "../bitget/wire/http.ts";
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
  newTally,
  type Params,
  type RunState,
  type Scope,
  type Snapshot,
} from "../core/domain.ts";
import { CollectorError, DeadlineError, StorageError } from "../core/errors.ts";
import type { AnyEndpoint, Context, Dataset } from "../datasets/dataset.ts";
import type { Session } from "./account-session.ts";
import { contextOf, scopesOf } from "./related-rows.ts";
import { atMost, type Job, startDeadline, type Tools } from "./run-context.ts";
import { report, reportFields } from "./run-log.ts";

interface Outcome {
  snapshots: Snapshot[];
  failures: FailedSnapshot[];
}

/** The two clocks may differ by so much about when a run's time is up. Milliseconds. */
const wakingUp = 1000;

/** Later than this is said in the ledger: "late". Milliseconds. */
const punctual = 1000;

/**
 * Runs a slot. Rows that build on others are made when `before` has ended, or has taken too long.
 * Resolves with the run's final state, or null where somebody else had the slot.
 */
export async function collect(
  dataset: Dataset,
  session: Session,
  due: number,
  tools: Tools,
  before: Promise<unknown> = Promise.resolve(),
): Promise<RunState | null> {
  const { store, clock } = tools;
  const slot = tools.occasion === "demand" ? manualSlot(due) : due;
  // The slot of a run on demand may be the millisecond after this one.
  const startedAt = Math.max(slot, clock.now());
  const begun = clock.monotonic();
  const run = await store.begin(session.name, dataset.name, slot, startedAt, tools.occasion);
  if (run === null) return null;
  const { signal, ms, overAt, clear } = startDeadline(dataset, slot, tools);
  const now = () => timeIn(tools, startedAt, begun);
  const job: Job = {
    dataset,
    session,
    slot,
    before: atMost(before, (ms * layersBelow(dataset, tools)) / 4, clock),
    signal,
    overAt,
    now,
    tally: newTally(),
    answeredAt: [],
    received: [],
    missing: new Set(),
    tools,
  };
  try {
    const outcome = await gather(job);
    const { snapshots, failures } = outcome;
    const skipped = snapshots.length + failures.length === 0;
    const finishedAt = now();
    const end = {
      dataset,
      snapshots,
      failures,
      skipped,
      cause: skipped ? causes.notOffered : startedAt - slot > punctual ? causes.late : null,
      finishedAt,
      ...job.tally,
      spreadMs: job.answeredAt.length === 0 ? null : Math.max(...job.answeredAt) - Math.min(...job.answeredAt),
      skewMs: skewOf(job),
    };
    const stored = await untilStored(() => store.finish(run, end), job);
    const of = { account: session.name, dataset: dataset.name, slot };
    tools.rawAnswers?.keep(of, job.received);
    report(job, stored, snapshots, finishedAt - startedAt);
    reportFields(job, snapshots);
    tools.onEnded({ ...of, ...job.tally, ...stored, startedAt, finishedAt });
    return stored.state;
  } finally {
    clear();
  }
}

/**
 * Our clock in a run that started at `startedAt` (epoch ms; `begun` by the monotonic clock). One that was set back meanwhile does not
 * make it end before it began; one that the exchange has not confirmed since does not count.
 */
function timeIn({ clock, clockCheck }: Tools, startedAt: number, begun: number): number {
  if (clockCheck.verdict === "confirmed") return Math.max(startedAt, clock.now());
  return startedAt + Math.round(clock.monotonic() - begun);
}

/** Ours minus the exchange's, by its answers; a run that had none measured nothing. */
function skewOf({ session, answeredAt }: Job): number | null {
  const offset = answeredAt.length === 0 ? null : session.client.observedOffset();
  return offset === null ? null : 0 - offset;
}

/** Public data is asked once, everything else for each account. */
export const sessionsOf = <S>(dataset: Dataset, sessions: readonly S[], publicSession: S): readonly S[] =>
  dataset.public ? [publicSession] : sessions;

/** True where a run of `one` uses rows that a run of `other` brings. */
export function buildsOn(one: Pick<Job, "dataset" | "session">, other: Pick<Job, "dataset" | "session">): boolean {
  const isNear = one.dataset.public || other.dataset.public || one.session === other.session;
  return isNear && Object.values(one.dataset.endpoints).some(({ needs }) => needs.includes(other.dataset.name));
}

/** How many runs, one after the other, this dataset builds on: each may use up a quarter of the time. */
function layersBelow(dataset: Dataset, tools: Tools): number {
  const needs = Object.values(dataset.endpoints).flatMap((endpoint) => endpoint.needs);
  const below = tools.datasets.filter(({ name }) => needs.includes(name)).map((needed) => layersBelow(needed, tools));
  return below.length === 0 ? 0 : 1 + Math.max(...below);
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

/**
 * The dataset's answers as they are told by the account's generation; asks anew once when that turns out to have changed.
 * Nothing at all where the account has no such data, which is no failure.
 */
async function gather(job: Job, again = true): Promise<Outcome> {
  const { dataset, session, tools } = job;
  let scopes = scopesOf(dataset, tools.store.apiVersion(session.name), tools) ?? [null];
  try {
    tools.store.requireRoom();
    const api = await session.api(job);
    const endpoint = dataset.endpoints[api];
    if (!endpoint) return { snapshots: [], failures: [] };
    scopes = endpoint.scopes(tools.productTypes);
    const outcome: Outcome = { snapshots: [], failures: [] };
    const kinds = new Set<CollectorError["kind"]>();
    await Promise.all(
      scopes.map(async (scope) => {
        try {
          outcome.snapshots.push(await readScope(job, endpoint, scope));
        } catch (error) {
          const kind = error instanceof CollectorError ? error.kind : "internal";
          kinds.add(kind);
          // A product line that the exchange does not have is no failure.
          if (kind !== "absent") outcome.failures.push(failureOf(error, scope, job));
        }
      }),
    );
    return again && kinds.has("mode") && (await isOther(job, api))
      ? betterOf(outcome, await gather(job, false))
      : outcome;
  } catch (error) {
    return { snapshots: [], failures: scopes.map((scope) => failureOf(error, scope, job)) };
  }
}

/** Whether the account really speaks another generation. Where that cannot be found out now, what was told stands. */
async function isOther(job: Job, spoken: ApiVersion): Promise<boolean> {
  const { session, tools } = job;
  try {
    return await session.recheck(spoken, job);
  } catch (error) {
    const { code, message } = describe(error, tools);
    const fields = { account: session.name, dataset: job.dataset.name, code };
    tools.log.warn(fields, `whether ${session.name} still speaks ${spoken} is not known: ${message}`);
    return false;
  }
}

/** The second one, unless it has no good answer and the first one has. */
const betterOf = (first: Outcome, second: Outcome): Outcome =>
  second.snapshots.length === 0 && first.snapshots.length > 0 ? first : second;

/** One scope's complete answer. An answer that says "nothing" where there was something is asked for once more. */
async function readScope(job: Job, endpoint: AnyEndpoint, scope: Scope): Promise<Snapshot> {
  const { dataset, session, tools } = job;
  const context = contextOf(job, scope);
  const first = await readOnce(job, endpoint, context);
  if (endpoint.address === null || first.items.length > 0) return first;
  const last = tools.store.latest(dataset, session.name).find((known) => known.scope === scope);
  return last && last.rows.length > 0 ? readOnce(job, endpoint, context) : first;
}

/** Asks at once, and makes rows of the answer when what they build on is there. */
async function readOnce(job: Job, endpoint: AnyEndpoint, context: Context): Promise<Snapshot> {
  const { client } = job.session;
  const { address, needs } = endpoint;
  const { scope } = context;
  const answer = address && (await ask(job, address, endpoint.params(scope), scope));
  if (answer) job.answeredAt.push(answer.receivedAt);
  requireOwnTime(job);
  if (needs.length > 0) await unlessAborted(job.before, job.signal);
  const takenAt = answer?.takenAt ?? client.exchangeNow();
  const onMissing = (field: string) => job.missing.add(field);
  const items = endpoint.items(answer?.data ?? null, context, onMissing).map((item) => withoutSecrets(item, job.tools));
  return { scope, takenAt, items };
}

/** An answer that came at another time than its slot's, by a wall clock that slept or was set, is filed under none. */
function requireOwnTime({ slot, overAt, tools }: Job): void {
  const now = tools.clock.now();
  const what =
    now > overAt + wakingUp ? "the machine slept" : now < slot - wakingUp ? "the machine's clock was set back" : null;
  if (what) throw new DeadlineError(`${what} while this was asked; the answer belongs to no slot`);
}

/** What nobody knows is kept as it is, but for what repeats a secret that was sent. */
function withoutSecrets(item: Item, { redact }: Tools): Item {
  if (item.extra === null) return item;
  const text = toJson(item.extra);
  return redact(text) === text ? item : { ...item, extra: { redacted: "it repeated a secret" } };
}

function ask(
  { session, signal, tally, received }: Job,
  address: Address,
  params: Params,
  scope: Scope,
): Promise<Answer> {
  const onReply = ({ status, body }: Reply, receivedAt: number) => {
    received.push({ scope, address: address.name, status, receivedAt, body });
  };
  return session.client.ask(address, params, { signal, tally, onReply });
}

function failureOf(error: unknown, scope: Scope, { session, tools, now }: Job): FailedSnapshot {
  return { scope, takenAt: now() + (session.client.offset() ?? 0), ...describe(error, tools) };
}

/** A failure in words. What is no error of ours is a bug of ours, and says so. */
function describe(error: unknown, tools: Tools): { code: string; message: string } {
  if (error instanceof CollectorError) return { code: error.code, message: tools.redact(error.message) };
  return { code: "internal", message: tools.redact(`a bug of this program: ${String(error)}`) };
}
