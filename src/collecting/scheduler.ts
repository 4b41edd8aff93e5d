/**
 * Runs due slots. The engine only calls it: which slots are due follows from the pattern, the run ledger and the clock (`due.ts`),
 * and every slot since a schedule was first recorded gets one row: run, missed with the cause, or skipped. Nothing is due while
 * the exchange has not confirmed the clock (`clock-gate.ts`).
 */
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import { type Instant, instantOf, sleep } from "../core/clock.ts";
import { graceAt, type Pattern } from "../core/cron.ts";
import { causes } from "../core/domain.ts";
import { ConfigError, StorageError } from "../core/errors.ts";
import { minuteMs } from "../core/time.ts";
import type { UnrunSlot } from "../store/runs/run-ledger.ts";
import { requireAccount } from "./account-session.ts";
import { ClockGate } from "./clock-gate.ts";
import { collect } from "./collect.ts";
import { type Downtime, downtimeBetween, nextStep, patternToRun, type Step } from "./due.ts";
import { loadOne, loadSeries, type Series, type SeriesSources } from "./series/series.ts";
import { SubAccountSeries } from "./series/sub-account-series.ts";
import { RunPlaces } from "./sharing/run-places.ts";

export interface SchedulerOptions extends SeriesSources {
  /** Called with an error after which continuing would silently lose data. */
  onFatal(error: Error): void;
}

/** While the clock is not confirmed, the machine may sleep more than once before slots are closed. */
const maxDowntimes = 20;

