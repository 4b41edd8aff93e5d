/** The state of one run, and the dependencies that all runs share. */

import type { ClockCheck } from "../bitget/clock-check.ts";
import { skewFrom } from "../bitget/server-clock.ts";
import type { HttpResponse } from "../bitget/wire/http.ts";
import { onceAborted } from "../core/async/abort.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { type Pattern, periodAt } from "../core/cron.ts";
import {
  type DatasetName,
  type FailedSnapshot,
  newTally,
  type ProductType,
  type RunState,
  type Scope,
  type Tally,
  type Trigger,
} from "../core/domain.ts";
import { DeadlineError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { type AnyDataset, sourcesOf } from "../datasets/incremental.ts";
import type { RawResponse, ResponseArchive } from "../store/responses/archive.ts";
import type { UnrunSlot } from "../store/runs/run-ledger.ts";
import type { Store } from "../store/store.ts";
import type { Session } from "./account-session.ts";
import type { ScheduleOf } from "./due.ts";

/** The dependencies that all runs share. */
export interface CollectorDeps {
  store: Store;
  /** Null: responses are not kept. */
  rawResponses: ResponseArchive | null;
  datasets: readonly AnyDataset[];
  productTypes: readonly ProductType[];
  scheduleOf: ScheduleOf;
  runDeadlineSeconds: number;
  clock: Clock;
  /** Whether the exchange has confirmed that clock. */
  clockCheck: ClockCheck;
  log: Log;
  /** Removes secrets from a text: a response that echoes one must not reach the database. */
  redact(text: string): string;
  /** Unknown and missing fields that were logged already; each is logged once. */
  reportedFields: Set<string>;
  /** Notified in this order. */
  observers: readonly SlotObserver[];
  /** Aborted when the program must stop at once. */
  stopping: AbortSignal;
}

/** Is notified of slots after they were stored. Its methods must neither throw nor block. */
export interface SlotObserver {
  onEnded?(run: EndedRun): void;
  /** Called after each window of records, if a run reads several of a scope. */
  onWindow?(account: string, dataset: DatasetName, scope: Scope, done: number, total: number): void;
  /** Called when the ledger of an account was reconciled. */
  onReconciled?(account: string): void;
  /** Called with slots that were closed without a run. */
  onClosed?(account: string, dataset: DatasetName, slots: readonly UnrunSlot[]): void;
}

/** A run as it was stored. */
export interface EndedRun extends Tally {
  account: string;
  dataset: DatasetName;
  /** Epoch ms. */
  slot: number;
  state: RunState;
  failures: readonly FailedSnapshot[];
  startedAt: number;
  finishedAt: number;
}

/** One dataset of one account at one slot. */
export interface RunRequest {
  dataset: AnyDataset;
  session: Session;
  /** Epoch ms. */
  slot: number;
  trigger: Trigger;
  /** The schedule that the slot belongs to, whose next slot ends the run. Default: none. */
  pattern?: Pattern | null;
  /** Settles when the runs that this one depends on have ended. Default: it depends on none. */
  dependencies?: Promise<unknown>;
  /** Receives the reconciliation of the ledger that follows the run, instead of the run waiting for it. */
  onReconciling?: (reconciling: Promise<void>) => void;
}

/** How far the wall clock and the monotonic clock may differ at a run's deadline. Milliseconds. */
const clockToleranceMs = 1000;

/** A run between the claim of its slot and its end. */
export class RunContext {
  readonly deps: CollectorDeps;
  readonly dataset: AnyDataset;
  readonly session: Session;
  /** Epoch ms. */
  readonly slot: number;
  readonly trigger: Trigger;
  /** Resolves when the runs that this one depends on have ended, or the time to wait for them is over. */
  readonly dependencies: Promise<void>;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly tally = newTally();
  /** Every raw response, including rejected ones. */
  readonly responses: RawResponse[] = [];
  /** Documented fields that items of its responses lack. */
  readonly missingFields = new Set<string>();
  readonly #startedMonotonic: number;
  readonly #deadline: Deadline;
  /** Our clock at each accepted response. Epoch ms. */
  readonly #responseTimes: number[] = [];

  /** Starts the deadline; `close` must be called at the end. `started`: just before the slot was claimed. */
  constructor(request: RunRequest, started: Instant, deps: CollectorDeps) {
    this.deps = deps;
    this.dataset = request.dataset;
    this.session = request.session;
    this.slot = request.slot;
    this.trigger = request.trigger;
    this.startedAt = started.wall;
    this.#startedMonotonic = started.monotonic;
    this.#deadline = startDeadline(request, deps);
    // Each level of dependencies may use a quarter of the time.
    const waitMs = (this.#deadline.ms * dependencyDepth(request.dataset, deps.datasets)) / 4;
    this.dependencies = withTimeout(request.dependencies ?? Promise.resolve(), waitMs, deps.clock);
  }

  /** Aborted at the run's deadline. */
  get signal(): AbortSignal {
    return this.#deadline.signal;
  }

  /** Returns the exchange's time now and at the deadline. Epoch ms. */
  exchangeTime(): { now: number; until: number } {
    const now = this.session.client.exchangeNow();
    return { now, until: now + this.#deadline.overAt - this.deps.clock.now() };
  }

  /** The fields that identify a run in log lines and for observers. */
  get name(): { account: string; dataset: DatasetName; slot: number } {
    return { account: this.session.name, dataset: this.dataset.name, slot: this.slot };
  }

  /**
   * Returns our time in epoch ms, never before the start of the run. While the clock is not confirmed, it is the start plus the
   * time elapsed by the monotonic clock.
   */
  now(): number {
    const { clock, clockCheck } = this.deps;
    if (clockCheck.verdict === "confirmed") return Math.max(this.startedAt, clock.now());
    return this.startedAt + Math.round(clock.monotonic() - this.#startedMonotonic);
  }

  keepResponse(scope: Scope, endpoint: string, { status, body }: HttpResponse, receivedAt: number): void {
    this.responses.push({ scope, endpoint, status, receivedAt, body });
  }

  /** Records when a response was accepted. Epoch ms. */
  recordResponseTime(receivedAt: number): void {
    this.#responseTimes.push(receivedAt);
  }

  /** Returns the milliseconds between the first and the last accepted response; null if there was none. */
  spreadMs(): number | null {
    return this.#responseTimes.length === 0
      ? null
      : Math.max(...this.#responseTimes) - Math.min(...this.#responseTimes);
  }

  /** Returns our clock minus the exchange's in ms, by the responses; null if there was none. */
  skewMs(): number | null {
    return skewFrom(this.#responseTimes.length === 0 ? null : this.session.client.observedOffset());
  }

  /**
   * Rejects a response received outside the run's own time: the machine slept, or its clock was changed.
   * @throws DeadlineError
   */
  assertWithinSlot(): void {
    const now = this.deps.clock.now();
    const what =
      now > this.#deadline.overAt + clockToleranceMs
        ? "the machine slept"
        : now < this.slot - clockToleranceMs
          ? "the machine's clock was set back"
          : null;
    if (what) throw new DeadlineError(`${what} during the request; the response belongs to no slot`);
  }

  /** Cancels the deadline. */
  close(): void {
    this.#deadline.clear();
  }
}

interface Deadline {
  signal: AbortSignal;
  /** The time limit, from the start of the run. Milliseconds. */
  ms: number;
  /** The same by the wall clock, which continues while the machine sleeps. Epoch ms. */
  overAt: number;
  clear(): void;
}

/**
 * Returns how long a run may take: as long as the setting, but not beyond its next slot. Where other processes record as well, it ends a
 * second before that (a quarter of shorter periods), because another process may run the next slot, and the exchange counts the
 * requests of both. Milliseconds.
 */
export function timeLimit(
  { slot, pattern }: Pick<RunRequest, "slot" | "pattern">,
  { now, settingMs, hasOthers }: { now: number; settingMs: number; hasOthers: boolean },
): number {
  if (!pattern) return settingMs;
  const marginMs = hasOthers ? Math.min(1000, periodAt(pattern, slot) / 4) : 0;
  return Math.max(0, Math.min(settingMs, pattern.next(slot) - marginMs - now));
}

/** Starts the deadline of a run. */
function startDeadline(request: RunRequest, deps: CollectorDeps): Deadline {
  const { clock, store, runDeadlineSeconds, stopping } = deps;
  const now = clock.now();
  const hasOthers = store.sharing?.hasOthers() ?? false;
  const ms = timeLimit(request, { now, settingMs: runDeadlineSeconds * 1000, hasOthers });
  const controller = new AbortController();
  const cancel = clock.after(ms, () =>
    controller.abort(new DeadlineError(`not finished within ${Math.round(ms / 100) / 10} s; the run was aborted`)),
  );
  // Not AbortSignal.any: in Node 20 such a signal, and every response its listeners hold, is kept as long as `stopping`.
  const unlisten = onceAborted(stopping, () => controller.abort(stopping.reason));
  const clear = () => {
    cancel();
    unlisten();
  };
  return { signal: controller.signal, ms, overAt: now + ms, clear };
}

/** Returns the length of the longest chain of datasets that a dataset depends on; 0 if it depends on none. */
function dependencyDepth(dataset: AnyDataset, datasets: readonly AnyDataset[]): number {
  const needs = sourcesOf(dataset).flatMap((source) => source.needs);
  const below = datasets.filter(({ name }) => needs.includes(name)).map((needed) => dependencyDepth(needed, datasets));
  return below.length === 0 ? 0 : 1 + Math.max(...below);
}

/** Resolves when `promise` has settled, or after `ms`. */
async function withTimeout(promise: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  let cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([promise, late]);
  cancel();
}
