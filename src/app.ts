/** Builds the program from its settings and closes its parts in reverse order. Only this file knows which parts are in use. */
import { setMaxListeners } from "node:events";
import { Alerts } from "./alerts/alerts.ts";
import { Client } from "./bitget/client.ts";
import { ClockCheck } from "./bitget/clock-check.ts";
import { Limiter } from "./bitget/limits/rate-limiter.ts";
import { createHttp, type Http } from "./bitget/wire/http.ts";
import { AccountSession, createPublicSession, requireAccount, type Session } from "./collecting/account-session.ts";
import { schedulesOf } from "./collecting/due.ts";
import { NodeCronEngine } from "./collecting/engines/node-cron.ts";
import type { CollectorDeps, SlotObserver } from "./collecting/run-context.ts";
import { Scheduler } from "./collecting/scheduler.ts";
import { ExchangeContact } from "./collecting/sharing/exchange-contact.ts";
import { MainAccount } from "./collecting/sub-accounts/main-account.ts";
import { withLimit } from "./core/async/abort.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import type { Account, Secret } from "./core/domain.ts";
import { DeadlineError } from "./core/errors.ts";
import { createLog, type Log } from "./core/log.ts";
import { redactor } from "./core/text.ts";
import { datasets } from "./datasets/index.ts";
import { Heartbeat } from "./monitoring/heartbeat.ts";
import { createMetrics, type Metrics } from "./monitoring/metrics.ts";
import { createServiceManager, type ServiceManager } from "./monitoring/systemd.ts";
import { ownVersion } from "./monitoring/version.ts";
import { sourceAddressOf } from "./network/source-addresses.ts";
import { createDailyReports, type DailyReports } from "./reports/daily.ts";
import { type Config, scheduleSetting, secretsOf } from "./settings/config.ts";
import { publishedSettings, shownSettings } from "./settings/sections/shown.ts";
import { openStore } from "./store/open.ts";
import type { ShipFollower } from "./store/postgres/copy/ship-follower.ts";
import { openHistory } from "./store/read/open-history.ts";
import { openResponseArchive } from "./store/responses/archive.ts";
import { lockDatabase } from "./store/sqlite/lock.ts";
import type { OpenedStore, Store } from "./store/store.ts";
import { DashboardProcess } from "./web/process/process.ts";

/** The parts that send requests to the exchange. */
export interface ExchangeClients {
  sessions: Session[];
  publicSession: Session;
  limiter: Limiter;
  clockCheck: ClockCheck;
  log: Log;
  close(): void;
}

/** The opened parts of the program that `start` and `collect` use. */
export interface App extends ExchangeClients {
  store: OpenedStore;
  /** The accounts whose sub-accounts are collected with their keys. */
  mains: readonly MainAccount[];
  deps: CollectorDeps;
  /** Notified of the outcome of each slot; `observeRuns` adds to it. */
  observers: SlotObserver[];
  /** Null if switched off. */
  dailyReports: DailyReports | null;
  /** Null if switched off. */
  pages: DashboardProcess | null;
  /** Null if switched off. */
  heartbeat: Heartbeat | null;
  /** Null: the history is not copied to PostgreSQL. */
  ship: ShipFollower | null;
  alerts: Alerts;
  /** Aborts the current runs; they end as failed. */
  abortRuns(): void;
}

/** Creates the log that the settings describe, with the secrets removed from every line. */
export const logOf = (config: Config): Log =>
  createLog({ level: config.logLevel, format: config.logFormat, secrets: secretsOf(config) });

