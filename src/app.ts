/** Builds the program from its settings and takes it down in reverse order. Only this file knows which parts are in use. */
import { setMaxListeners } from "node:events";
import { Alerts } from "./alerts/alerts.ts";
import { Client } from "./bitget/client.ts";
import { ClockCheck } from "./bitget/clock-check.ts";
import { Limiter } from "./bitget/limits/rate-limiter.ts";
import { AccountSession, createPublicSession, requireAccount, type Session } from "./collecting/account-session.ts";
import { NodeCronEngine } from "./collecting/engines/node-cron.ts";
import type { CollectorDeps, SlotObserver } from "./collecting/run-context.ts";
import { Scheduler } from "./collecting/scheduler.ts";
import { withLimit } from "./core/async/abort.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import type { Account } from "./core/domain.ts";
import { DeadlineError } from "./core/errors.ts";
import { createLog, type Log } from "./core/log.ts";
import { redactor } from "./core/text.ts";
import { datasets } from "./datasets/index.ts";
import { Heartbeat } from "./monitoring/heartbeat.ts";
import { createMetrics, type Metrics } from "./monitoring/metrics.ts";
import { createServiceManager, type ServiceManager } from "./monitoring/systemd.ts";
import { createDailyReports, type DailyReports } from "./reports/daily.ts";
import { type Config, secretsOf } from "./settings/config.ts";
import { openStore, type SqliteStore } from "./store/open.ts";
import { openResponseArchive } from "./store/responses/archive.ts";
import { withUnknownAge } from "./store/runs/freshness.ts";
import { lockDatabase } from "./store/sqlite/lock.ts";
import type { Store } from "./store/store.ts";
import { DashboardProcess } from "./web/process/process.ts";

/** Everything that talks to the exchange. */
export interface ExchangeClients {
  sessions: Session[];
  publicSession: Session;
  limiter: Limiter;
  clockCheck: ClockCheck;
  log: Log;
  close(): void;
}

export interface App extends ExchangeClients {
  store: SqliteStore;
  deps: CollectorDeps;
  /** Everything that is notified of what became of a slot; a program that stays adds to it. */
  observers: SlotObserver[];
  /** Null: switched off. */
  dailyReports: DailyReports | null;
  /** Null: switched off. */
  pages: DashboardProcess | null;
  /** Null: switched off. */
  heartbeat: Heartbeat | null;
  alerts: Alerts;
  /** Ends current runs as failed. */
  abortRuns(): void;
}

export const logOf = (config: Config): Log =>
  createLog({ level: config.logLevel, format: config.logFormat, secrets: secretsOf(config) });

/** Makes a client and a session for each account. `store`: null for commands that only read the exchange. */
export function openClients(
  config: Config,
  store: Store | null,
  clock = systemClock,
  log = logOf(config),
  stopping?: AbortSignal,
): ExchangeClients {
  const { baseUrl, fallbackBaseUrl, demoTrading, allowWriteKeys, proxy } = config;
  const limiter = new Limiter(clock, config.accounts.length);
  const clockCheck = new ClockCheck(clock);
  const clientOf = (account: Account | null) =>
    new Client({ account, baseUrl, fallbackBaseUrl, demoTrading, proxy, limiter, clock, clockCheck, log });
  const isOnlyOne = config.accounts.length === 1;
  const sessions = config.accounts.map(
    (account) =>
      new AccountSession({
        account,
        client: clientOf(account),
        store,
        allowWriteKeys,
        isOnlyOne,
        clock,
        log,
        stopping,
      }),
  );
  // v1 is only ever spoken by hosts that know nothing newer; everybody else has the public addresses of v2.
  const publicApi = config.accounts.every((account) => account.api === "v1") ? "v1" : "v2";
  const publicSession = createPublicSession(clientOf(null), publicApi);
  return {
    sessions,
    publicSession,
    limiter,
    clockCheck,
    log,
    close() {
      for (const session of [...sessions, publicSession]) session.client.close();
      limiter.close();
    },
  };
}

