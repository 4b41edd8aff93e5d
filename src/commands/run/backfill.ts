/** Simulates a history on a simulated clock, for `demo` and for the queries of the documentation. */

import type { App } from "../../app.ts";
import { Scheduler } from "../../collecting/scheduler.ts";
import { withLimit } from "../../core/async/abort.ts";
import { type SimulatedClock, sleep, systemClock } from "../../core/clock.ts";

export interface BackfillOptions {
  /** Called before each instant, which may be in the past of the clock then: a machine that slept begins late. Epoch ms. */
  before?(instant: number): void;
  /** Whether alerts are evaluated, as of the instants. Default: no. */
  hasAlerts?: boolean;
  /** Whether waits for the clock end as soon as the process has nothing else to do. Default: no. */
  skipsWaits?: boolean;
}

/**
 * Sets the clock to each instant (epoch ms) in turn and runs what is due then, with the scheduler, client, parser and store of real
 * operation. Calls `onInstant` with the number of instants done.
 * @throws the error that makes further collecting impossible: no account is left, or the database was removed
 */
export async function simulateHistory(
  app: App,
  clock: SimulatedClock,
  instants: readonly number[],
  onInstant: (count: number) => void = () => {},
  { before = () => {}, hasAlerts = false, skipsWaits = false }: BackfillOptions = {},
): Promise<void> {
  const end = (work: Promise<unknown>) => (skipsWaits ? withoutWaits(work, clock) : work);
  await end(prepare(app, clock));
  let fatal: Error | null = null;
  const scheduler = await Scheduler.open({
    ...app,
    deps: { ...app.deps, log: quietLog(app) },
    onFatal(error) {
      fatal ??= error;
    },
  });
  // Snapshots that were stored before the first evaluation raise no alert.
  if (hasAlerts) app.alerts.tick();
  for (const [index, instant] of instants.entries()) {
    before(instant);
    clock.jump(instant);
    scheduler.tick();
    await end(scheduler.idle());
    if (hasAlerts) app.alerts.tick();
    if (hasAlerts) await app.alerts.idle();
    if (fatal) throw fatal;
    onInstant(index + 1);
  }
  await scheduler.stop();
  if (hasAlerts) await app.alerts.stop();
}

/** The process has nothing else to do if it has idled for most of this time. Milliseconds. */
const idleMs = 12;

/** Waits for work, and sets the clock forward to its next timer whenever only that can continue the work. */
async function withoutWaits(work: Promise<unknown>, clock: SimulatedClock): Promise<void> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const before = performance.eventLoopUtilization();
    await Promise.race([ended, sleep(systemClock, idleMs)]);
    if (!isOver && performance.eventLoopUtilization(before).idle > idleMs * 0.7) clock.skipToTimer();
  }
  await ended;
}

/**
 * Confirms the clock and checks the keys one after the other. The simulated clock stands still and the exchange limits all keys of one
 * user together, so the clock is advanced by a second per key. An invalid key is reported by its runs, not here.
 */
const prepare = ({ sessions, publicSession }: App, clock: SimulatedClock): Promise<void> =>
  withLimit(async (signal) => {
    await publicSession.client.requireClock(signal);
    for (const session of sessions) {
      await session.api({ signal }).catch(() => {});
      clock.jump(clock.now() + 1000);
    }
  });

/** Returns a log of warnings and errors only: hundreds of lines about past runs would hide them. */
const quietLog = ({ log }: App): App["log"] => ({
  debug: () => {},
  info: () => {},
  warn: log.warn.bind(log),
  error: log.error.bind(log),
});