/** Creates a client and a session for each account. `store` is null for commands that only read the exchange. */
export function openClients(
  config: Config,
  store: Store | null,
  clock = systemClock,
  log = logOf(config),
  stopping?: AbortSignal,
  clockCheck = new ClockCheck(clock),
): ExchangeClients {
  const { baseUrl, fallbackBaseUrl, demoTrading, allowWriteKeys, proxy, requestsPerMinute, sourceAddresses } = config;
  const hosts = fallbackBaseUrl === null ? [baseUrl] : [baseUrl, fallbackBaseUrl];
  const onBanned = (ms: number) => store?.sharing?.pause(ms);
  const limiter = new Limiter(clock, {
    ...{ accounts: config.accounts.length, requestsPerMinute, sourceAddresses, onBanned },
  });
  const connections = new Map<string | null, Http>();
  const connectionsOf = (account: Account | null): Http => {
    const sourceAddress = sourceAddressOf(account?.name ?? null, sourceAddresses);
    const http = connections.get(sourceAddress) ?? createHttp(hosts, { proxy, sourceAddress });
    connections.set(sourceAddress, http);
    return http;
  };
  const clientOf = (account: Account | null) =>
    new Client({ account, http: connectionsOf(account), demoTrading, limiter, clock, clockCheck, log });
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
  // A host with v1 has nothing newer. Accounts with v2 and v3 share the public endpoints of v2.
  const publicApi = config.accounts.every((account) => account.api === "v1") ? "v1" : "v2";
  const publicSession = createPublicSession(clientOf(null), publicApi);
  return {
    sessions,
    publicSession,
    limiter,
    clockCheck,
    log,
    close() {
      for (const http of connections.values()) http.close();
      limiter.close();
    },
  };
}

/** What an app is opened for. */
export interface AppOptions {
  /** Whether the process has its name in `runs.worker` for itself, and may fail the runs of its predecessor. Default: true. */
  isDaemon?: boolean;
  /** False where the history need not survive a power failure. Default: true. */
  isDurable?: boolean;
}

export interface StorageOptions extends AppOptions {
  isDaemon: boolean;
  clock: Clock;
  clockCheck: ClockCheck;
  log: Log;
  stopping: AbortSignal;
  redact: (text: string) => string;
  /** Receives what is to be closed, the last one first. */
  opened: { close(): void }[];
}

/** Opens the store and the archive of raw responses, and marks runs of a crashed process as failed. */
export async function openStorage(
  config: Config,
  options: StorageOptions,
): Promise<Pick<CollectorDeps, "rawResponses"> & { store: OpenedStore }> {
  const { opened, log, redact } = options;
  const store = config.postgres
    ? await openPostgres(config, config.postgres, options)
    : await openFile(config, options);
  opened.unshift(store);
  const { databasePath, keepRawDays, postgres } = config;
  // Raw responses are kept for `db replay`, which works on a database file.
  const rawResponses = postgres ? null : openResponseArchive({ ...options, databasePath, days: keepRawDays, redact });
  if (rawResponses) opened.unshift(rawResponses);
  const crashed = await store.recover();
  if (crashed > 0)
    log.warn(
      { runs: crashed },
      `${crashed} runs were interrupted when the program last ended; they are recorded as failed`,
    );
  return { store, rawResponses };
}

async function openFile({ databasePath: path }: Config, { opened, ...options }: StorageOptions): Promise<OpenedStore> {
  const lock = lockDatabase(path);
  opened.unshift({ close: lock.release });
  return openStore({ ...options, path, datasets });
}

async function openPostgres(
  config: Config,
  url: Secret,
  { isDaemon, ...options }: StorageOptions,
): Promise<OpenedStore> {
  // Loaded only where it is used.
  const { openRecorder } = await import("./store/postgres/recorder/recorder.ts");
  const { workerName: name, runDeadlineSeconds, accounts, productTypes, demoTrading, schedules, subAccounts } = config;
  const all = { ...schedules, "sub-accounts": subAccounts.schedule };
  const patterns = Object.entries(all).map(([dataset, pattern]) => [scheduleSetting(dataset), pattern?.text ?? ""]);
  const registration = {
    name,
    version: ownVersion(),
    settings: {
      ...Object.fromEntries(patterns),
      BITGET_PRODUCT_TYPES: productTypes.join(","),
      // Older versions do not know it: it is named where it is used.
      ...(demoTrading ? { BITGET_DEMO_TRADING: "true" } : {}),
    },
    accounts: accounts.map((account) => account.name),
    mains: subAccounts.of,
  };
  return openRecorder({
    ...{ ...options, url, datasets, leaseMs: runDeadlineSeconds * 1000, mirror: config.databasePath },
    ...(isDaemon ? { worker: name, registration } : { worker: `${name}/${process.pid}` }),
  });
}

