import { existsSync } from "node:fs";
import { hasPhases, openClients } from "../../app.ts";
import type { DatasetName } from "../../core/domain.ts";
import { ConfigError } from "../../core/errors.ts";
import { datasetNames } from "../../datasets/index.ts";
import { routeText } from "../../network/proxy.ts";
import { type Config, loadConfig } from "../../settings/config.ts";
import { type Environment, warnings } from "../../settings/env-file.ts";
import { diskSpaceFor } from "../../store/files/disk.ts";
import { withHistory } from "../../store/read/open-history.ts";
import { isLocked } from "../../store/sqlite/lock.ts";
import type { Command } from "../command.ts";
import { checkAccounts, checkWithoutKey } from "./accounts.ts";
import { checkHeartbeat, checkWebhook } from "./delivery.ts";
import { type Finding, failed, jsonOf, ok, printFinding, type Result, warning } from "./finding.ts";
import { checkDisk, checkEnvFile, checkNode, checkPort, checkTimezone } from "./machine.ts";
import { checkBackup, checkChain, checkFeeds, checkFile, checkPostgres } from "./stored.ts";

export const check: Command = {
  examples: ["check", "doctor", "doctor --json"],
  details: [
    "One line per check: ✓ is well, ! could be better, ✗ has failed, with what to do. Exit code 0 without ✗, 1 with one, 78 where the settings",
    "are wrong. Checks Node.js, .env, settings, time zone, disk, port, database, chain, backup, feeds, webhook, heartbeat, and for each account",
    "the clock, the mode, and the permissions and addresses of its key. Where the settings of an account are missing or wrong it checks",
    "everything that needs no key. Writes nothing and sends no alert. `doctor` is another name of it.",
    "With DATABASE_URL=postgres://… it says whether the history in PostgreSQL can be read; `status` shows its feeds.",
  ],
  options: [{ flags: "--json", summary: "print JSON" }],
  onPostgres: "own",
  async run({ options, env, print }) {
    const found: Finding[] = [];
    const add = (...findings: Finding[]) => {
      found.push(...findings);
      if (!options.json) for (const one of findings) printFinding(one, print);
    };
    add({ check: "node", ...checkNode(process.version) }, { check: ".env", ...checkEnvFile(process.cwd()) });
    const addProblems = ({ problems }: ConfigError) => {
      if (options.json) add(...problems.map((problem): Finding => ({ check: "settings", ...failed(problem) })));
      else add({ check: "settings", ...failed(problemsText(problems.length)) });
    };
    try {
      const { config, problem } = readConfig(env);
      if (problem) addProblems(problem);
      if (!config) add({ check: "settings", ...warning("the rest is not checked until the settings are right") });
      else {
        if (!problem) add({ check: "settings", ...ok(`ok${accountsText(env, config)}`) });
        for (const text of warnings(env)) add({ check: "settings", ...warning(text) });
        add({ check: "timezone", ...checkTimezone(config.timezone, Date.now()) });
        await checkMachine(config, add);
        await checkExchange(config, add);
        addSchedules(config, add);
      }
      if (problem) throw problem;
    } finally {
      if (options.json) print(jsonOf(found));
    }
    return found.some(({ state }) => state === "failed") ? 1 : 0;
  },
};

/** Returns the settings, without accounts where only theirs are wrong, null where others are; and what is wrong with them. */
function readConfig(env: Environment): { config: Config | null; problem: ConfigError | null } {
  const read = (only: Parameters<typeof loadConfig>[1]) => {
    try {
      return { config: loadConfig(env, only), problem: null };
    } catch (error) {
      if (error instanceof ConfigError) return { config: null, problem: error };
      throw error;
    }
  };
  const { config, problem } = read({});
  return { config: config ?? read({ credentials: false, pages: true, webhook: true }).config, problem };
}

const problemsText = (count: number): string =>
  count === 1 ? "one problem, which is printed on stderr" : `${count} problems, which are printed on stderr`;

type Add = (...findings: Finding[]) => void;

/** Returns how many accounts there are where a file holds some of them. */
function accountsText(env: Environment, { accounts }: Config): string {
  const file = env.BITGET_ACCOUNTS_FILE?.trim();
  return file ? `; ${accounts.length} accounts, with those of ${file}` : "";
}

/** Checks this machine and the stored history. */
async function checkMachine(config: Config, add: Add): Promise<void> {
  const { databasePath, postgres } = config;
  const database = postgres ? await checkPostgres(postgres) : checkFile(databasePath);
  add({ check: "database", ...database });
  add({ check: "disk", ...checkDisk(databasePath, diskSpaceFor(databasePath)) });
  const isReadable = postgres === null && database.state === "ok" && existsSync(databasePath);
  if (isReadable) addHistory(config, add);
  add({ check: "port", ...(await checkPort(config.http)) });
  const last = isReadable ? withHistory(databasePath, (history) => history.lastMessages(1)[0]) : undefined;
  add({ check: "webhook", ...(await checkWebhook(config, last ?? null)) });
  add({ check: "heartbeat", ...(await checkHeartbeat(config)) });
}

/** Checks what a history in a file contains. */
function addHistory(config: Config, add: Add): void {
  const { databasePath } = config;
  const now = Date.now();
  const [end, freshness] = withHistory(
    databasePath,
    (history) => [history.chainEnd(), history.freshness(now)] as const,
  );
  add({ check: "chain", ...checkChain(end, now) });
  add({ check: "backup", ...checkBackup(config, now) });
  add({ check: "feeds", ...checkFeeds(freshness, isLocked(databasePath)) });
}

/** Checks everything that only the exchange knows. */
async function checkExchange(config: Config, add: Add): Promise<void> {
  const route = routeText(config.baseUrl, config.proxy);
  if (route) add({ check: "proxy", ...ok(route) });
  const clients = openClients({ ...config, logLevel: "silent" }, null);
  try {
    if (config.accounts.length === 0) add(...(await checkWithoutKey(clients.publicSession)));
    for (const one of checkAccounts(clients.sessions, config)) add(...(await one));
  } finally {
    clients.close();
  }
}

function addSchedules(config: Config, add: Add): void {
  const schedule = (result: Result) => add({ check: "schedule", ...result });
  for (const name of datasetNames) schedule(ok(`${name}: ${nextSlots(config, name)}`));
  if (hasPhases(config))
    schedule(ok("patterns of five fields come later in the minute, at a second that follows from the account's name"));
}

/** Describes the schedule of a dataset with its next three slots. */
function nextSlots({ schedules }: Config, name: DatasetName): string {
  const pattern = schedules[name];
  if (!pattern) return "switched off";
  const slots: string[] = [];
  for (let slot = pattern.next(Date.now()); slots.length < 3; slot = pattern.next(slot))
    slots.push(new Date(slot).toISOString());
  return `${pattern.text} (UTC), next ${slots.join(", ")}`;
}
