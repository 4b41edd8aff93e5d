/**
 * Cron patterns -> due slots -> collect(). node-cron only wakes the program up; the ledger decides what is due. Every slot
 * since a schedule was first known ends as one row: run, missed with the reason, or skipped behind a run that took too long.
 * Nothing is due by a clock that the exchange has not confirmed as it stands: after a start, a sleep or a step it is asked first.
 */
import { clockTolerance } from "../bitget/clock-check.ts";
import { graceAt, type Pattern, parsePattern } from "../core/cron.ts";
import { causes } from "../core/domain.ts";
import { ConfigError, StorageError } from "../core/errors.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { SettledSlot } from "../store/runs/run-ledger.ts";
import { requireAccount, type Session, sessionsOf } from "./account-session.ts";
import { createClockGate } from "./clock-gate.ts";
import { collect } from "./collect.ts";
import { dependsOn } from "./related-rows.ts";
import type { CollectorDeps } from "./run-context.ts";
import { everySecond } from "./ticker.ts";

/** One dataset of one account, and how far its ledger is written. */
interface Series {
  account: string;
  dataset: Dataset;
  /** Null: the account is in the settings no more. */
  session: Session | null;
  /** The schedule that the ledger goes by, and the one of the settings that takes its place. Null: none. */
  inForce: Pattern | null;
  wanted: Pattern | null;
  /** The schedule was not known before; no slot up to here is ours. */
  since: number;
  /** Every slot up to here has its row. */
  accountedTo: number;
  /** The slot this process looked at last. */
  considered: number;
  /** When it looked, and before when there is nothing to look for, as long as the clock does not step back. */
  lookedAt: number;
  nextLook: number;
  /** The work on a slot, while it goes on. */
  current: { slot: number; done: Promise<void> } | null;
  /** The last run's slot and end: slots in between passed behind it. */
  lastRun: { from: number; to: number };
}

export interface Scheduler {
  /** Looks at the clock and starts what is due. Cheap when nothing is. */
  tick(): void;
  /** Ticks every second from now on, and calls `onBeat` after each. */
  wake(onBeat?: () => void): void;
  /** What keeps everything from being due, a sentence for people; empty where nothing does. */
  problem(): string;
  /** Resolves when no run is going on. */
  idle(): Promise<void>;
  /** No new runs; resolves when the current ones have ended. */
  stop(): Promise<void>;
}

/** Rows written at once when many slots were missed, so that nothing else waits long. */
const chunk = 500;

/** While the clock is not confirmed, the machine may sleep more than once before the slots of the first time are accounted for. */
const mostLapses = 20;

/** After a failure the ledger is tried again. Milliseconds. */
const retryAfter = 1000;

