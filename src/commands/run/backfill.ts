/** A simulated past, collected in minutes: what `demo` begins with, and what the queries of the documentation run on. */

import type { App } from "../../app.ts";
import { Scheduler } from "../../collecting/scheduler.ts";
import { withLimit } from "../../core/async/abort.ts";
import type { SimulatedClock } from "../../core/clock.ts";

/**
 * Sets the clock to each instant in turn and runs what is due then, with the same scheduler, client, parsing and storing
 * as in real time. `reached` is called with the number of instants that are over.
 * @throws what makes going on impossible: no account left, the database gone
 */
export async function simulateHistory(
  app: App,
  clock: SimulatedClock,
  instants: readonly number[],
  reached: (count: number) => void = () => {},
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
    reached(index + 1);
  }
  await scheduler.stop();
}

/**
 * Has the clock confirmed and checks the keys one after the other. No time passes by itself here, and the exchange counts the keys of
 * one user together: each has a second of its own. What is wrong with a key its runs report.
 */
const prepare = ({ sessions, publicSession }: App, clock: SimulatedClock): Promise<void> =>
  withLimit(async (signal) => {
    await publicSession.client.requireClock(signal);
    for (const session of sessions) {
      await session.api({ signal }).catch(() => {});
      clock.jump(clock.now() + 1000);
    }
  });

/** Logs warnings and errors only: hundreds of lines about the past would hide what matters. */
const quietLog = ({ log }: App): App["log"] => ({
  debug: () => {},
  info: () => {},
  warn: log.warn.bind(log),
  error: log.error.bind(log),
});
