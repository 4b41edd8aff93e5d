/**
 * Cron patterns -> due slots -> collect(). node-cron only wakes the program up; the ledger decides what is due. Every slot
 * since a schedule was first known ends as one row: run, missed with the reason, or skipped behind a run that took too long.
 */
import { buildsOn, collect, sessionsOf, type Tools } from "./collect.ts";
import { graceAt, type Pattern, parsePattern } from "./cron.ts";
import type { Dataset } from "./datasets/dataset.ts";
import { causes } from "./domain.ts";
import { ConfigError, StorageError } from "./errors.ts";
import { requireAccount, type Session } from "./session.ts";
import type { SettledSlot } from "./store/ledger.ts";
import { everySecond } from "./wake.ts";

/** One dataset of one account, and how far its ledger is written. */
interface Series {
  dataset: Dataset;
  session: Session;
  pattern: Pattern;
  /** The schedule was not known before; no slot up to here is ours. */
  since: number;
  /** Every slot up to here has its row. */
  accountedTo: number;
  /** The slot this process looked at last. */
  considered: number;
  /** No slot comes before this, as long as the clock does not step back. */
  nextLook: number;
  /** The work on a slot, while it goes on. */
  current: { slot: number; done: Promise<void> } | null;
  /** The last run's slot and end: slots in between passed behind it. */
  lastRun: { from: number; to: number };
}

export interface Scheduler {
  /** Looks at the clock and starts what is due. Cheap when nothing is. */
  tick(): void;
  /** Ticks every second from now on. */
  wake(): void;
  /** Resolves when no run is going on. */
  idle(): Promise<void>;
  /** No new runs; resolves when the current ones have ended. */
  stop(): Promise<void>;
}

/** Rows written at once when many slots were missed, so that nothing else waits long. */
const chunk = 500;

/**
 * Reads the ledger, settles what passed while no daemon ran, and returns a scheduler that has not started ticking.
 * `onFatal` gets an error after which going on would lose data silently.
 */
