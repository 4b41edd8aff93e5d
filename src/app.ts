/** Builds the program from its settings and takes it down in reverse order. Only this file knows which parts are in use. */
import { createClient } from "./bitget/client.ts";
import { Limiter } from "./bitget/limiter.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Tools } from "./collect.ts";
import { type Config, secretsOf } from "./config.ts";
import { datasets } from "./datasets/index.ts";
import type { Account, Tally } from "./domain.ts";
import { ConfigError } from "./errors.ts";
import { createLog, type Log, redactor } from "./log.ts";
import { createScheduler, type Scheduler } from "./schedule.ts";
import { createPublicSession, createSession, type Session } from "./session.ts";
import { lockDatabase } from "./store/lock.ts";
import { openStore, type Store } from "./store/store.ts";

export interface Faces {
  sessions: Session[];
  publicSession: Session;
  log: Log;
  close(): void;
}

export interface App extends Faces {
  store: Store;
  tools: Tools;
  /** Cuts what is going on; runs end as failed. */
  cut(): void;
}

export const logOf = (config: Config): Log =>
  createLog({ level: config.logLevel, format: config.logFormat, secrets: secretsOf(config) });

/** The side that faces the exchange, without a database (`store` null) for commands that only look. */
export function openFaces(config: Config, store: Store | null, clock: Clock = systemClock): Faces {
  const log = logOf(config);
  const { baseUrl, fallbackBaseUrl, demoTrading, allowWriteKeys } = config;
  const limiter = new Limiter(clock);
  const clientOf = (account: Account | null) =>
    createClient({ account, baseUrl, fallbackBaseUrl, demoTrading, limiter, clock, log });
  const sessions = config.accounts.map((account) =>
    createSession({ account, client: clientOf(account), store, allowWriteKeys, now: () => clock.now(), log }),
  );
  // v1 is only ever spoken by hosts that know nothing newer; everybody else has the public addresses of v2.
  const publicApi = config.accounts.every((account) => account.api === "v1") ? "v1" : "v2";
  const publicSession = createPublicSession(clientOf(null), publicApi);
  return {
    sessions,
    publicSession,
    log,
    close() {
      for (const session of [...sessions, publicSession]) session.client.close();
      limiter.close();
    },
  };
}

/** Everything: locks the database, opens it, ends what a dead process left open, and makes the clients. */
export async function openApp(config: Config, clock: Clock = systemClock): Promise<App> {
  const log = logOf(config);
  const lock = lockDatabase(config.databasePath);
  try {
    const store = await openStore({ path: config.databasePath, datasets, log, clock });
    const crashed = await store.recover(clock.now());
    if (crashed > 0)
      log.warn({ runs: crashed }, `${crashed} runs were cut off when the program last ended; they count as failed`);
    const faces = openFaces(config, store, clock);
    const controller = new AbortController();
    const tools: Tools = {
      store,
      datasets,
      productTypes: config.productTypes,
      schedules: config.schedules,
      runDeadlineSeconds: config.runDeadlineSeconds,
      clock,
      log,
      occasion: "demand",
      redact: redactor(secretsOf(config)),
      stopping: controller.signal,
    };
    return {
      ...faces,
      store,
      tools,
      cut: () => controller.abort(new Error("the program is stopping")),
      close() {
        faces.close();
        store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Probes every account before the first slot, so that a refused key is heard of at once. @throws ConfigError with none left */
export async function preflight({ sessions, log }: Faces): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  await Promise.all(
    sessions.map(async (session) => {
      const tally: Tally = { requests: 0, retries: 0 };
      try {
        await session.api({ signal, tally });
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        log.error({ account: session.name }, `account ${session.name}: ${problem}`);
      }
    }),
  );
  const refusals = sessions.map((session) => session.refusal());
  if (refusals.every((refusal) => refusal !== null)) throw new ConfigError(refusals);
}

export type { Scheduler };

/** The scheduler of an open app. */
export const schedulerOf = (app: App, onFatal: (error: Error) => void): Promise<Scheduler> =>
  createScheduler(app.sessions, app.publicSession, { ...app.tools, occasion: "schedule" }, onFatal);
