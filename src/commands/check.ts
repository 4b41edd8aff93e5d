import { existsSync } from "node:fs";
import { hasPhases, maxProbes, openClients } from "../app.ts";
import { readKey } from "../bitget/permissions.ts";
import { listSubAccounts } from "../bitget/sub-accounts.ts";
import type { Session } from "../collecting/account-session.ts";
import type { DatasetName, Secret } from "../core/domain.ts";
import { NetworkError } from "../core/errors.ts";
import { datasetNames } from "../datasets/index.ts";
import { routeText } from "../network/proxy.ts";
import { type Config, loadConfig } from "../settings/config.ts";
import { type Environment, warnings } from "../settings/env-file.ts";
import { checkDatabase } from "../store/transfer/migrate.ts";
import type { Command } from "./command.ts";
import { readableLists } from "./shared/readable-lists.ts";

/** The clock offset above which `check` advises to set the clock, although requests are signed with the exchange's time. Milliseconds. */
const maxClockOffsetMs = 5000;

export const check: Command = {
  examples: ["check"],
  details: ["With DATABASE_URL=postgres://… it says whether the history in PostgreSQL can be read."],
  onPostgres: "own",
  async run({ env, print }) {
    const config = loadConfig(env);
    print(`settings   ok${accountsText(env, config)}`);
    for (const warning of warnings(env)) print(`settings   ${warning}`);
    let isOk = config.postgres ? await checkPostgres(config.postgres, print) : checkDatabaseFile(config, print);
    const route = routeText(config.baseUrl, config.proxy);
    if (route) print(`proxy      ${route}`);
    const clients = openClients({ ...config, logLevel: "silent" }, null);
    try {
      for (const one of checkAccounts(clients.sessions, config)) {
        const checked = await one;
        for (const line of checked.lines) print(line);
        isOk = checked.isOk && isOk;
      }
    } finally {
      clients.close();
    }
    for (const name of datasetNames) print(`schedule   ${name}: ${nextSlots(config, name)}`);
    if (hasPhases(config))
      print(
        "schedule   patterns of five fields come later in the minute, at a second that follows from the account's name",
      );
    return isOk ? 0 : 1;
  },
};

/** Returns how many accounts there are where a file holds some of them. */
function accountsText(env: Environment, { accounts }: Config): string {
  const file = env.BITGET_ACCOUNTS_FILE?.trim();
  return file ? `; ${accounts.length} accounts, with those of ${file}` : "";
}

/** Prints the state of the database; returns false if it cannot be used. */
function checkDatabaseFile({ databasePath }: Config, print: (line: string) => void): boolean {
  if (!existsSync(databasePath)) {
    print(`database   ${databasePath} does not exist yet; the first start or collect creates it`);
    return true;
  }
  try {
    print(`database   ${databasePath} ${checkDatabase(databasePath)}`);
    return true;
  } catch (error) {
    print(`database   ${messageOf(error)}`);
    return false;
  }
}

/** Prints the state of a history in PostgreSQL; returns false if it cannot be read. */
async function checkPostgres(url: Secret, print: (line: string) => void): Promise<boolean> {
  const { describeHistory } = await import("../store/postgres/copy/mirror.ts");
  try {
    print(`database   ${await describeHistory(url)}`);
    return true;
  } catch (error) {
    print(`database   ${messageOf(error)}`);
    return false;
  }
}

/** What was found out about an account. */
interface Checked {
  lines: string[];
  isOk: boolean;
}

/** Checks some accounts at the same time. Returns the results in the order of the accounts. */
function checkAccounts(sessions: readonly Session[], config: Config): Promise<Checked>[] {
  const check = async (session: Session): Promise<Checked> => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const isOk = await checkAccount(session, print);
    if (isOk) for (const line of await readableLists(session, config)) print(`records    ${session.name}: ${line}`);
    if (!config.subAccounts.of.includes(session.name)) return { lines, isOk };
    return { isOk: (await checkSubAccounts(session, print)) && isOk, lines };
  };
  const checks: Promise<Checked>[] = [];
  for (const [at, session] of sessions.entries())
    checks.push(Promise.resolve(checks[at - maxProbes]).then(() => check(session)));
  return checks;
}

/** Prints clock offset, account mode and key permissions; returns false if one of them cannot be read. */
async function checkAccount(session: Session, print: (line: string) => void): Promise<boolean> {
  const options = { signal: AbortSignal.timeout(30_000) };
  try {
    const offset = await session.client.measureOffset(options.signal);
    const advice = Math.abs(offset) > maxClockOffsetMs ? "; set this machine's clock" : "";
    print(`clock      ${session.name}: the exchange is ${Math.round(offset)} ms ahead of this machine${advice}`);
    const api = await session.api(options);
    const mode = { v1: "classic account, old API", v2: "classic account", v3: "unified account" }[api];
    const writes = (await readKey(session.client, api, options)).writes();
    print(
      `account    ${session.name}: ${mode} (${api}); the key is ${writes.length === 0 ? "read-only" : `not read-only: it can write (${writes.join(", ")})`}`,
    );
    return true;
  } catch (error) {
    print(`account    ${session.name}: ${messageOf(error)}${networkAdvice(error)}`);
    return false;
  }
}

/** Returns what to do where the exchange cannot be reached; empty for other errors, which say it themselves. */
const networkAdvice = (error: unknown): string =>
  error instanceof NetworkError && ["network", "timeout"].includes(error.kind)
    ? "; check this machine's network and name resolution, and HTTPS_PROXY if the only way out is a proxy"
    : "";

/** Prints how many sub-accounts the key of a main account lists; returns false if it cannot. */
async function checkSubAccounts(session: Session, print: (line: string) => void): Promise<boolean> {
  const options = { signal: AbortSignal.timeout(30_000) };
  try {
    const all = await listSubAccounts(session.client, await session.api(options), options);
    print(`account    ${session.name}: its key lists ${all.length} sub-accounts; \`accounts discover\` prints them`);
    return true;
  } catch (error) {
    print(`account    ${session.name}: its sub-accounts cannot be listed: ${messageOf(error)}`);
    return false;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Describes the schedule of a dataset with its next three slots. */
function nextSlots({ schedules }: Config, name: DatasetName): string {
  const pattern = schedules[name];
  if (!pattern) return "switched off";
  const slots: string[] = [];
  for (let slot = pattern.next(Date.now()); slots.length < 3; slot = pattern.next(slot))
    slots.push(new Date(slot).toISOString());
  return `${pattern.text} (UTC), next ${slots.join(", ")}`;
}
