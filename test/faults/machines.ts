/**
 * Declares rows with several machines: real daemons that record into one PostgreSQL server, each of which talks to the exchange through a
 * relay of its own that logs every request. After each row a mirror of the history is checked like a database file, and
 * the logs of the relays show that no slot was requested twice or early.
 */
import { chmodSync } from "node:fs";
import { expect, inject } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import { Postgres } from "../../src/store/postgres/connection.ts";
import { findPostgres, Server } from "../support/postgres.ts";
import type { Running } from "../support/program.ts";
import { credentials } from "../support/settings.ts";
import { seconds, until } from "../support/wait.ts";
import { secretsIn } from "./canary.ts";
import { forward, type Relay, startProxy } from "./relay.ts";
import { type Bench, newAccount, type Options, row, rowElsewhere, type Settings } from "./row.ts";
import { oneProductType, positions, spot } from "./runs.ts";

const others = ["east", "west", "north", "south", "spare"];
const datasets: Record<string, string> = { [spot]: "spot-assets", [positions]: "positions" };
/** Runs of one slot: two datasets of each account. */
const runsPerSlot = 2 * (others.length + 1);

export interface Machine {
  name: string;
  running: Running;
  relay: Relay;
}

/** A request for data, with the slot during whose period it arrived. */
interface Asked {
  run: string;
  slot: number;
  machine: string;
  isOver: boolean;
}

export interface StoredRun {
  account: string;
  dataset: string;
  state: string;
  cause: string | null;
  worker: string | null;
}

export class Machines {
  readonly bench: Bench;
  readonly server: Server;
  readonly #accounts: readonly SimulatedAccount[];
  readonly #periodMs: number;
  readonly #all: Machine[] = [];
  #held: (() => void)[] = [];

  constructor(bench: Bench, server: Server, accounts: readonly SimulatedAccount[], periodMs: number) {
    this.bench = bench;
    this.server = server;
    this.#accounts = accounts;
    this.#periodMs = periodMs;
  }

  get url(): string {
    return `postgres://postgres@${encodeURIComponent(this.server.folder)}/postgres`;
  }

  /** Returns the settings of a machine without its relay; `env` adds to them. */
  settings(name: string, env: Settings = {}): Settings {
    const [main, ...rest] = this.#accounts;
    const schedule = `*/${this.#periodMs / 1000} * * * * *`;
    return {
      DATABASE_URL: this.url,
      BITGET_ACCOUNTS: this.#accounts.map((account) => account.name).join(),
      ...(main ? credentials(main) : {}),
      ...Object.assign({}, ...rest.map((one) => credentials(one, `BITGET_${one.name.toUpperCase()}`))),
      ...oneProductType,
      WORKER_NAME: name,
      SCHEDULE_SPOT_ASSETS: schedule,
      SCHEDULE_POSITIONS: schedule,
      RUN_DEADLINE_SECONDS: "5",
      ...env,
    };
  }

  /** Starts a machine. Resolves when it collects. */
  async start(name: string, env: Settings = {}): Promise<Machine> {
    const relay = await startProxy(this.bench);
    const running = this.bench.launch(this.settings(name, { ...relay.env, ...env }));
    const machine = { name, running, relay };
    this.#all.push(machine);
    await running.printed("the next slot is");
    return machine;
  }

  /** Starts machines. Resolves after a slot that all of them shared. */
  async startAll(names: readonly string[], env: Settings = {}): Promise<Machine[]> {
    const machines: Machine[] = [];
    for (const name of names) machines.push(await this.start(name, env));
    // Each has seen the others after two beats.
    await this.ended(this.slotAfter(Date.now() + 4000));
    return machines;
  }

