import { mkdirSync, rmSync } from "node:fs";
import { dirname, relative } from "node:path";
import { type App, openApp } from "../../../app.ts";
import { SimulatedClock } from "../../../core/clock.ts";
import { UsageError } from "../../../core/errors.ts";
import { hourMs } from "../../../core/time.ts";
import { sourcesOf } from "../../../datasets/incremental.ts";
import { datasets, isOnByDefault } from "../../../datasets/index.ts";
import { type Config, loadConfig, scheduleSetting } from "../../../settings/config.ts";
import type { Environment } from "../../../settings/env-file.ts";
import { pages } from "../../../settings/sections/pages.ts";
import { log } from "../../../settings/sections/reading.ts";
import { isModelled, type SimulatedAccount, type Simulator, startSimulator } from "../../../simulator/simulator.ts";
import { verifiedFile } from "../../../store/files/verified-file.ts";
import { rawFile } from "../../../store/responses/archive-file.ts";
import { lockDatabase } from "../../../store/sqlite/lock.ts";
import type { Command, CommandInput } from "../../command.ts";
import { collectUntilStopped } from "../daemon.ts";
import { introduce, LiveLine } from "./intro.ts";
import { historyDays, recordFlawless, recordWithEvents } from "./past.ts";
import { plans } from "./plans.ts";

const livePattern = "*/5 * * * * *";
const databaseUrl = "file:./data/demo.db";

/** An account with invented credentials, which are valid only at the simulated exchange of this process. */
const account: SimulatedAccount = {
  name: "main",
  key: "bg_demo00000000000000000000000000000",
  secret: "demo-secret-of-the-simulated-exchange",
  passphrase: "demo-passphrase",
  mode: "classic",
};

/** The market and the accounts of every demo are in the state of the same time, epoch ms, and also move money. */
const common = { startsAs: Date.UTC(2026, 9, 10, 6), habits: { hasCashFlows: true } };

/** The account of the demo in which nothing goes wrong. */
export const demoAccount = { ...common, accounts: [account] };

/** The accounts of the demo with events: a classic one that is upgraded, and a unified one. */
export const demoAccounts = {
  ...common,
  accounts: [
    { ...account, plan: plans.main },
    { ...account, name: "hedge", key: `${account.key.slice(0, -1)}1`, mode: "unified" as const, plan: plans.hedge },
  ],
};

/** The alerts of the demo with events. */
const alerts = {
  ALERT_LIQUIDATION_DISTANCE: "5%",
  ALERT_DRAWDOWN: "10.5%",
  ALERT_DRAWDOWN_DAYS: "1",
};

/** What the demo records, and how often in the past; records need not be read often, because the exchange keeps them. */
const kinds = {
  flawless: { exchange: demoAccount, alerts: {}, past: ["0 * * * *", "0 */6 * * *"], record: recordFlawless },
  eventful: { exchange: demoAccounts, alerts, past: ["0 0 * * * *", "0 0 0 * * *"], record: recordWithEvents },
} as const;
type Kind = (typeof kinds)[keyof typeof kinds];

export const demo: Command = {
  examples: ["demo", "demo --clean --seconds 30", "demo --postgres"],
  options: [
    { flags: "--clean", summary: "one account of which nothing is missing, without alerts" },
    { flags: "--seconds <n>", summary: "stop n seconds after live collecting has begun" },
    {
      flags: "--postgres",
      summary:
        "two collectors and a dashboard on one PostgreSQL: DATABASE_URL, or a temporary server if one is installed",
    },
  ],
  details: [
    "The history has two accounts, and what a collector meets in a month: outages, an account that is upgraded, a drawdown, a",
    "liquidation, an alert that is open. It is the same in every demo, up to the hour in which it begins.",
  ],
  onPostgres: "own",
  async run(input) {
    const { options, env, print } = input;
    const seconds = secondsOf(options.seconds);
    if (options.postgres) {
      const { demonstrateMachines } = await import("./machines.ts");
      const settings = demoSettings(env, livePattern);
      return demonstrateMachines({ env, settings, exchange: demoAccount, account, seconds, print });
    }
    const kind = options.clean ? kinds.flawless : kinds.eventful;
    const [pattern, recordPattern] = kind.past;
    const past = demoConfig(kind, env, pattern, recordPattern);
    deleteDemoDatabase(past.databasePath);
    const from = Math.floor(Date.now() / hourMs) * hourMs - historyDays * 24 * hourMs;
    const clock = new SimulatedClock(from);
    const exchange = await startSimulator({ clock, from, ...kind.exchange, recordLimit: 1 });
    try {
      const isQuiet = kind === kinds.eventful;
      const silent = isQuiet ? { ...past, logLevel: "silent" as const } : past;
      await withApp(silent, { clock, exchange, isDurable: false }, (app) => kind.record({ app, clock, exchange }));
      const live = demoConfig(kind, env, livePattern);
      return await withApp(live, { clock, exchange, isDurable: true }, (app) => collectLive(app, input, seconds));
    } finally {
      await exchange.close();
    }
  },
};

