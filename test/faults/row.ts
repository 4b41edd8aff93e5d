/**
 * A row of the fault matrix: one fault, injected into the real daemon, started as a child process, against the simulated
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

/** Beside or in place of those that every row has; undefined takes one away. */
export type Settings = Record<string, string | undefined>;

export interface Bench {
  /** Its own for each row; keys are found nowhere else. */
  account: SimulatedAccount;
  exchange: Simulator;
  /** The working directory of what is started: empty at first. */
  folder: string;
  /** Path of the database, which the first start creates. */
  path: string;
  /** Starts the daemon and waits until it collects: spot assets and positions every two seconds, unless `env` says otherwise. */
  start(env?: Settings): Promise<Running>;
  /** The same without waiting, with other arguments than `start` and by another command (see `launch`) if given. */
  launch(env?: Settings, args?: readonly string[], through?: readonly string[]): Running;
  /** Runs a command to its end. */
  run(args: readonly string[], env?: Settings): Promise<Finished>;
  /** SIGTERM, and what became of it. */
  stop(running: Running): Promise<Finished>;
  /** Rows of a query on the database as it is now, on a connection of its own. */
  rows(sql: string): Record<string, unknown>[];
  /** To be undone when the row is over, the last first. */
  onEnd(undo: () => unknown): void;
}

export interface Options {
  /** One of those that belong to every run (`npm run test:faults -- every`). */
  always?: boolean;
  /** Seconds, where the 240 of every row are too few. They are a safety net for what hangs, never what is tested. */
  within?: number;
  exchange?: Partial<SimulatorOptions>;
  /** What the invariants cannot ask of this row, and why: a database that is damaged on purpose. */
  without?: { invariants: string };
}

/** Which rows run: those for `every` run, `all`, or the named ones (`E7,S3`). */
const wanted = process.env.FAULTS ?? "every";

/** Whether a row that goes through many cases takes a few of them, as in every run, instead of all. */
export const isQuick = wanted === "every";

const isWanted = (id: string, { always }: Options): boolean =>
  isQuick ? always === true : wanted === "all" || wanted.split(",").includes(id);

/** Declares a row. `id` is its number in the matrix, with a letter behind it where one row has several variants. */
export function row(id: string, fault: string, options: Options, inject: (bench: Bench) => Promise<void>): void {
  if (!isWanted(id.replace(/[a-z]$/, ""), options)) return;
  // Once more on a bench of its own: a machine that is busy with something else can upset the timing of a fault.
  it.concurrent(`${id} ${fault}`, { timeout: within(options) + 60_000, retry: 1 }, () => onBench(options, inject));
}

/** Milliseconds for the fault itself; what is checked and tidied up behind it has its own time. */
const within = ({ within: seconds = 0 }: Options): number => Math.max(240, seconds) * 1000;

/** A row that cannot run here: listed with its reason, not dropped. */
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
    await inTime(inject(bench), within(options));
    for (const running of started) {
      running.child.kill("SIGCONT");
      running.child.kill("SIGTERM");
    }
    const ends = await Promise.all(started.map((running) => running.finished));
    if (!options.without) expect(await violations(path, ends)).toEqual([]);
    expect(secretsIn([account], folder, ends)).toEqual([]);
  } finally {
    for (const running of started) running.child.kill("SIGKILL");
    await Promise.all(started.map((running) => running.finished));
    for (const action of undo) await action();
    await exchange.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Vitest gives up a test without ending it, and the processes of the row would live on. */
async function inTime(work: Promise<void>, ms: number): Promise<void> {
  const late = new AbortController();
  const end = setTimeout(ms, undefined, { signal: late.signal, ref: false }).then(() => {
    throw new Error(`not over within ${ms / 1000} s`);
  });
  end.catch(() => {});
  await Promise.race([work, end]).finally(() => late.abort());
}

/** Credentials that are found nowhere else. */
export const newAccount = (name = "main"): SimulatedAccount => ({
  name,
  key: `bg_${randomBytes(16).toString("hex")}`,
  secret: randomBytes(32).toString("hex"),
  passphrase: `Canary-${randomBytes(9).toString("base64url")}/+ %`,
  mode: "classic",
});
