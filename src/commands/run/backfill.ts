/** Simulates a history on a simulated clock, for `demo` and for the queries of the documentation. */

import type { App } from "../../app.ts";
import { Scheduler } from "../../collecting/scheduler.ts";
import { withLimit } from "../../core/async/abort.ts";
import type { SimulatedClock } from "../../core/clock.ts";

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
): Promise<void> {
  await prepare(app, clock);
  let fatal: Error | null = null;
  const scheduler = await Scheduler.open({
    ...app,
    deps: { ...app.deps, log: quietLog(app) },
    onFatal(error) {
      fatal ??= error;
    },
  });
  for (const [index, instant] of instants.entries()) {
    clock.jump(instant);
    scheduler.tick();
    await scheduler.idle();
    if (fatal) throw fatal;
    onInstant(index + 1);
  }
  await scheduler.stop();
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