interface Setting {
  clock: SimulatedClock;
  exchange: Simulator;
  isDurable: boolean;
}

async function withApp<T>(
  config: Config,
  { clock, exchange, isDurable }: Setting,
  act: (app: App) => Promise<T>,
): Promise<T> {
  const app = await openApp({ ...config, baseUrl: exchange.url }, clock, { isDurable });
  try {
    return await act(app);
  } finally {
    app.close();
  }
}

/** Collects until a signal or for `seconds`; shows what to look at, and on a terminal one line about the present. */
async function collectLive(app: App, { print, isTerminal }: CommandInput, seconds: number | null): Promise<number> {
  const path = relative(process.cwd(), app.store.path);
  const hasEvents = app.sessions.length > 1;
  const line = isTerminal ? new LiveLine(app.deps, (text) => process.stdout.write(text)) : null;
  void (app.pages?.address ?? Promise.resolve(null)).then((address) => {
    for (const text of introduce({ address, path, hasEvents, now: Date.now(), isFramed: isTerminal })) print(text);
    if (line) app.observers.push(line);
  });
  const code = await collectUntilStopped(app, seconds);
  line?.end();
  for (const text of nextSteps(path)) print(text);
  return code;
}

function secondsOf(option: unknown): number | null {
  if (option === undefined) return null;
  if (typeof option !== "string" || !/^[1-9]\d{0,6}$/.test(option))
    throw new UsageError("--seconds needs a positive whole number, as in --seconds 30");
  return Number.parseInt(option, 10);
}

function demoConfig({ exchange, alerts }: Kind, env: Environment, pattern: string, recordPattern = pattern): Config {
  const keys = exchange.accounts.map(({ name, key, secret, passphrase }) => {
    // The settings of a single account do not have its name.
    const prefix = name === "main" ? "BITGET_API" : `BITGET_${name.toUpperCase()}_API`;
    return { [`${prefix}_KEY`]: key, [`${prefix}_SECRET`]: secret, [`${prefix}_PASSPHRASE`]: passphrase };
  });
  return loadConfig({
    ...demoSettings(env, pattern, recordPattern),
    ...alerts,
    DATABASE_URL: databaseUrl,
    BITGET_ACCOUNTS: exchange.accounts.map(({ name }) => name).join(),
    ...Object.assign({}, ...keys),
  });
}

/** Returns the demo's schedules, and the user's own settings for log and dashboard; never keys or database. */
function demoSettings(env: Environment, pattern: string, recordPattern = pattern): Record<string, string | undefined> {
  const kept = [pages, log].flatMap(({ settings }) => Object.values(settings).map(({ name }) => name));
  const settings: Record<string, string | undefined> = {
    ...Object.fromEntries([...kept, "HTTP_TOKEN_FILE"].map((name) => [name, env[name]])),
    SCHEDULE_REPORTS: "",
  };
  // A log on the terminal would push away what the demo shows there.
  if (process.stdout.isTTY && process.stderr.isTTY) settings.LOG_LEVEL ??= "error";
  // Switches off the datasets that the simulated exchange does not model, and those that are off by default.
  for (const dataset of datasets) {
    const isComplete = sourcesOf(dataset, "v2").every(({ endpoint }) => endpoint === null || isModelled(endpoint.path));
    const wanted = dataset.mode === "incremental" ? recordPattern : pattern;
    settings[scheduleSetting(dataset.name)] = isComplete && isOnByDefault(dataset) ? wanted : "";
  }
  return settings;
}

/**
 * Deletes the database of the previous demo.
 * @throws LockedError while another demo uses it
 */
function deleteDemoDatabase(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const lock = lockDatabase(path);
  for (const file of [path, rawFile(path)])
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  rmSync(verifiedFile(path), { force: true });
  lock.release();
}

const nextSteps = (path: string): string[] => [
  "",
  "Explore this history:",
  `  DATABASE_URL=file:./${path} npx bitget-collector status`,
  `  DATABASE_URL=file:./${path} npx bitget-collector serve        # dashboard, until Ctrl-C`,
  `  DATABASE_URL=file:./${path} npx bitget-collector db verify`,
  `  sqlite3 ${path} "select * from positions_latest"`,
];