/** Locks the database, opens it, ends the runs that a dead process left open, and makes everything that `start` and `collect` use. */
export async function openApp(config: Config, clock: Clock = systemClock): Promise<App> {
  const log = logOf(config);
  /** What was opened, the last first. */
  const opened: { close(): void }[] = [];
  const close = () => closeAll(opened.splice(0));
  try {
    const lock = lockDatabase(config.databasePath);
    opened.unshift({ close: lock.release });
    const controller = new AbortController();
    // Every run listens while it lasts, and many accounts have many runs.
    setMaxListeners(0, controller.signal);
    const { signal: stopping } = controller;
    const written = await openStore({ path: config.databasePath, datasets, log, clock, stopping });
    opened.unshift(written);
    const { databasePath, keepRawDays } = config;
    const redact = redactor(secretsOf(config));
    const rawResponses = openResponseArchive({ databasePath, days: keepRawDays, clock, log, redact });
    if (rawResponses) opened.unshift(rawResponses);
    const crashed = await written.recover();
    if (crashed > 0) log.warn({ runs: crashed }, `${crashed} runs were cut off when the program last ended: failed`);
    const clients = openClients(config, written, clock, log, stopping);
    opened.unshift(clients);
    const store = withClockCheck(clients.clockCheck, written);
    const alerts = new Alerts({ store, settings: config.alerts, proxy: config.proxy, clock, log });
    const observers: SlotObserver[] = [alerts];
    const deps: CollectorDeps = {
      store,
      rawResponses,
      datasets,
      productTypes: config.productTypes,
      schedules: config.schedules,
      runDeadlineSeconds: config.runDeadlineSeconds,
      reportedFields: new Set(),
      observers,
      clock,
      clockCheck: clients.clockCheck,
      log,
      redact,
      stopping,
    };
    const abortRuns = () => controller.abort(new DeadlineError("the program was stopped before it was finished"));
    const { reportsDirectory: directory, reportsSchedule: schedule } = config;
    const heartbeat =
      config.heartbeatUrl && new Heartbeat({ url: config.heartbeatUrl, proxy: config.proxy, store, clock, log });
    if (heartbeat) opened.unshift(heartbeat);
    const dailyReports = schedule && createDailyReports({ databasePath, directory, schedule, clock, log, stopping });
    const { http, timezone, sqlTimeoutSeconds } = config;
    const site = { databasePath, timezone, sqlTimeoutSeconds };
    const pages = http && new DashboardProcess({ site, http, log });
    if (pages) opened.unshift(pages);
    return { ...clients, store, deps, observers, dailyReports, alerts, pages, heartbeat, abortRuns, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Closes every one, and then throws the first error there was. */
function closeAll(opened: readonly { close(): void }[]): void {
  const problems: unknown[] = [];
  for (const one of opened) {
    try {
      one.close();
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0) throw problems[0];
}

/** While the exchange contradicts our clock nothing is collected, and no age by that clock is one. */
const withClockCheck = (clockCheck: ClockCheck, store: SqliteStore): SqliteStore => ({
  ...store,
  async freshness(now) {
    const found = await store.freshness(now);
    return clockCheck.verdict === "contradicted" ? found.map(withUnknownAge) : found;
  },
});

/** What only a program has that stays. */
export interface Daemon {
  scheduler: Scheduler;
  serviceManager: ServiceManager;
  /** Starts everything that looks at the clock. */
  start(): void;
  /** Starts nothing more; resolves when current runs, the report at hand and alerts about them have ended. */
  stop(): Promise<void>;
}

/** Counts runs from now on, and notifies the heartbeat of them. */
export function observeRuns({ observers, heartbeat, ...app }: App): Metrics {
  const metrics = createMetrics({ ...app, clock: app.deps.clock });
  observers.push(metrics, ...(heartbeat ? [heartbeat] : []));
  return metrics;
}

/**
 * Reads what is due. `onFatal` is called with an error after which going on would lose data silently.
 * @throws ConfigError where the daily reports cannot be written
 */
export async function openDaemon(app: App, onFatal: (error: Error) => void): Promise<Daemon> {
  const { alerts, dailyReports, pages, deps } = app;
  const scheduler = await Scheduler.open({ ...app, onFatal });
  dailyReports?.prepare();
  const serviceManager = createServiceManager(process.env, deps.log);
  const engine = new NodeCronEngine(deps.clock);
  return {
    scheduler,
    serviceManager,
    start: () =>
      engine.start(() => {
        // Alerts first: what is stored before their first look is the past.
        alerts.tick();
        scheduler.tick();
        dailyReports?.tick();
        serviceManager.alive();
      }),
    async stop() {
      await Promise.all([scheduler.stop(), dailyReports?.stop(), pages?.stop()]);
      engine.stop();
      await alerts.stop();
    },
  };
}

/**
 * Probes every account before the first slot, so that a refused key is heard of at once, and has the clock confirmed, which the
 * first answer does. @throws ConfigError with none left
 */
export async function preflight({ sessions, publicSession, clockCheck, log }: ExchangeClients): Promise<void> {
  const logFailure = (name: string) => (error: unknown) => {
    const problem = error instanceof Error ? error.message : String(error);
    log.error({ account: name }, `account ${name}: ${problem}`);
  };
  await withLimit(async (signal) => {
    // One signal ends the probing of all accounts: many listeners are no leak.
    setMaxListeners(0, signal);
    await Promise.all(sessions.map((session) => session.api({ signal }).catch(logFailure(session.name))));
    if (clockCheck.verdict === "unknown") await publicSession.client.requireClock(signal).catch(() => {});
  });
  requireAccount(sessions);
}