export async function createScheduler(
  sessions: readonly Session[],
  publicSession: Session,
  tools: Tools,
  onFatal: (error: Error) => void,
): Promise<Scheduler> {
  const onSchedule: Tools = { ...tools, occasion: "schedule" };
  const { store, clock, log } = tools;
  const startedAt = clock.now();
  let stopped = false;
  let wakeUp: { stop(): void } | null = null;
  let lastTick = { wall: startedAt, monotonic: clock.monotonic() };
  /** The last stretch of time in which nothing ticked, and why. */
  let lapse = { from: 0, to: startedAt, cause: causes.notRunning as string };

  async function open(dataset: Dataset, session: Session): Promise<Series | null> {
    const pattern = tools.schedules[dataset.name];
    const stored = store.schedule(session.name, dataset.name);
    const make = (since: number, accountedTo: number, by: Pattern): Series => ({
      dataset,
      session,
      pattern: by,
      since,
      accountedTo,
      considered: Number.NaN,
      nextLook: Number.NEGATIVE_INFINITY,
      current: null,
      lastRun: { from: 0, to: 0 },
    });
    if (stored && stored.pattern === pattern?.text) return make(stored.since, stored.accountedTo, pattern);
    // The old schedule was in force until now, so its slots are accounted for before the new one begins.
    if (stored) await settleUpTo(make(stored.since, stored.accountedTo, parsePattern(stored.pattern)), startedAt);
    if (stored || pattern) await store.setSchedule(session.name, dataset.name, pattern?.text ?? null, startedAt);
    return pattern && make(startedAt, startedAt, pattern);
  }

  /** Why nobody ran this slot. */
  function fateOf(series: Series, slot: number): SettledSlot {
    const { from, to } = series.lastRun;
    if (slot > from && slot <= to) return { slot, state: "skipped", cause: causes.overlap };
    if (slot <= startedAt) return { slot, state: "missed", cause: causes.notRunning };
    return { slot, state: "missed", cause: slot > lapse.from && slot <= lapse.to ? lapse.cause : causes.tooLate };
  }

  /** Final rows for every slot after the last accounted one, up to and with `last`. */
  async function settleUpTo(series: Series, last: number): Promise<void> {
    const { session, dataset, pattern } = series;
    for (;;) {
      const fates = [];
      let slot = pattern.next(series.accountedTo);
      for (; slot <= last && fates.length < chunk; slot = pattern.next(slot)) fates.push(fateOf(series, slot));
      const end = fates.at(-1);
      if (!end) return;
      await store.settle(session.name, dataset.name, fates);
      series.accountedTo = end.slot;
      const fields = { account: session.name, dataset: dataset.name, slots: fates.length, cause: end.cause };
      log.warn(fields, `${session.name} ${dataset.name}: ${fates.length} slots ${end.state} (${end.cause})`);
      await new Promise(setImmediate);
    }
  }

  /** Runs that this one builds on, if they are at the same slot. */
  const before = (series: Series, slot: number): Promise<unknown> =>
    Promise.allSettled(
      all
        .filter((other) => buildsOn(series, other))
        .map((other) => (other.current?.slot === slot ? other.current.done : undefined)),
    );

  async function work(series: Series, slot: number, now: number): Promise<void> {
    const { dataset, session, pattern } = series;
    if (now < series.since) {
      // The clock was wrong when this schedule was first seen: it starts anew in the right time.
      await store.setSchedule(session.name, dataset.name, pattern.text, now);
      series.since = series.accountedTo = now;
      return;
    }
    const inTime = now - slot <= graceAt(pattern, slot);
    await settleUpTo(series, inTime ? slot - 1 : slot);
    if (!inTime || slot <= series.since) return;
    await collect(dataset, session, slot, onSchedule, before(series, slot));
    series.accountedTo = Math.max(series.accountedTo, slot);
    series.lastRun = { from: slot, to: clock.now() };
    requireAccount(sessions);
  }

  function look(series: Series, now: number): void {
    if (series.current || stopped || (now < series.nextLook && now >= series.considered)) return;
    const slot = series.pattern.latest(now);
    series.nextLook = series.pattern.next(now);
    if (slot === series.considered) return;
    series.considered = slot;
    const done = work(series, slot, now)
      .catch((error: unknown) => {
        // Not written: it is tried again at the next tick, as long as it is not too late.
        series.considered = Number.NaN;
        series.nextLook = Number.NEGATIVE_INFINITY;
        if (error instanceof ConfigError || (error instanceof StorageError && error.gone)) onFatal(error);
        else log.error({ account: series.session.name, dataset: series.dataset.name }, tools.redact(String(error)));
      })
      .finally(() => {
        series.current = null;
        if (Number.isFinite(series.considered)) setImmediate(() => look(series, clock.now()));
      });
    series.current = { slot, done };
  }

  const opened: (Series | null)[] = [];
  for (const dataset of tools.datasets)
    for (const session of sessionsOf(dataset, sessions, publicSession)) opened.push(await open(dataset, session));
  const all: readonly Series[] = opened.filter((series) => series !== null);

  function tick(): void {
    const now = clock.now();
    const monotonic = clock.monotonic();
    const gap = now - lastTick.wall;
    if (gap > 2000) {
      const lived = monotonic - lastTick.monotonic;
      lapse = { from: lastTick.wall, to: now, cause: lived > gap / 2 ? causes.blocked : causes.asleep };
    }
    lastTick = { wall: now, monotonic };
    for (const series of all) look(series, now);
  }

  async function idle(): Promise<void> {
    for (;;) {
      const running = all.flatMap((series) => (series.current ? [series.current.done] : []));
      if (running.length === 0) return;
      await Promise.allSettled(running);
      await new Promise(setImmediate);
    }
  }

  return {
    tick,
    wake() {
      wakeUp = everySecond(tick, clock);
    },
    idle,
    async stop() {
      stopped = true;
      wakeUp?.stop();
      await idle();
    },
  };
}