/** How long a run waits for the runs of other processes that it depends on, and the pause between two looks. Milliseconds. */
const otherProcessMs = { longest: 10_000, pause: 200 };

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #series: Series[];
  readonly #gate: ClockGate;
  /** Null: any number of runs may be in flight. */
  readonly #places: RunPlaces | null;
  #isStopped = false;
  #lastTick: Instant;
  readonly #subAccounts: SubAccountSeries;
  /** The reconciliations that are in progress after runs of which they take no place. */
  readonly #reconciling = new Set<Promise<void>>();
  /** The minute of the monotonic clock in which slots of abandoned accounts were closed last. */
  #closedAt = Number.NaN;
  #closing: Promise<void> | null = null;
  /** Newest first. */
  #downtimes: readonly Downtime[] = [];

  /** Reads the watermark of every series. Nothing is run before the first tick. */
  static async open(options: SchedulerOptions): Promise<Scheduler> {
    return new Scheduler(options, await loadSeries(options));
  }

  private constructor(options: SchedulerOptions, series: Series[]) {
    const { clock, clockCheck, log, redact, store } = options.deps;
    const { client } = options.publicSession;
    this.#options = options;
    this.#places = store.sharing ? new RunPlaces(store.sharing.maxRuns) : null;
    this.#series = series;
    this.#subAccounts = new SubAccountSeries(series, options);
    this.#lastTick = instantOf(clock);
    this.#gate = new ClockGate({ client, clockCheck, clock, log, redact, onResult: () => this.tick() });
  }

  /** Starts what is due. Cheap if nothing is. */
  tick(): void {
    if (!this.#mayRun()) return;
    this.#subAccounts.tick();
    for (const series of this.#series) this.#check(series);
    this.#closeAbandoned();
  }

  /** Returns why nothing is collected at present, as a sentence; empty if collection is running. */
  problem(): string {
    return this.#gate.problem;
  }

  /** Resolves when no run is in progress. */
  async idle(): Promise<void> {
    for (;;) {
      const work = this.#series.map(({ work }) => work?.done);
      const pending = [
        ...work,
        ...this.#reconciling,
        ...this.#subAccounts.requesting,
        this.#closing,
        this.#gate.requesting,
      ].filter((work) => work != null);
      if (pending.length === 0) return;
      await Promise.allSettled(pending);
    }
  }

  /** Starts no more runs. Resolves when the current ones have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#gate.stop();
    await this.idle();
  }

  /** Records a downtime that has just ended, and returns whether runs may be started now. */
  #mayRun(): boolean {
    const now = instantOf(this.#options.deps.clock);
    const downtime = downtimeBetween(this.#lastTick, now);
    this.#lastTick = now;
    if (downtime) this.#addDowntime(downtime);
    return !this.#isStopped && this.#gate.isOpen(now.wall);
  }

  #addDowntime(downtime: Downtime): void {
    this.#downtimes = [downtime, ...this.#downtimes.slice(0, maxDowntimes - 1)];
  }

  /**
   * Closes, each minute, the slots of accounts whose key no live process has: each due slot has a row, and what waits for all of them
   * continues. Their schedules stay in force, because a process that has the key may only be away.
   */
  #closeAbandoned(): void {
    const { sharing } = this.#options.deps.store;
    const minute = Math.floor(this.#options.deps.clock.monotonic() / minuteMs);
    if (!sharing || this.#closing || minute === this.#closedAt) return;
    this.#closedAt = minute;
    this.#closing = this.#closeSlotsOf((account) => sharing.isAbandoned(account))
      // The next minute tries again.
      .catch((error: unknown) => this.#options.deps.log.warn({}, this.#options.deps.redact(String(error))))
      .finally(() => {
        this.#closing = null;
      });
  }

  async #closeSlotsOf(isAbandoned: (account: string) => boolean): Promise<void> {
    const { deps } = this.#options;
    for (const account of (await deps.store.accounts()).filter(isAbandoned))
      for (const dataset of deps.datasets) {
        const stored = await loadOne(account, dataset, null, deps);
        const series = { ...stored, wanted: stored.inForce };
        for (;;) {
          const now = deps.clock.now();
          const step = this.#mayRun()
            ? nextStep(series, { ...this.#gate.presence, downtimes: [], startedAt: now }, now)
            : null;
          if (step?.kind !== "close") break;
          await this.#close(series, step.slots);
        }
      }
  }

  #nextStep(series: Series): Step | null {
    const { store, clock } = this.#options.deps;
    const presence = { ...this.#gate.presence, downtimes: this.#downtimes };
    const now = clock.now();
    const step = nextStep(series, presence, now);
    // Another process is to run it; if that does not, this one does.
    if (step?.kind !== "run" || !store.sharing) return step;
    const pattern = patternToRun(series, now);
    const longest = pattern ? graceAt(pattern, step.slot) / 2 : 0;
    return now < step.slot + Math.min(store.sharing.delayMs(series.account), longest) ? null : step;
  }

  /** Starts the due steps of a series, unless steps are in progress. */
  #check(series: Series): void {
    if (series.work !== null || !this.#mayRun() || this.#nextStep(series) === null) return;
    const now = this.#options.deps.clock.now();
    const slot = patternToRun(series, now)?.latest(now) ?? Number.NaN;
    const done = this.#takeSteps(series).then(
      () => {
        series.work = null;
        this.#check(series);
      },
      (error: unknown) => {
        series.work = null;
        this.#fail(series, slot, error);
      },
    );
    series.work = { slot, done };
  }

  /** Takes steps until a slot was run or nothing is due. */
  async #takeSteps(series: Series): Promise<void> {
    for (;;) {
      // Yields to other work; and all series of a tick are started before the first of them reads its dependencies.
      await yieldToEventLoop();
      const step = this.#mayRun() && this.#nextStep(series);
      if (!step) return;
      if (step.kind === "run") {
        if (!this.#places) return this.#run(series, step.slot);
        if (await this.#runInPlace(this.#places, series)) return;
      } else if (step.kind === "close") await this.#close(series, step.slots);
      else await this.#setSchedule(series, step.pattern, step.from);
    }
  }

  /** Waits for a place, and runs what is due then. Returns whether a slot was run. */
  async #runInPlace(places: RunPlaces, series: Series): Promise<boolean> {
    const release = await places.take(series.account);
    try {
      const step = this.#mayRun() ? this.#nextStep(series) : null;
      if (step?.kind !== "run") return false;
      await this.#run(series, step.slot);
      return true;
    } finally {
      release();
    }
  }

  async #close(series: Series, slots: readonly UnrunSlot[]): Promise<void> {
    const { account, dataset } = series;
    const { store, log, observers } = this.#options.deps;
    await store.closeSlots(account, dataset.name, slots);
    for (const observer of observers) observer.onClosed?.(account, dataset.name, slots);
    const last = slots.at(-1);
    if (!last) return;
    series.processedThrough = last.slot;
    const fields = { account, dataset: dataset.name, slots: slots.length, cause: last.cause };
    log.warn(fields, `${account} ${dataset.name}: ${slots.length} slots ${last.state} (${last.cause})`);
  }

  async #setSchedule(series: Series, pattern: Pattern | null, from: number): Promise<void> {
    const { account, dataset, session, inForce } = series;
    const { store, log } = this.#options.deps;
    await store.setSchedule(account, dataset.name, pattern?.text ?? null, from);
    // Another process may have begun the same schedule before, and not have run all of its slots.
    const stored = store.sharing && (await store.schedule(account, dataset.name));
    series.inForce = pattern;
    series.since = stored?.since ?? from;
    series.processedThrough = stored?.processedThrough ?? from;
    if (pattern !== null || inForce === null) return;
    const why = session
      ? "switched off"
      : account.includes("/")
        ? "the main account no longer lists it, or the settings no longer name the main account"
        : "the account was removed from the settings";
    log.warn({ account, dataset: dataset.name }, `${account} ${dataset.name}: not collected from now on (${why})`);
  }

  async #run(series: Series, slot: number): Promise<void> {
    const { dataset, session, inForce: pattern } = series;
    const { deps, sessions } = this.#options;
    series.lastSlot = slot;
    if (session === null) return;
    const dependencies = this.#dependenciesEnded(series, slot);
    const started = instantOf(deps.clock);
    // The reconciliation in a history that several processes share takes longer, and must not delay other runs.
    const later = this.#places ? { onReconciling: (work: Promise<void>) => this.#track(work) } : {};
    await collect({ dataset, session, slot, trigger: "schedule", pattern, dependencies, ...later }, deps);
    series.processedThrough = Math.max(series.processedThrough, slot);
    // By the monotonic clock: time that the machine slept does not belong to this run.
    series.lastRun = { from: slot, to: started.wall + deps.clock.monotonic() - started.monotonic };
    if (session.refusal() !== null) requireAccount(sessions);
  }

  #track(reconciling: Promise<void>): void {
    this.#reconciling.add(reconciling);
    void reconciling.finally(() => this.#reconciling.delete(reconciling));
  }

  /** Resolves when the runs that a run depends on have ended, also those of other processes, for which it waits ten seconds at most. */
  async #dependenciesEnded({ dependencies }: Series, slot: number): Promise<void> {
    const { store, clock } = this.#options.deps;
    await Promise.allSettled(dependencies.map(({ work }) => (work?.slot === slot ? work.done : null)));
    if (!store.sharing) return;
    const minute = slot - (slot % minuteMs);
    const due = dependencies.flatMap(({ account, dataset, inForce }) => {
      const last = inForce?.latest(slot) ?? 0;
      return last < minute ? [] : [{ account, dataset: dataset.name, slot: last }];
    });
    for (let waited = 0; waited < otherProcessMs.longest; waited += otherProcessMs.pause) {
      // Without the database the result cannot be stored either; the run waits for that.
      if (await store.sharing.areEnded(due).catch(() => false)) return;
      await sleep(clock, otherProcessMs.pause);
    }
  }

  /** Logs a failed step, which is retried at the next tick, until the slot is too late. */
  #fail(series: Series, slot: number, error: unknown): void {
    const { deps, onFatal } = this.#options;
    const isStorage = error instanceof StorageError;
    if (error instanceof ConfigError || (isStorage && error.fileLost)) onFatal(error);
    if (isStorage) {
      const [newest] = this.#downtimes;
      const continues = newest?.cause === causes.storage;
      if (continues) this.#downtimes = this.#downtimes.slice(1);
      this.#addDowntime({ from: continues ? newest.from : slot - 1, to: deps.clock.now(), cause: causes.storage });
    }
    series.lastSlot = Number.NaN;
    const problem = deps.redact(error instanceof Error ? error.message : String(error));
    deps.log.error(
      { account: series.account, dataset: series.dataset.name },
      `${series.account} ${series.dataset.name}: ${problem}`,
    );
  }
}
