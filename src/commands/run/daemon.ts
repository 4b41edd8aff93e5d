/** Runs the daemon for `start` and `demo`, until a signal, a fatal error or the end of its time. */
import { type App, type Daemon, observeRuns, openDaemon, preflight } from "../../app.ts";
import { sessionsOf } from "../../collecting/account-session.ts";
import { type StopSignal, signalNumbers, stopSignals } from "./signals.ts";

/** The time that current runs may take to finish after the first signal; then they are aborted. Milliseconds. */
const finishWithinMs = 8000;

/**
 * Collects until SIGINT or SIGTERM, until the terminal is closed, or for `seconds`; then waits for the current runs. Resolves with the
 * exit code: 0; 129 after the terminal was closed; 128 + its number after a second signal, which stops at once. That is safe because
 * nothing is reported before it is committed.
 * @throws the error that makes further collecting impossible: no account is left, or the database was removed
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
    app.log.info({ signal }, "stopping: waiting for the current runs");
    end();
  };
  for (const signal of stopSignals()) process.on(signal, onSignal);
  const work = async () => {
    let daemon: Daemon | null = null;
    // Needed without a dashboard too: the heartbeat is one of the observers.
    const metrics = observeRuns(app);
    app.pages?.start(metrics.text, () => daemon?.scheduler.problem() ?? "");
    await Promise.race([preflight(app).catch(onFatal), ended]);
    if (stoppedBy !== null || fatal) return;
    daemon = await openDaemon(app, onFatal);
    logFirstSlot(app);
    daemon.start();
    daemon.serviceManager.ready(`collecting ${accountNames(app)}`);
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

/** Logs accounts, database and the first due slot. */
function logFirstSlot(app: App): void {
  const { clock, clockCheck, scheduleOf, datasets } = app.deps;
  let next = Math.min(...app.mains.map(({ schedule }) => schedule.next(clock.now())));
  for (const dataset of datasets)
    for (const { name } of sessionsOf(dataset, app.sessions, app.publicSession))
      next = Math.min(next, scheduleOf(name, dataset.name)?.next(clock.now()) ?? next);
  const accounts = accountNames(app);
  app.log.info(
    { accounts, database: app.store.path },
    clockCheck.verdict !== "confirmed"
      ? `collecting ${accounts}; nothing is due until the exchange has confirmed this machine's clock`
      : Number.isFinite(next)
        ? `collecting ${accounts}; the next slot is ${new Date(next).toISOString()}`
        : "every dataset is switched off; nothing will be collected",
  );
}

/** The number of accounts above which their names would only fill the log. */
const maxNames = 20;

const accountNames = ({ sessions }: App): string =>
  sessions.length > maxNames ? `${sessions.length} accounts` : sessions.map((session) => session.name).join(", ");
