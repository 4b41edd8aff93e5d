/** Runs `demo --postgres`: two collectors and a dashboard, each a process of its own, on one PostgreSQL and a simulated exchange. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../core/clock.ts";
import { Secret } from "../../../core/domain.ts";
import { ConfigError } from "../../../core/errors.ts";
import type { Environment } from "../../../settings/env-file.ts";
import { storage } from "../../../settings/sections/collecting.ts";
import { SettingsReader } from "../../../settings/setting.ts";
import { type SimulatedAccount, type SimulatorOptions, startSimulator } from "../../../simulator/simulator.ts";
import { verifiedFile } from "../../../store/files/verified-file.ts";
import { Postgres } from "../../../store/postgres/connection.ts";
import { dropSchema } from "../../../store/postgres/migrations.ts";
import { stopSignals } from "../signals.ts";
import { findPostgres, TemporaryServer } from "./postgres-server.ts";
import { TiedProcess } from "./tied-process.ts";

/** Each of the two collectors is the first for two of these accounts. */
const names = ["main", "hedge", "grid", "spot"];
const collectors = ["desk-1", "desk-2"] as const;

export interface MachinesOptions {
  env: Environment;
  /** The demo's settings without database, exchange and accounts. */
  settings: Readonly<Record<string, string | undefined>>;
  /** Options of the simulated exchange; its accounts are replaced. */
  exchange: Omit<SimulatorOptions, "clock">;
  /** An account of the simulated exchange; the others differ in name and key. */
  account: SimulatedAccount;
  /** Null: until a signal. */
  seconds: number | null;
  print(line: string): void;
}

/** Collects until a signal or for `seconds`, then removes everything. Returns the exit code. @throws ConfigError where no PostgreSQL is found */
export async function demonstrateMachines(options: MachinesOptions): Promise<number> {
  const { print, seconds } = options;
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  // A second signal ends this process at once, and with it those that it started.
  for (const signal of stopSignals()) process.once(signal, stop);
  /** In the order in which they were opened. */
  const opened: (() => unknown)[] = [];
  try {
    await open(options, opened);
    const timer = seconds === null ? null : setTimeout(stop, seconds * 1000);
    await stopped;
    if (timer) clearTimeout(timer);
    print("Stopping, and removing what this demo created.");
    return 0;
  } finally {
    for (const close of opened.toReversed()) await close();
    for (const signal of stopSignals()) process.off(signal, stop);
  }
}

async function open(options: MachinesOptions, opened: (() => unknown)[]): Promise<void> {
  const { env, settings, account, print } = options;
  const url = await openDatabase(env, opened, print);
  const folder = mkdtempSync(join(tmpdir(), "bitget-demo-"));
  opened.push(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const accounts = names.map((name, n) => ({ ...account, name, key: `${account.key.slice(0, -1)}${n}` }));
  const exchange = await startSimulator({ ...options.exchange, clock: systemClock, accounts, recordLimit: 1 });
  opened.push(() => exchange.close());
  const urlFile = write("url", url);
  const keys = accounts.map(({ name, key, secret, passphrase }) => ({ name, key, secret, passphrase }));
  const common = {
    PATH: env.PATH,
    ...settings,
    DATABASE_URL_FILE: urlFile,
    BITGET_BASE_URL: exchange.url,
    BITGET_ACCOUNTS_FILE: write("accounts.json", JSON.stringify(keys)),
  };
  const pids: Record<string, number | undefined> = {};
  for (const name of collectors) {
    const collector = launch("start", folder, { ...common, HTTP_PORT: "", WORKER_NAME: name });
    let isStopping = false;
    opened.push(() => {
      isStopping = true;
      return collector.stop();
    });
    await collector.printed("the next slot is");
    pids[name] = collector.pid;
    void collector.ended.then((how) => {
      if (!isStopping) print(`${name} has ended (${how}): the other collector runs its accounts within ten seconds.`);
    });
  }
  const dashboard = launch("serve", folder, common);
  opened.push(() => dashboard.stop());
  const [address = ""] = /http:\S+/.exec(await dashboard.printed("the pages are at")) ?? [];
  for (const line of introduction(address, pids, urlFile)) print(line);
}

/** Returns the URL of an empty history: in a schema of its own where DATABASE_URL names a PostgreSQL, else on a temporary server. */
async function openDatabase(
  env: Environment,
  opened: (() => unknown)[],
  print: (line: string) => void,
): Promise<string> {
  const given = new SettingsReader(env).value(storage.settings.database).postgres;
  const schema = `demo_${process.pid}`;
  const url = new URL(given?.reveal() ?? (await startServer(opened)));
  url.searchParams.set("schema", schema);
  const postgres = await Postgres.open(new Secret(url.href), { name: "demo", connections: 1 });
  print(`PostgreSQL at ${postgres.address.text}${given ? "" : ", a temporary server"}`);
  opened.push(async () => {
    await dropSchema(postgres);
    await postgres.close();
    removeMirror(url.href);
  });
  return url.href;
}

async function startServer(opened: (() => unknown)[]): Promise<string> {
  const bin = findPostgres();
  if (bin === null)
    throw new ConfigError([
      "No PostgreSQL was found. Install it (apt-get install postgresql), or set DATABASE_URL=postgres://… to a server where this demo may create a schema.",
    ]);
  const server = new TemporaryServer(bin);
  opened.push(() => server.remove());
  await server.start();
  return server.url;
}

/** Deletes the mirror that commands have made of the demo's history. */
function removeMirror(url: string): void {
  const { path } = new SettingsReader({ DATABASE_URL: url }).value(storage.settings.database);
  try {
    for (const name of readdirSync(dirname(path)))
      if (name.startsWith(basename(path))) rmSync(join(dirname(path), name), { force: true });
    rmSync(verifiedFile(path), { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

const program = fileURLToPath(new URL("../../../main.js", import.meta.url));

const launch = (command: string, cwd: string, env: NodeJS.ProcessEnv): TiedProcess =>
  new TiedProcess(process.execPath, [program, command], { cwd, env, signal: "SIGTERM" });

const introduction = (
  address: string,
  pids: Readonly<Record<string, number | undefined>>,
  urlFile: string,
): string[] => [
  `Two collectors share ${names.length} accounts, with slots every five seconds: ${collectors.map((name) => `${name} (process ${pids[name]})`).join(" and ")}.`,
  `Dashboard: ${address}`,
  "",
  "Try this, in another terminal:",
  `  ${address}collection        # the page Data health shows the workers`,
  `  kill -9 ${pids[collectors[0]]}        # ends ${collectors[0]}: only its runs in flight are lost`,
  `  DATABASE_URL_FILE=${urlFile} npx bitget-collector sql "select worker, state, cause, count(*) as slots from runs group by 1, 2, 3"`,
  "",
  "Ctrl-C stops everything and removes it.",
];