  /** Returns the first slot after an instant. */
  slotAfter(instant: number): number {
    return (Math.floor(instant / this.#periodMs) + 1) * this.#periodMs;
  }

  /** Runs a statement on a connection of its own. */
  async query<Row = Record<string, unknown>>(sql: string): Promise<Row[]> {
    const postgres = await Postgres.open(new Secret(this.url), { name: "row" });
    try {
      return await postgres.query<Row>(sql);
    } finally {
      await postgres.close();
    }
  }

  runsOf(slot: number): Promise<StoredRun[]> {
    return this.query(
      `select account, dataset, state, cause, worker from runs where scheduled_for_ms = ${slot} order by account, dataset`,
    );
  }

  /** Resolves with the runs of a slot when all of them have ended. A missed one may still be run until half of the period is over. */
  async ended(slot: number): Promise<StoredRun[]> {
    for (;;) {
      const open = Date.now() > slot + this.#periodMs ? ["running"] : ["running", "missed"];
      const runs = await this.runsOf(slot).catch(() => []);
      if (runs.length === runsPerSlot && runs.every(({ state }) => !open.includes(state))) return runs;
      await seconds(0.1);
    }
  }

  /** Resolves when all runs of the next slot wait for responses, which `release` sends. Returns the slot. */
  async heldSlot(): Promise<number> {
    const slot = this.slotAfter(Date.now());
    for (const { relay } of this.#all)
      for (const path of [spot, positions])
        relay.always(path, (response, _socket, request) => {
          this.#held.push(() => forward(this.bench.exchange.url, request, response));
        });
    await until(() => this.#asked().filter((one) => one.slot === slot && !one.isOver).length === runsPerSlot);
    return slot;
  }

  release(): void {
    for (const { relay } of this.#all) relay.clear();
    for (const send of this.#held.splice(0)) send();
  }

  /** Returns the runs of a slot that a machine requested. */
  runsOn({ name }: Machine, slot: number): string[] {
    const own = this.#asked().filter((one) => one.slot === slot && one.machine === name);
    return own.map(({ run }) => run).sort();
  }

  /** Returns the machine with most of the runs of a slot, and these runs. */
  busiest(slot: number): { machine: Machine; runs: string[] } {
    const [found] = this.#all
      .map((machine) => ({ machine, runs: this.runsOn(machine, slot) }))
      .sort((one, other) => other.runs.length - one.runs.length);
    if (!found) throw new Error("no machine was started");
    return found;
  }

  /** Resolves when a machine has stored a run of a slot after an instant. */
  async collectsAgain(name: string, after: number): Promise<void> {
    const query = `select 1 from runs where worker = '${name}' and state = 'ok' and scheduled_for_ms > ${after} limit 1`;
    while ((await this.query(query)).length === 0) await seconds(0.1);
  }

  /** Ends all machines, and checks a mirror of the history against the requests. */
  async check(): Promise<void> {
    for (const { running } of this.#all) {
      running.child.kill("SIGCONT");
      running.child.kill("SIGTERM");
    }
    const ends = await Promise.all(this.#all.map(({ running }) => running.finished));
    const mirrored = await this.bench.run(["db", "mirror", "--out", this.bench.path], this.settings("mirror"));
    expect([mirrored.code, mirrored.stderr]).toEqual([0, expect.any(String)]);
    const stored = await this.query<{ run: string; slot: number; state: string }>(
      "select account || ' ' || dataset as run, scheduled_for_ms as slot, state from runs",
    );
    const nameOf = ({ run, slot }: { run: string; slot: number }) => `${run} ${new Date(slot).toISOString()}`;
    const asked = this.#asked().map(nameOf);
    expect(asked.filter((name, at) => asked.indexOf(name) !== at)).toEqual([]);
    // A request before its slot would belong to the one before.
    const run = new Set(stored.filter(({ state }) => !["missed", "skipped"].includes(state)).map(nameOf));
    expect(asked.filter((name) => !run.has(name))).toEqual([]);
    const complete = stored.filter(({ state }) => state === "ok").map(nameOf);
    expect(complete.filter((name) => !asked.includes(name))).toEqual([]);
    expect(this.bench.exchange.counts.limitViolations).toBe(0);
    expect(secretsIn(this.#accounts, this.bench.folder, ends)).toEqual([]);
  }

  #asked(): Asked[] {
    const keys = new Map(this.#accounts.map(({ key, name }) => [key, name]));
    const offset = Date.now() - performance.now();
    return this.#all.flatMap(({ name, relay }) =>
      relay.passed
        .filter(({ path }) => path in datasets)
        .map(({ path, headers, at, overAt }) => ({
          run: `${keys.get(String(headers["access-key"]))} ${datasets[path]}`,
          slot: Math.floor((at + offset) / this.#periodMs) * this.#periodMs,
          machine: name,
          isOver: overAt !== null,
        })),
    );
  }
}

interface MachineOptions extends Options {
  /** Seconds between the slots, a divisor of 60. Default: 10. */
  period?: number;
  /** Returns the folder for the server. Default: one of its own. */
  folderOfServer?(bench: Bench): string;
}

/** Declares a row whose machines record into a PostgreSQL server of its own. */
export function rowOfMachines(
  id: string,
  fault: string,
  options: MachineOptions,
  act: (machines: Machines) => Promise<void>,
): void {
  const bin = findPostgres();
  if (bin === null || inject("postgres") === null) {
    rowElsewhere(id, fault, "needs PostgreSQL");
    return;
  }
  const accounts = [newAccount(), ...others.map((name) => newAccount(name))];
  row(id, fault, { ...options, exchange: { accounts } }, async (bench) => {
    const server = await startServer(bench, bin, options.folderOfServer?.(bench));
    const machines = new Machines(bench, server, accounts, (options.period ?? 10) * 1000);
    await act(machines);
    await machines.check();
  });
}

/** Starts a server until the row is over. */
export async function startServer(bench: Bench, bin = findPostgres() ?? "", parent?: string): Promise<Server> {
  if (parent) chmodSync(parent, 0o755);
  const server = new Server(bin, parent);
  bench.onEnd(() => server.remove());
  await server.start();
  return server;
}

/** Ends the connections of the machines, as an administrator does. */
export const dropConnections = (machines: Machines): Promise<unknown> =>
  machines.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%recorder'");

/** Returns runs as `account dataset`. */
export const namesOf = (runs: readonly StoredRun[]): string[] =>
  runs.map(({ account, dataset }) => `${account} ${dataset}`).sort();

/** Returns the states of runs, each once; with the cause where it is not `ok`. */
export const statesOf = (runs: readonly StoredRun[]): string[] =>
  [...new Set(runs.map(({ state, cause }) => (state === "ok" ? state : `${state} (${cause})`)))].sort();
