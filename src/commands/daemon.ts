/** What `start` and `demo` have in common: ticking until a signal or an error ends it. */
import { type App, preflight } from "../app.ts";
import type { Tools } from "../job.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import { createScheduler, type Scheduler } from "../schedule.ts";
import { createServiceManager } from "../service.ts";

/** Time for the runs at hand after the first signal, then they are cut. Milliseconds. */
const finishWithin = 8000;

const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Collects until SIGINT, SIGTERM or SIGHUP, or until `seconds` have passed; then lets the runs at hand end. A second
 * signal ends it at once with 128 + its number, which is safe: what is not committed was never said to be.
 * @throws what makes going on impossible: no account left, the database gone
 */
export async function collectUntilStopped(app: App, seconds: number | null): Promise<number> {
  let end = () => {};
  let kill: (code: number) => void = () => {};
  let fatal: Error | null = null;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const killed = new Promise<number>((resolve) => {
    kill = resolve;
  });
  const onFatal = (error: Error) => {
    fatal ??= error;
    end();
  };
  let signals = 0;
  const onSignal = (signal: keyof typeof numbers) => {
    signals += 1;
    if (signals > 1) return kill(128 + numbers[signal]);
    app.log.info({ signal }, "stopping: the runs at hand are finished first");
    end();
  };
  for (const signal of Object.keys(numbers) as (keyof typeof numbers)[]) process.on(signal, onSignal);
  const work = async () => {
    const metrics = createMetrics({ ...app, clock: app.tools.clock });
    app.pages?.start(metrics.text);
    await Promise.race([preflight(app).catch(onFatal), ended]);
    if (signals > 0 || fatal) return;
    const scheduler = createScheduler(app.sessions, app.publicSession, toldTo(app, metrics), onFatal);
    app.dailyReports?.wake();
    app.alerts.wake();
    announce(app);
    const serviceManager = createServiceManager(process.env, app.log);
    scheduler.wake(serviceManager.alive);
    serviceManager.ready(`collecting ${namesOf(app)}`);
    const timer = seconds === null ? null : setTimeout(end, seconds * 1000);
    await ended;
    if (timer) clearTimeout(timer);
    serviceManager.stopping();
    await stop(app, scheduler);
  };
  const code = await Promise.race([killed, work().then(() => 0)]);
  for (const signal of Object.keys(numbers) as (keyof typeof numbers)[]) process.off(signal, onSignal);
  if (fatal) throw fatal;
  if (code === 0) app.log.info({}, "stopped");
  return code;
}

/** Everybody who wants to know what became of a slot hears of it. */
export function toldTo({ tools, heartbeat }: App, metrics: Metrics): Tools {
  return {
    ...tools,
    onEnded(run) {
      metrics.onEnded(run);
      heartbeat?.onEnded(run);
      tools.onEnded(run);
    },
    onSettled(...settled) {
      metrics.onSettled(...settled);
      tools.onSettled(...settled);
    },
  };
}

/** The runs and the report at hand may finish, pages may not; after a while the runs are cut. What they stored is looked at. */
async function stop(app: App, scheduler: Scheduler): Promise<void> {
  const cut = setTimeout(() => app.cut(), finishWithin);
  await Promise.all([scheduler.stop(), app.dailyReports?.stop(), app.pages?.stop()]);
  clearTimeout(cut);
  await app.alerts.stop();
}

/** When the first snapshot will come, so that nobody waits in doubt. */
function announce(app: App): void {
  const { clock, schedules, store } = app.tools;
  const patterns = Object.values(schedules).filter((pattern) => pattern !== null);
  const next = Math.min(...patterns.map((pattern) => pattern.next(clock.now())));
  const accounts = namesOf(app);
  app.log.info(
    { accounts, database: store.path },
    Number.isFinite(next)
      ? `collecting ${accounts}; the next slot is ${new Date(next).toISOString()}`
      : "every dataset is switched off; nothing will be collected",
  );
}

const namesOf = (app: App): string => app.sessions.map((session) => session.name).join(", ");
