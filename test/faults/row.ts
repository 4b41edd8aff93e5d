/**
 * Declares rows of the fault matrix: one fault each, injected into the real daemon (a child process) with the simulated
 * exchange over real sockets and a real database file. After each row the invariants are checked and every byte it
 * produced is searched for secrets.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import type { SimulatedAccount, Simulator, SimulatorOptions } from "../../src/simulator/simulator.ts";
import { startExchange } from "../support/exchange.ts";
import { type Finished, launch, type Running } from "../support/program.ts";
import { credentials, everyDataset } from "../support/settings.ts";
import { secretsIn } from "./canary.ts";
import { violations } from "./invariants.ts";

/** Settings added to, or replacing, those of every row; undefined removes one. */
export type Settings = Record<string, string | undefined>;

export interface Bench {
  /** An account with credentials that are unique to the row. */
  account: SimulatedAccount;
  exchange: Simulator;
  /** The working directory of the program, empty at first. */
  folder: string;
  /** Path of the database, which the first start creates. */
  path: string;
  /** Starts the daemon and waits until it collects: spot assets and positions every two seconds, unless `env` says otherwise. */
  start(env?: Settings): Promise<Running>;
  /** Starts the program without waiting, optionally with other arguments than `start` or through a wrapper command (see `launch`). */
  launch(env?: Settings, args?: readonly string[], through?: readonly string[]): Running;
  /** Runs a command to its end. */
  run(args: readonly string[], env?: Settings): Promise<Finished>;
  /** Sends SIGTERM and returns how the process ended. */
  stop(running: Running): Promise<Finished>;
  /** Returns the rows of a query on the current database, through a separate connection. */
  rows(sql: string): Record<string, unknown>[];
  /** Registers a cleanup for the end of the row; the last registered runs first. */
  onEnd(undo: () => unknown): void;
}

export interface Options {
  /** Whether the row belongs to the quick run (`npm run test:faults -- every`). */
  inEveryRun?: boolean;
  /** Timeout where the default of 240 s is too short. A safety net for hanging rows, never the subject of a test. */
  timeoutSeconds?: number;
  exchange?: Partial<SimulatorOptions>;
  /** Why the invariants are not checked: a database that is damaged on purpose. */
  notChecked?: { invariants: string };
}

/** Selects the rows: those of `every` quick run, `all`, or the listed ones (`E7,S3`). */
const wanted = process.env.FAULTS ?? "every";

/** Whether a row with many cases runs only a few of them. */
export const isQuick = wanted === "every";

const isWanted = (id: string, { inEveryRun }: Options): boolean =>
  isQuick ? inEveryRun === true : wanted === "all" || wanted.split(",").includes(id);

/** Declares a row. `id` is its number in the matrix, followed by a letter where a row has several variants. */
export function row(id: string, fault: string, options: Options, inject: (bench: Bench) => Promise<void>): void {
  if (!isWanted(id.replace(/[a-z]$/, ""), options)) return;
  // One retry on a fresh bench: a busy machine can upset the timing of a fault.
  it.concurrent(`${id} ${fault}`, { timeout: within(options) + 60_000, retry: 1 }, () => onBench(options, inject));
}

/** Returns the time for the fault itself, ms; checks and cleanup have their own. */
const within = ({ timeoutSeconds: seconds = 0 }: Options): number => Math.max(240, seconds) * 1000;

/** Declares a row that cannot run on this machine, so that it is listed with its reason. */
export function rowElsewhere(id: string, fault: string, reason: string): void {
  if (wanted === "all" || wanted.split(",").includes(id)) it.skip(`${id} ${fault} [${reason}]`, () => {});
}

async function onBench(options: Options, inject: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "collector-fault-"));
  const account = newAccount();
  const exchange = await startExchange({ accounts: [account], ...options.exchange });
  const path = join(folder, "data", "collector.db");
  const started: Running[] = [];
  const undo: (() => unknown)[] = [];
  const launched: Bench["launch"] = (env, args = ["start"], through = []) => {
    const settings = {
      ...credentials(account),
      BITGET_BASE_URL: exchange.url,
      HTTP_PORT: "",
      SCHEDULE_REPORTS: "",
      ...everyDataset(""),
      SCHEDULE_SPOT_ASSETS: "*/2 * * * * *",
      SCHEDULE_POSITIONS: "*/2 * * * * *",
      ...env,
    };
    const running = launch(args, folder, settings, through);
    started.push(running);
    return running;
  };
  const bench: Bench = {
    account,
    exchange,
    folder,
    path,
    launch: launched,
    async start(env) {
      const running = launched(env);
      await running.printed("collecting main");
      return running;
    },
    run: (args, env) => launched(env, args).finished,
    stop(running) {
      running.child.kill("SIGTERM");
      return running.finished;
    },
    rows(sql) {
      const database = new Database(path, { readonly: true });
      try {
        return database.prepare(sql).all() as Record<string, unknown>[];
      } finally {
        database.close();
      }
    },
    onEnd: (action) => undo.unshift(action),
  };
  try {
    await withTimeout(inject(bench), within(options));
    for (const running of started) {
      running.child.kill("SIGCONT");
      running.child.kill("SIGTERM");
    }
    const ends = await Promise.all(started.map((running) => running.finished));
    if (!options.notChecked) expect(await violations(path, ends)).toEqual([]);
    expect(secretsIn([account], folder, ends)).toEqual([]);
  } finally {
    for (const running of started) running.child.kill("SIGKILL");
    await Promise.all(started.map((running) => running.finished));
    for (const action of undo) await action();
    await exchange.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rejects after `ms`. Vitest's own timeout does not stop a test, so the processes of the row would keep running. */
async function withTimeout(work: Promise<void>, ms: number): Promise<void> {
  const late = new AbortController();
  const end = setTimeout(ms, undefined, { signal: late.signal, ref: false }).then(() => {
    throw new Error(`not over within ${ms / 1000} s`);
  });
  end.catch(() => {});
  await Promise.race([work, end]).finally(() => late.abort());
}

/** Returns an account with random credentials. */
export const newAccount = (name = "main"): SimulatedAccount => ({
  name,
  key: `bg_${randomBytes(16).toString("hex")}`,
  secret: randomBytes(32).toString("hex"),
  passphrase: `Canary-${randomBytes(9).toString("base64url")}/+ %`,
  mode: "classic",
});
