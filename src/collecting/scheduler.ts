/**
 * Runs due slots. The engine only calls it: which slots are due follows from the pattern, the run ledger and the clock (`due.ts`),
 * and every slot since a schedule was first recorded gets one row: run, missed with the cause, or skipped. Nothing is due while
 * the exchange has not confirmed the clock (`clock-gate.ts`).
 */
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import { type Instant, instantOf, sleep } from "../core/clock.ts";
import { graceAt, type Pattern, parsePattern } from "../core/cron.ts";
import { causes } from "../core/domain.ts";
import { ConfigError, StorageError } from "../core/errors.ts";
import { minuteMs } from "../core/time.ts";
import type { AnyDataset } from "../datasets/incremental.ts";
import type { UnrunSlot } from "../store/runs/run-ledger.ts";
import { hasSubAccounts, requireAccount, type Session, sessionsOf } from "./account-session.ts";
import { ClockGate } from "./clock-gate.ts";
import { collect } from "./collect.ts";
import { type Downtime, downtimeBetween, nextStep, patternToRun, type SeriesState, type Step } from "./due.ts";
import { dependsOn } from "./related-rows.ts";
import type { CollectorDeps } from "./run-context.ts";
import { RunPlaces } from "./sharing/run-places.ts";
import type { MainAccount } from "./sub-accounts/main-account.ts";

export interface SchedulerOptions {
  sessions: readonly Session[];
  publicSession: Session;
  /** The accounts whose sub-accounts are collected with their keys. */
  mains: readonly MainAccount[];
  deps: CollectorDeps;
  /** Called with an error after which continuing would silently lose data. */
  onFatal(error: Error): void;
}

