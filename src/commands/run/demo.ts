import { mkdirSync, rmSync } from "node:fs";
import { dirname, relative } from "node:path";
import { type App, openApp, preflight } from "../../app.ts";
import { schedulesOf } from "../../collecting/due.ts";
import { SimulatedClock } from "../../core/clock.ts";
import { UsageError } from "../../core/errors.ts";
import { hourMs } from "../../core/time.ts";
import { sourcesOf } from "../../datasets/incremental.ts";
import { datasets } from "../../datasets/index.ts";
import { type Config, loadConfig, scheduleSetting } from "../../settings/config.ts";
import type { Environment } from "../../settings/env-file.ts";
import { pages } from "../../settings/sections/pages.ts";
import { log } from "../../settings/sections/reading.ts";
import { isModelled, type SimulatedAccount, startSimulator } from "../../simulator/simulator.ts";
import { rawFile } from "../../store/responses/archive-file.ts";
import { lockDatabase } from "../../store/sqlite/lock.ts";
import type { Command } from "../command.ts";
import { startBar } from "../shared/progress.ts";
import { simulateHistory } from "./backfill.ts";
import { collectUntilStopped } from "./daemon.ts";

const historyDays = 30;
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

/** The demo's account: every demo starts in the state of the same time, epoch ms, and also moves money. */
export const demoAccount = {
  startsAs: Date.UTC(2026, 9, 10, 6),
  habits: { hasCashFlows: true },
  accounts: [account],
};

export const demo: Command = {
  examples: ["demo", "demo --seconds 30", "demo --postgres"],
  options: [
    { flags: "--seconds <n>", summary: "stop n seconds after live collecting has begun" },
    {
      flags: "--postgres",
      summary:
        "two collectors and a dashboard on one PostgreSQL: DATABASE_URL, or a temporary server if one is installed",
    },
  ],
  onPostgres: "own",
  async run({ options, env, print }) {
    const seconds = secondsOf(options.seconds);
    if (options.postgres) {
      const { demonstrateMachines } = await import("./demo-machines.ts");
      const settings = demoSettings(env, livePattern);
      return demonstrateMachines({ env, settings, exchange: demoAccount, account, seconds, print });
    }
    // Records need not be read often: the exchange keeps them.
    const past = demoConfig(env, "0 * * * *", "0 */6 * * *");
    const live = demoConfig(env, livePattern);
    deleteDemoDatabase(past.databasePath);
    const clock = new SimulatedClock(Math.floor(Date.now() / hourMs) * hourMs - historyDays * 24 * hourMs);
    const exchange = await startSimulator({
      clock,
      from: clock.now(),
      ...demoAccount,
      recordLimit: 1,
    });
    try {
      const app = await openApp({ ...past, baseUrl: exchange.url }, clock);
      try {
        await preflight(app);
        await recordHistory(app, clock);
        const deps = { ...app.deps, scheduleOf: schedulesOf(live.schedules, { hasPhases: false }) };
        const code = await collectUntilStopped({ ...app, deps }, seconds);
        for (const line of nextSteps(relative(process.cwd(), past.databasePath))) print(line);
        return code;
      } finally {
        app.close();
      }
    } finally {
      await exchange.close();
    }
  },
};

function secondsOf(option: unknown): number | null {
  if (option === undefined) return null;
  if (typeof option !== "string" || !/^[1-9]\d{0,6}$/.test(option))
    throw new UsageError("--seconds needs a positive whole number, as in --seconds 30");
  return Number.parseInt(option, 10);
}

const demoConfig = (env: Environment, pattern: string, recordPattern = pattern): Config =>
  loadConfig({
    ...demoSettings(env, pattern, recordPattern),
    DATABASE_URL: databaseUrl,
    BITGET_API_KEY: account.key,
    BITGET_API_SECRET: account.secret,
    BITGET_API_PASSPHRASE: account.passphrase,
  });

/** Returns the demo's schedules, and the user's own settings for log and dashboard; never keys or database. */
function demoSettings(env: Environment, pattern: string, recordPattern = pattern): Record<string, string | undefined> {
  const kept = [pages, log].flatMap(({ settings }) => Object.values(settings).map(({ name }) => name));
  const settings: Record<string, string | undefined> = {
    ...Object.fromEntries([...kept, "HTTP_TOKEN_FILE"].map((name) => [name, env[name]])),
    SCHEDULE_REPORTS: "",
  };
  // Switches off the datasets that the simulated exchange does not model.
  for (const dataset of datasets) {
    const isComplete = sourcesOf(dataset, "v2").every(({ endpoint }) => endpoint === null || isModelled(endpoint.path));
    const wanted = dataset.mode === "incremental" ? recordPattern : pattern;
    settings[scheduleSetting(dataset.name)] = isComplete ? wanted : "";
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
  lock.release();
}

/** Records every hour from the simulated clock's time until now, then sets the clock to now. */
async function recordHistory(app: App, clock: SimulatedClock): Promise<void> {
  const begin = clock.now();
  const hours = Array.from(
    { length: Math.floor((Date.now() - begin) / hourMs) },
    (_, index) => begin + (index + 1) * hourMs,
  );
  const bar = startBar(`recording ${historyDays} days of history`, hours.length, "hours");
  await simulateHistory(app, clock, hours, (count) => bar.update(count));
  bar.stop();
  clock.jump(Date.now());
}

const nextSteps = (path: string): string[] => [
  "",
  "Explore this history:",
  `  DATABASE_URL=file:./${path} npx bitget-collector status`,
  `  DATABASE_URL=file:./${path} npx bitget-collector serve        # dashboard, until Ctrl-C`,
  `  DATABASE_URL=file:./${path} npx bitget-collector db verify`,
  `  sqlite3 ${path} "select * from positions_latest"`,
];
