/** What `start` and `demo` have in common: collecting until a signal, an error or the time ends it. */
import { type App, type Daemon, observeRuns, openDaemon, preflight } from "../../app.ts";
import { type StopSignal, signalNumbers, stopSignals } from "./signals.ts";

/** The time that current runs have after the first signal. Milliseconds. */
const finishWithinMs = 8000;

/**
 * Collects until SIGINT or SIGTERM, until its terminal is closed, or until `seconds` have passed; then lets current runs end.
 * A second signal ends it at once with 128 + its number, which is safe: nothing is reported before it is committed. Resolves
 * with the exit code: 0, or 129 after a terminal was closed, which nobody asked for.
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
  let stoppedBy: StopSignal | null = null;
  const onSignal = (signal: StopSignal) => {
    if (stoppedBy !== null) return kill(128 + signalNumbers[signal]);
    stoppedBy = signal;
    app.log.info({ signal }, "stopping: the runs at hand are finished first");
    end();
  };
  for (const signal of stopSignals()) process.on(signal, onSignal);
  const work = async () => {
    let daemon: Daemon | null = null;
    // Also without pages: the heartbeat is one of the observers.
    const metrics = observeRuns(app);
    app.pages?.start(metrics.text, () => daemon?.scheduler.problem() ?? "");
    await Promise.race([preflight(app).catch(onFatal), ended]);
    if (stoppedBy !== null || fatal) return;
    daemon = await openDaemon(app, onFatal);
    announce(app);
    daemon.start();
    daemon.serviceManager.ready(`collecting ${namesOf(app)}`);
    const timer = seconds === null ? null : setTimeout(end, seconds * 1000);
    await ended;
    if (timer) clearTimeout(timer);
    daemon.serviceManager.stopping();
    const late = setTimeout(app.abortRuns, finishWithinMs);
    await daemon.stop();
    clearTimeout(late);
  };
  const clean = work().then(() => (stoppedBy === "SIGHUP" ? 128 + signalNumbers.SIGHUP : 0));
  const code = await Promise.race([killed, clean]);
  for (const signal of stopSignals()) process.off(signal, onSignal);
  if (fatal) throw fatal;
  if (code === 0 || stoppedBy === "SIGHUP") app.log.info({}, "stopped");
  return code;
}

/** Logs when the first snapshot will come. */
function announce(app: App): void {
  const { clock, clockCheck, schedules } = app.deps;
  const patterns = Object.values(schedules).filter((pattern) => pattern !== null);
  const next = Math.min(...patterns.map((pattern) => pattern.next(clock.now())));
  const accounts = namesOf(app);
  app.log.info(
    { accounts, database: app.store.path },
    clockCheck.verdict !== "confirmed"
      ? `collecting ${accounts}; nothing is due until the exchange confirms this machine's clock`
      : Number.isFinite(next)
        ? `collecting ${accounts}; the next slot is ${new Date(next).toISOString()}`
        : "every dataset is switched off; nothing will be collected",
  );
}

const namesOf = (app: App): string => app.sessions.map((session) => session.name).join(", ");
