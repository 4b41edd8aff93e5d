/** What `start` and `demo` have in common: ticking until a signal or an error ends it. */
import type { App } from "../app.ts";
import { createScheduler, type Scheduler } from "../schedule.ts";

/** Time for the runs at hand after the first signal, then they are cut. Milliseconds. */
const finishWithin = 8000;

const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Collects until SIGINT, SIGTERM or SIGHUP, or until `seconds` have passed; then lets the runs at hand end. A second
 * signal ends it at once with 128 + its number, which is safe: what is not committed was never said to be.
 */
export async function collectUntilStopped(app: App, seconds: number | null): Promise<number> {
  let end: (stop: number | Error | null) => void = () => {};
  let kill: (code: number) => void = () => {};
  const ended = new Promise<number | Error | null>((resolve) => {
    end = resolve;
  });
  const killed = new Promise<number>((resolve) => {
    kill = resolve;
  });
  let signals = 0;
  const onSignal = (signal: keyof typeof numbers) => {
    signals += 1;
    if (signals > 1) return kill(128 + numbers[signal]);
    app.log.info({ signal }, "stopping: the runs at hand are finished first");
    end(null);
  };
  for (const signal of Object.keys(numbers) as (keyof typeof numbers)[]) process.on(signal, onSignal);
  const scheduler = createScheduler(app.sessions, app.publicSession, app.tools, end);
  announce(app);
  scheduler.wake();
  const timer = seconds === null ? null : setTimeout(() => end(null), seconds * 1000);
  const reason = await ended;
  if (timer) clearTimeout(timer);
  const code = await Promise.race([killed, stop(app, scheduler)]);
  for (const signal of Object.keys(numbers) as (keyof typeof numbers)[]) process.off(signal, onSignal);
  if (reason instanceof Error) throw reason;
  return code;
}

async function stop(app: App, scheduler: Scheduler): Promise<number> {
  const cut = setTimeout(() => app.cut(), finishWithin);
  await scheduler.stop();
  clearTimeout(cut);
  app.log.info({}, "stopped");
  return 0;
}

/** When the first snapshot will come, so that nobody waits in doubt. */
function announce(app: App): void {
  const { clock, schedules, store } = app.tools;
  const patterns = Object.values(schedules).filter((pattern) => pattern !== null);
  const next = Math.min(...patterns.map((pattern) => pattern.next(clock.now())));
  const accounts = app.sessions.map((session) => session.name).join(", ");
  app.log.info(
    { accounts, database: store.path },
    Number.isFinite(next)
      ? `collecting ${accounts}; the next slot is ${new Date(next).toISOString()}`
      : "every dataset is switched off; nothing will be collected",
  );
}
