/** A past lived through in minutes: what `demo` begins with, and what the queries of the README are tried on. */
import { limitTo } from "../abort.ts";
import type { App } from "../app.ts";
import type { SimulatedClock } from "../clock.ts";
import { createScheduler } from "../schedule.ts";

/**
 * Sets the clock to each instant in turn and runs what is due then, with the same scheduler, client, parsing and storing
 * as in real time. `reached` hears how many instants are over.
 * @throws what makes going on impossible: no account left, the database gone
 */
export async function livePast(
  app: App,
  clock: SimulatedClock,
  instants: readonly number[],
  reached: (count: number) => void = () => {},
): Promise<void> {
  const { signal, clear } = limitTo(30_000);
  await app.publicSession.client.requireClock(signal).finally(clear);
  const quiet = { ...app.tools, log: quietLog(app) };
  let fatal: Error | null = null;
  const scheduler = createScheduler(app.sessions, app.publicSession, quiet, (error) => {
    fatal ??= error;
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

/** Seven hundred lines about the past would hide what matters; what goes wrong is still said. */
const quietLog = ({ log }: App): App["log"] => ({
  debug: () => {},
  info: () => {},
  warn: log.warn.bind(log),
  error: log.error.bind(log),
});