interface Series extends SeriesState {
  account: string;
  dataset: AnyDataset;
  /** Null: the account was removed from the settings. */
  session: Session | null;
  /** The series whose runs of the same slot a run of this series waits for. */
  dependencies: readonly Series[];
  /** The steps in progress, and the slot they lead to. Null while nothing is due. */
  work: { slot: number; done: Promise<void> } | null;
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
  /** The main accounts whose sub-accounts this process follows: it is the first one of them, and has read what others recorded. */
  readonly #followed: Set<MainAccount>;
  /** Resolves when the sub-accounts of a main account have been read. */
  readonly #adopting = new Map<MainAccount, Promise<void>>();
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
    this.#followed = new Set(options.mains);
    this.#lastTick = instantOf(clock);
    this.#gate = new ClockGate({ client, clockCheck, clock, log, redact, onResult: () => this.tick() });
  }

  /** Starts what is due. Cheap if nothing is. */
  tick(): void {
    if (!this.#mayRun()) return;
    for (const main of this.#options.mains) this.#follow(main);
    this.#followSubAccounts();
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
      const lists = this.#options.mains.map(({ idle }) => idle);
      const work = this.#series.map(({ work }) => work?.done);
      const pending = [...work, ...lists, ...this.#adopting.values(), this.#closing, this.#gate.requesting].filter(
        (work) => work != null,
      );
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

  /** Follows the list of a main account in the process that is its first one, and in no other. */
  #follow(main: MainAccount): void {
    const { store, log, redact } = this.#options.deps;
    // As for each of its sub-accounts.
    if (store.sharing && store.sharing.delayMs(`${main.name}/`) > 0) this.#followed.delete(main);
    else if (this.#followed.has(main)) main.tick();
    else if (!this.#adopting.has(main)) {
      const adopted = this.#adopt(main).then(
        () => void this.#followed.add(main),
        (error: unknown) => log.error({ account: main.name }, redact(String(error))),
      );
      this.#adopting.set(
        main,
        adopted.finally(() => this.#adopting.delete(main)),
      );
    }
  }

  /** Continues with the sub-accounts that the process before this one collected. */
  async #adopt(main: MainAccount): Promise<void> {
    const { deps } = this.#options;
    for (const account of (await deps.store.accounts()).filter((one) => main.owns(one)))
      for (const dataset of deps.datasets.filter(hasSubAccounts)) {
        const stored = await loadOne(account, dataset, null, deps);
        const series = this.#series.find((one) => one.account === account && one.dataset === dataset);
        const followed = stored.inForce
          ? { ...stored, session: main.restore(account), wanted: main.schedule }
          : { ...stored, session: null };
        if (!stored.inForce) main.forget(account);
        if (!series) this.#series.push(followed);
        else {
          const { session, wanted, inForce, since, processedThrough } = followed;
          Object.assign(series, { session, wanted, inForce, since, processedThrough });
        }
      }
  }

  /** Begins the series of sub-accounts that appeared, and ends those of sub-accounts that disappeared. */
  #followSubAccounts(): void {
    const { deps, mains } = this.#options;
    for (const { added, removed } of mains.map((main) => main.takeChanges())) {
      if (added.length + removed.length === 0) continue;
      const wantedFrom = deps.clock.now();
      const known = new Map(this.#series.map((series) => [`${series.account} ${series.dataset.name}`, series]));
      const change = (account: string, session: Session | null): void => {
        for (const dataset of deps.datasets.filter(hasSubAccounts)) {
          const fresh = newSeries(account, dataset, session, deps);
          const series = known.get(`${account} ${dataset.name}`) ?? fresh;
          // A sub-account that appears again continues its series.
          Object.assign(series, { session, wanted: fresh.wanted, wantedFrom });
          if (series === fresh) this.#series.push(series);
        }
      };
      for (const account of removed) change(account, null);
      for (const session of added) change(session.name, session);
      deps.log.info(
        { added: added.map(({ name }) => name), removed },
        `sub-accounts: ${added.length} new, ${removed.length} no longer listed`,
      );
    }
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
    await collect({ dataset, session, slot, trigger: "schedule", pattern, dependencies }, deps);
    series.processedThrough = Math.max(series.processedThrough, slot);
    // By the monotonic clock: time that the machine slept does not belong to this run.
    series.lastRun = { from: slot, to: started.wall + deps.clock.monotonic() - started.monotonic };
    if (session.refusal() !== null) requireAccount(sessions);
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

/** Reads the series of the settings, those of known sub-accounts, and those of removed accounts, whose schedules end. */
async function loadSeries({ sessions, publicSession, mains, deps }: SchedulerOptions): Promise<Series[]> {
  const { datasets } = deps;
  const configured: Series[] = [];
  for (const dataset of datasets)
    for (const session of sessionsOf(dataset, sessions, publicSession))
      configured.push(await loadOne(session.name, dataset, session, deps));
  addDependencies(configured, publicSession);
  beginAfterAccounts(configured, deps.clock.now());
  const names = new Set([...sessions, publicSession].map((session) => session.name));
  const others: Series[] = [];
  for (const account of await deps.store.accounts()) {
    if (names.has(account)) continue;
    const main = mains.find((one) => one.owns(account));
    // Another process may have its key.
    if (!main && deps.store.sharing) continue;
    for (const dataset of datasets) {
      const stored = await loadOne(account, dataset, null, deps);
      const isFollowed = main && stored.inForce && hasSubAccounts(dataset);
      others.push(isFollowed ? { ...stored, session: main.restore(account), wanted: main.schedule } : stored);
    }
  }
  return [...configured, ...others].filter(({ inForce, wanted }) => inForce || wanted);
}

async function loadOne(
  account: string,
  dataset: AnyDataset,
  session: Session | null,
  deps: CollectorDeps,
): Promise<Series> {
  const series = newSeries(account, dataset, session, deps);
  const stored = await deps.store.schedule(account, dataset.name);
  if (!stored) return series;
  const { pattern, since, processedThrough } = stored;
  return { ...series, inForce: parsePattern(pattern), since, processedThrough };
}

/** Returns a series that was never scheduled. */
const newSeries = (account: string, dataset: AnyDataset, session: Session | null, deps: CollectorDeps): Series => ({
  account,
  dataset,
  session,
  inForce: null,
  wanted: session && (session.subAccount?.schedule ?? deps.scheduleOf(account, dataset.name)),
  since: 0,
  processedThrough: 0,
  lastSlot: Number.NaN,
  lastRun: { from: 0, to: 0 },
  dependencies: [],
  work: null,
});

/** Sets the dependencies of each series. Only public data depends on all accounts; other series are compared with few (there may be thousands). */
function addDependencies(all: readonly Series[], publicSession: Session): void {
  const bySession = new Map<Session | null, Series[]>();
  for (const series of all) bySession.set(series.session, [...(bySession.get(series.session) ?? []), series]);
  for (const series of all) {
    const near = [series.session, publicSession].flatMap((session) => bySession.get(session) ?? []);
    series.dependencies = (series.dataset.public ? all : near).filter((other) => dependsOn(series, other));
  }
}

/**
 * Lets public data begin one slot after `now` (epoch ms) where all it depends on begins too, and comes later in the minute: there is
 * nothing yet to be priced.
 */
function beginAfterAccounts(all: readonly Series[], now: number): void {
  for (const series of all) {
    const { dataset, dependencies, inForce, wanted } = series;
    if (!dataset.public || inForce || !wanted || dependencies.length === 0) continue;
    const isFirst = dependencies.every((one) => !one.inForce && (one.wanted?.second ?? 60) > wanted.second);
    if (isFirst) series.notBefore = wanted.next(now);
  }
}