/** `onFatal` gets an error after which going on would lose data silently. The scheduler has not started ticking yet. */
export function createScheduler(
  sessions: readonly Session[],
  publicSession: Session,
  deps: CollectorDeps,
  onFatal: (error: Error) => void,
): Scheduler {
  const { store, clock, clockCheck, log, redact } = deps;
  const gate = createClockGate({ client: publicSession.client, clockCheck, clock, log, redact, onAnswer: tick });
  let stopped = false;
  let wakeUp: { stop(): void } | null = null;
  let lastSeen = { wall: clock.now(), monotonic: clock.monotonic() };
  /** The last stretches of time in which nothing was run, and why, the newest first. */
  let lapses: readonly { from: number; to: number; cause: string }[] = [];

  function open(account: string, dataset: Dataset, session: Session | null): Series | null {
    const stored = store.schedule(account, dataset.name);
    const wanted = (session && deps.schedules[dataset.name]) ?? null;
    if (!stored && !wanted) return null;
    return {
      account,
      dataset,
      session,
      inForce: stored && parsePattern(stored.pattern),
      wanted,
      since: stored?.since ?? 0,
      accountedTo: stored?.accountedTo ?? 0,
      considered: Number.NaN,
      lookedAt: Number.POSITIVE_INFINITY,
      nextLook: 0,
      current: null,
      lastRun: { from: 0, to: 0 },
    };
  }

  const configured = deps.datasets.flatMap((dataset) =>
    sessionsOf(dataset, sessions, publicSession).map((session) => open(session.name, dataset, session)),
  );
  const names = new Set([...sessions, publicSession].map((session) => session.name));
  const removed = store
    .accounts()
    .filter((account) => !names.has(account))
    .flatMap((account) => deps.datasets.map((dataset) => open(account, dataset, null)));
  const all: readonly Series[] = [...configured, ...removed].filter((series) => series !== null);

  /** Why nobody ran this slot. */
  function fateOf(series: Series, slot: number): SettledSlot {
    const { from, to } = series.lastRun;
    if (slot > from && slot <= to) return { slot, state: "skipped", cause: causes.overlap };
    if (slot <= gate.startedAt()) return { slot, state: "missed", cause: causes.notRunning };
    if (gate.wasClosedAt(slot)) return { slot, state: "missed", cause: causes.unconfirmed };
    const lapse = lapses.find((one) => slot > one.from && slot <= one.to);
    return { slot, state: "missed", cause: lapse?.cause ?? causes.tooLate };
  }

  /** Final rows for every slot after the last accounted one, up to and with `last`. */
  async function settleUpTo(series: Series, pattern: Pattern, last: number): Promise<void> {
    const { account, dataset } = series;
    while (!stopped) {
      const fates = [];
      let slot = pattern.next(series.accountedTo);
      for (; slot <= last && fates.length < chunk; slot = pattern.next(slot)) fates.push(fateOf(series, slot));
      const end = fates.at(-1);
      if (!end) return;
      await store.settle(account, dataset.name, fates);
      for (const observer of deps.observers) observer.onClosed?.(account, dataset.name, fates);
      series.accountedTo = end.slot;
      const fields = { account, dataset: dataset.name, slots: fates.length, cause: end.cause };
      log.warn(fields, `${account} ${dataset.name}: ${fates.length} slots ${end.state} (${end.cause})`);
      await new Promise(setImmediate);
    }
  }

  const seriesOf = new Map<Session | null, Series[]>();
  for (const series of configured.filter((series) => series !== null)) {
    const known = seriesOf.get(series.session);
    if (known) known.push(series);
    else seriesOf.set(series.session, [series]);
  }

  /** Runs that this one builds on, if they are at the same slot. Only public data builds on what other accounts have. */
  function before(series: Series & { session: Session }, slot: number): Promise<unknown> {
    const near = series.dataset.public
      ? all
      : [series.session, publicSession].flatMap((session) => seriesOf.get(session) ?? []);
    return Promise.allSettled(
      near
        .filter((other) => other.session && dependsOn(series, { dataset: other.dataset, session: other.session }))
        .map((other) => (other.current?.slot === slot ? other.current.done : undefined)),
    );
  }

  /**
   * The old schedule was in force until this program began, so its slots are accounted for before the new one's. One that had none
   * before it begins by the later of the two clocks: when ours is set right, no slot of it lies in the past.
   */
  async function change(series: Series): Promise<void> {
    const { account, dataset, session, inForce, wanted } = series;
    const at = gate.effectiveAt() + (inForce ? 0 : gate.behind());
    if (inForce) await settleUpTo(series, inForce, at);
    if (stopped) return;
    await store.setSchedule(account, dataset.name, wanted?.text ?? null, at);
    if (inForce && !wanted) {
      const why = session ? "switched off" : "the account is in the settings no more";
      log.warn({ account, dataset: dataset.name }, `${account} ${dataset.name}: not collected from now on (${why})`);
    }
    series.inForce = wanted;
    series.since = series.accountedTo = at;
  }

  async function serve(series: Series, pattern: Pattern, slot: number, now: number): Promise<void> {
    const { account, dataset, session } = series;
    const behind = gate.behind();
    if (now + behind + (behind > 0 ? clockTolerance : 0) < series.since) {
      // The clock was wrong when this schedule was first seen, which then starts anew.
      await store.setSchedule(account, dataset.name, pattern.text, now);
      series.since = series.accountedTo = now;
      return;
    }
    await settleUpTo(series, pattern, slot - 1);
    const startsAt = clock.now();
    if (startsAt - slot > graceAt(pattern, slot)) return settleUpTo(series, pattern, slot);
    // Set back meanwhile, the clock comes to this slot again.
    if (stopped || startsAt < slot || slot <= series.since || !session) return;
    const started = clock.monotonic();
    const dependencies = before({ ...series, session }, slot);
    await collect({ dataset, session, slot, trigger: "schedule", dependencies }, deps);
    series.accountedTo = Math.max(series.accountedTo, slot);
    // By the monotonic clock: hours that the machine slept through were no hours of this run.
    series.lastRun = { from: slot, to: startsAt + clock.monotonic() - started };
    if (session.refusal() !== null) requireAccount(sessions);
  }

  function look(series: Series, now: number): void {
    if (series.current || stopped || (now < series.nextLook && now >= series.lookedAt)) return;
    series.lookedAt = now;
    const { inForce, wanted } = series;
    if (inForce?.text !== wanted?.text) {
      start(series, Number.NaN, change(series));
    } else if (inForce) {
      const slot = inForce.latest(now);
      series.nextLook = inForce.next(now);
      if (slot !== series.considered) start(series, slot, serve(series, inForce, slot, now));
    }
  }

  function start(series: Series, slot: number, work: Promise<void>): void {
    series.considered = slot;
    const done = work
      .catch((error: unknown) => fail(series, slot, error))
      .finally(() => {
        series.current = null;
        setImmediate(() => {
          const after = clock.now();
          noticeLapse(after);
          if (gate.isOpen(after)) look(series, after);
        });
      });
    series.current = { slot, done };
  }

  /** What was not written is tried again, as long as it is not too late. */
  function fail(series: Series, slot: number, error: unknown): void {
    const now = clock.now();
    const isStorage = error instanceof StorageError;
    if (error instanceof ConfigError || (isStorage && error.gone)) onFatal(error);
    if (isStorage) {
      const from = lapses[0]?.cause === causes.storage ? lapses[0].from : slot - 1;
      noteLapse(from, now, causes.storage);
    }
    series.considered = Number.NaN;
    series.nextLook = now + retryAfter;
    const problem = deps.redact(error instanceof Error ? error.message : String(error));
    log.error(
      { account: series.account, dataset: series.dataset.name },
      `${series.account} ${series.dataset.name}: ${problem}`,
    );
  }

  function noteLapse(from: number, to: number, cause: string): void {
    lapses = [{ from, to, cause }, ...lapses.slice(0, mostLapses - 1)];
  }

  /** The wall clock went on without us: it says when, the monotonic one says whether the program was there. */
  function noticeLapse(now: number): void {
    const monotonic = clock.monotonic();
    const gap = now - lastSeen.wall;
    if (gap > 2000) {
      const lived = monotonic - lastSeen.monotonic;
      noteLapse(lastSeen.wall, now, lived > gap / 2 ? causes.blocked : causes.asleep);
    }
    lastSeen = { wall: now, monotonic };
  }

  function tick(): void {
    const now = clock.now();
    noticeLapse(now);
    if (!gate.isOpen(now)) return;
    for (const series of all) look(series, now);
  }

  async function idle(): Promise<void> {
    // Between the end of one piece of work and the look that may begin the next lies a turn of the event loop.
    for (let quiet = 0; quiet < 2; ) {
      const running = [...all.map((series) => series.current?.done), gate.asking()].filter((work) => work != null);
      quiet = running.length > 0 ? 0 : quiet + 1;
      await Promise.allSettled(running);
      await new Promise(setImmediate);
    }
  }

  return {
    tick,
    wake(onBeat) {
      const beat = () => {
        tick();
        onBeat?.();
      };
      wakeUp = everySecond(beat, clock);
    },
    problem: gate.problem,
    idle,
    async stop() {
      stopped = true;
      gate.stop();
      wakeUp?.stop();
      await idle();
    },
  };
}