/**
 * Returns whether accounts are due in different seconds: several accounts are, and all in a PostgreSQL database, where the other accounts
 * may be those of another machine, and a schedule must not depend on which machine runs it.
 */
export const hasPhases = ({ accounts, postgres }: Config): boolean => accounts.length > 1 || postgres !== null;

/** Opens the database, and creates the parts that `start` and `collect` use. */
export async function openApp(config: Config, clock: Clock = systemClock, options: AppOptions = {}): Promise<App> {
  const { isDaemon = true, isDurable = true } = options;
  const log = logOf(config);
  /** In the order in which they are to be closed. */
  const opened: { close(): void }[] = [];
  const close = () => closeAll(opened.splice(0));
  try {
    const controller = new AbortController();
    // Every current run has a listener, and many accounts have many runs.
    setMaxListeners(0, controller.signal);
    const { signal: stopping } = controller;
    const clockCheck = new ClockCheck(clock);
    const redact = redactor(secretsOf(config));
    const storage = { clock, clockCheck, log, stopping, redact, isDaemon, isDurable, opened };
    const { store, rawResponses } = await openStorage(config, storage);
    const clients = openClients(config, store, clock, log, stopping, clockCheck);
    opened.unshift(clients);
    const { of, schedule: subSchedule } = config.subAccounts;
    const mains = clients.sessions.flatMap((session) =>
      subSchedule && of.includes(session.name)
        ? new MainAccount({ session, schedule: subSchedule, store, clock, log, stopping })
        : [],
    );
    // The history of a mirror is behind the one in PostgreSQL.
    const history = config.alerts.drawdown !== null && !config.postgres ? openHistory(config.databasePath) : null;
    if (history) opened.unshift(history);
    // Of several processes only those that stay have a name under which their settings are kept.
    const published = isDaemon || !config.postgres ? publishedSettings(config) : null;
    const alerts = new Alerts({ store, history, settings: config.alerts, published, proxy: config.proxy, clock, log });
    const observers: SlotObserver[] = [alerts];
    const deps: CollectorDeps = {
      store,
      rawResponses,
      datasets,
      productTypes: config.productTypes,
      scheduleOf: schedulesOf(config.schedules, { hasPhases: hasPhases(config) }),
      runDeadlineSeconds: config.runDeadlineSeconds,
      reportedFields: new Set(),
      observers,
      clock,
      clockCheck,
      log,
      redact,
      stopping,
    };
    const abortRuns = () => controller.abort(new DeadlineError("the program was stopped before it was finished"));
    const { reportsDirectory: directory, reportsSchedule: schedule } = config;
    const heartbeat =
      config.heartbeatUrl && new Heartbeat({ url: config.heartbeatUrl, proxy: config.proxy, store, clock, log });
    if (heartbeat) opened.unshift(heartbeat);
    const dailyReports =
      schedule && createDailyReports({ databasePath: config.databasePath, directory, schedule, clock, log, stopping });
    const { http, timezone, sqlTimeoutSeconds } = config;
    const settings = shownSettings(config);
    const site = {
      databasePath: config.databasePath,
      timezone,
      sqlTimeoutSeconds,
      reportsDirectory: directory,
      settings,
    };
    const pages = http && new DashboardProcess({ site, http, log });
    if (pages) opened.unshift(pages);
    const ship = config.shipTo && (await createShip(config.shipTo, config.databasePath, deps));
    return {
      ...clients,
      store,
      mains,
      deps,
      observers,
      dailyReports,
      alerts,
      pages,
      heartbeat,
      ship,
      abortRuns,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function createShip(url: Secret, path: string, { clock, log }: CollectorDeps): Promise<ShipFollower> {
  // Loaded only where it is used.
  const { ShipFollower } = await import("./store/postgres/copy/ship-follower.ts");
  const report = (sentence: string, isProblem: boolean) =>
    isProblem ? log.warn({}, sentence) : log.info({}, sentence);
  return new ShipFollower({ path, url, datasets, now: () => clock.now(), report });
}

/** Closes all parts, even if one fails, and then throws the first error. */
function closeAll(opened: readonly { close(): void }[]): void {
  const errors: unknown[] = [];
  for (const one of opened) {
    try {
      one.close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** The parts that only a long-running program has. */
export interface Daemon {
  scheduler: Scheduler;
  serviceManager: ServiceManager;
  /** Starts the schedules, alerts and reports. */
  start(): void;
  /** Starts nothing more. Resolves when the current runs, the current report and their alerts have ended. */
  stop(): Promise<void>;
}

/** Adds metrics and the heartbeat to the observers, and returns the metrics. */
export function observeRuns({ observers, heartbeat, ...app }: App): Metrics {
  const metrics = createMetrics({ ...app, clock: app.deps.clock });
  observers.push(metrics, ...(heartbeat ? [heartbeat] : []));
  return metrics;
}

/**
 * Opens the scheduler and the other parts of the daemon. `onFatal` receives an error after which continuing would silently lose data.
 * @throws ConfigError if the folder of the daily reports cannot be written
 */
export async function openDaemon(app: App, onFatal: (error: Error) => void): Promise<Daemon> {
  const { alerts, dailyReports, pages, ship, deps } = app;
  const scheduler = await Scheduler.open({ ...app, onFatal });
  const { sharing } = deps.store;
  if (sharing) app.observers.push(new ExchangeContact({ ...deps, sharing, client: app.publicSession.client }));
  dailyReports?.prepare();
  const serviceManager = createServiceManager(process.env, deps.log);
  const engine = new NodeCronEngine(deps.clock);
  return {
    scheduler,
    serviceManager,
    start() {
      ship?.start();
      engine.start(() => {
        // Alerts first: snapshots stored before their first evaluation do not fire.
        alerts.tick();
        scheduler.tick();
        dailyReports?.tick();
        serviceManager.alive();
      });
    },
    async stop() {
      await Promise.all([scheduler.stop(), dailyReports?.stop(), pages?.stop()]);
      engine.stop();
      await alerts.stop();
      await ship?.stop();
    },
  };
}

/** Accounts probed at the same time: more would only open more connections. */
export const maxProbes = 50;

/**
 * Probes every account before the first slot, so that a refused key is reported at once, and confirms the clock, which any
 * response does. @throws ConfigError if every account was refused
 */
export async function preflight({ sessions, publicSession, clockCheck, log }: ExchangeClients): Promise<void> {
  const logFailure = (name: string) => (error: unknown) => {
    const problem = error instanceof Error ? error.message : String(error);
    log.error({ account: name }, `account ${name}: ${problem}`);
  };
  await withLimit(async (signal) => {
    // One signal aborts the probing of all accounts: many listeners are not a leak.
    setMaxListeners(0, signal);
    const waiting = sessions.values();
    const probeWaiting = async () => {
      for (const session of waiting) {
        // What is not probed in time is probed by its first run.
        if (signal.aborted) return;
        await session.api({ signal }).catch(logFailure(session.name));
      }
    };
    await Promise.all(Array.from({ length: maxProbes }, probeWaiting));
    if (clockCheck.verdict === "unknown") await publicSession.client.requireClock(signal).catch(() => {});
  });
  requireAccount(sessions);
}
