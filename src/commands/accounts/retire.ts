import { logOf, openClients, openStorage } from "../../app.ts";
import { ClockCheck } from "../../bitget/clock-check.ts";
import { closeAccount, schedulesInForce } from "../../collecting/series/end-schedules.ts";
import { withLimit } from "../../core/async/abort.ts";
import { systemClock } from "../../core/clock.ts";
import type { DatasetName } from "../../core/domain.ts";
import { ConfigError, UsageError } from "../../core/errors.ts";
import { durationText, redactor } from "../../core/text.ts";
import { datasets } from "../../datasets/index.ts";
import { type Config, loadConfig, secretsOf } from "../../settings/config.ts";
import type { Environment } from "../../settings/env-file.ts";
import { namesAccounts } from "../../settings/sections/accounts.ts";
import { openHistory } from "../../store/read/open-history.ts";
import type { KeyHolder, OpenedStore } from "../../store/store.ts";
import type { Command } from "../command.ts";
import { formatTable } from "../shared/table.ts";
import { Questions } from "../terminal/questions.ts";
import { knownNames } from "../terminal/suggest.ts";

export const accountsRetire: Command = {
  examples: ["accounts retire hedge", "accounts retire hedge --yes", "accounts retire main/123456 --yes"],
  details: [
    "Slots up to now that have no run are recorded as missed; later ones are not due, so the account is no longer stale and has no new gaps.",
    "Its history stays, with its chain. Sub-accounts that were collected with its key are retired with it. Where its key is in the settings",
    "again, the next `start` begins new schedules.",
    "A file: the collector has to be stopped; the next `start` without the account would do the same.",
    "PostgreSQL: an account that was removed from the settings of all machines keeps its schedules, because a machine in maintenance looks",
    "the same. Refused with exit code 75 while a live process has its key.",
  ],
  options: [{ flags: "--yes", summary: "do not ask" }],
  onPostgres: "own",
  async run({ args: [name = ""], options, env, print, printError }) {
    const config = ownConfig(env, name);
    await requireHistory(config);
    const opened: { close(): void }[] = [];
    try {
      const store = await openStore(config, opened);
      const deps = { store, datasets, clock: systemClock };
      const known = await store.accounts();
      const names = known.filter((one) => one === name || one.startsWith(`${name}/`));
      if (names.length === 0) throw new UsageError(`unknown account "${name}"${knownNames("accounts", name, known)}`);
      const ending: Ending[] = [];
      for (const account of names)
        for (const one of await schedulesInForce(account, deps)) ending.push({ account, ...one });
      if (ending.length === 0) {
        print(`${name} has no schedule in force; there is nothing to end.`);
        return 0;
      }
      for (const line of endingLines(ending)) print(line);
      for (const holder of (await store.holders?.(name)) ?? []) printError(holderText(name, holder));
      await store.withoutHolders?.(name, async () => {});
      if (!options.yes && !(await isConfirmed(name))) return 1;
      // Most slots are closed before other processes have to wait.
      for (const account of names) await closeAccount(account, deps, { isEnd: false });
      const end = async () => {
        for (const account of names) await closeAccount(account, deps, { isEnd: true });
      };
      await (store.withoutHolders ? store.withoutHolders(name, end) : end());
      print(`${name} is retired: ${ending.length} schedules have ended.`);
      return 0;
    } finally {
      for (const one of opened) one.close();
    }
  },
};

/** A schedule that is to end. */
interface Ending {
  account: string;
  dataset: DatasetName;
  pattern: string;
  since: number;
}

/** Returns the settings. @throws ConfigError where those of this machine have the account */
function ownConfig(env: Environment, name: string): Config {
  const config = loadConfig(env, namesAccounts(env) ? {} : { credentials: false, webhook: true });
  const [main = name] = name.split("/");
  const has = main === name ? config.accounts.some((one) => one.name === name) : config.subAccounts.of.includes(main);
  if (has)
    throw new ConfigError([`the settings of this machine have ${name}, so its schedules would begin again; remove it`]);
  return config;
}

/** @throws ConfigError where there is no history, of which opening would create an empty one */
async function requireHistory({ postgres, databasePath }: Config): Promise<void> {
  if (postgres === null) return openHistory(databasePath).close();
  // What belongs to PostgreSQL is loaded only where it is used.
  const { Postgres } = await import("../../store/postgres/connection.ts");
  const { requireSchema } = await import("../../store/postgres/migrations.ts");
  const connection = await Postgres.open(postgres, { name: "retire", connections: 1, readOnly: true });
  await requireSchema(connection).finally(() => connection.close());
}

/** Opens the store after the exchange has confirmed the clock: slots that are closed by a wrong one would stay so. */
async function openStore(config: Config, opened: { close(): void }[]): Promise<OpenedStore> {
  const clockCheck = new ClockCheck(systemClock);
  const log = logOf({ ...config, logLevel: "warn" });
  const clients = openClients({ ...config, accounts: [] }, null, systemClock, log, undefined, clockCheck);
  opened.unshift(clients);
  await withLimit((signal) => clients.publicSession.client.requireClock(signal));
  const { signal: stopping } = new AbortController();
  const redact = redactor(secretsOf(config));
  const rest = { clock: systemClock, clockCheck, log, stopping, redact, isDaemon: false, opened };
  return (await openStorage(config, rest)).store;
}

const secondText = (at: number): string => new Date(at).toISOString().slice(0, 19).replace("T", " ");

const endingLines = (ending: readonly Ending[]): string[] =>
  formatTable(
    ["account", "dataset", "schedule that ends", "since (UTC)"],
    ending.map(({ account, dataset, pattern, since }) => [account, dataset, pattern, secondText(since)]),
  );

const holderText = (account: string, { name, isLive, ageMs }: KeyHolder): string =>
  isLive
    ? `${name} is live and has the key of ${account}`
    : `${name}, last seen ${durationText(ageMs)} ago, had the key of ${account}: when it starts again with it, new schedules begin`;

/** Asks on a terminal. @throws UsageError without one */
async function isConfirmed(name: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("accounts retire asks first: run it in a terminal, or use --yes");
  const questions = new Questions(process.stdin, process.stdout);
  try {
    return /^y(es)?$/i.test(await questions.ask(`End the schedules of ${name}? y or n`, "n"));
  } finally {
    questions.close();
  }
}
