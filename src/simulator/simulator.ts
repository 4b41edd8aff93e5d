/**
 * The simulated exchange on loopback, for the demo and for tests: a real server that checks, limits, responds and fails like the
 * exchange, simulates trading accounts, and records every response.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../core/clock.ts";
import { dayMs } from "../core/time.ts";
import type { Bill } from "./account/bill.ts";
import type { Endpoint } from "./api/endpoint.ts";
import { createExchange, type Habits } from "./exchange.ts";
import { createFaults, type Fault } from "./faults.ts";
import { createGateway, type SimulatedAccount } from "./gateway.ts";
import { createLimits } from "./limits.ts";
import type { ListFaults } from "./list-faults.ts";
import type { ReadPermission } from "./permissions.ts";
import type { ServedSnapshot, TrueEntry } from "./record.ts";
import { catchRefusal, Refusal } from "./refusal.ts";
import { drip, send } from "./send.ts";

export type { Bill } from "./account/bill.ts";
export type { SimulatedSubAccount } from "./account/statement.ts";
export type { Endpoint } from "./api/endpoint.ts";
export type { Fault } from "./faults.ts";
export { isModelled, type SimulatedAccount } from "./gateway.ts";
export type { Plan } from "./plan/plan.ts";
export type { ServedSnapshot, TrueEntry, TrueRow } from "./record.ts";

export interface SimulatorOptions {
  /** The exchange's clock: prices and accounts follow `now`, rate limits `monotonic`. */
  clock: Clock;
  /** The same seed and `from` give the same market and accounts at the same time, whatever was requested before. Default 1. */
  seed?: number;
  /** When the accounts start, epoch ms. Default: thirty days ago. */
  from?: number;
  /**
   * The market and the accounts are at `from`, or without it at the start, as at this time, epoch ms; times in responses still follow
   * `clock`. Default: as at the time of `clock`, so that holdings depend on the date.
   */
  startsAs?: number;
  accounts: readonly SimulatedAccount[];
  /** What the accounts do. Default: they trade and deposit. */
  habits?: Habits;
  /** Whether API v1 is still served. Default: no, as since 2025-11-28. */
  v1?: boolean;
  /** Delay of every response, on `clock`. */
  latencyMs?: number;
  /** Endpoints that the simulator has no model of, with their responses. Default: none. */
  endpoints?: readonly Endpoint[];
  /** The number of newest responses that the record keeps. Default: all. */
  recordLimit?: number;
}

export interface Simulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `limitViolations`: requests refused because they were above a documented limit. */
  readonly counts: { requests: number; badSignatures: number; limitViolations: number };
  /** Every data response served, in order; an edited one without its rows. */
  readonly record: ServedSnapshot[];
  /** Bills that the user of the simulator supplies at any time; the futures ledgers of an account that has some list no others. */
  readonly bills: Bill[];
  /** What is wrong with the lists of all accounts. */
  readonly listFaults: ListFaults;
  /** Returns every entry that the ledgers of an account have now, those that are not listed yet or any more included. */
  ledgerOf(account: string): TrueEntry[];
  /** Upgrades a classic account to unified with everything it owns. */
  upgrade(account: string): void;
  /** Sets the permissions of the account's key from now on. */
  permit(account: string, permissions: "read" | "trade"): void;
  /** Sets what the account's key may read from now on. */
  restrict(account: string, reads: readonly ReadPermission[]): void;
  injectFault(fault: Fault): void;
  /** Returns the number of faults that are not used up. */
  pendingFaults(): number;
  clearFaults(): void;
  /** How far the exchange's own clock is ahead of `clock`. Milliseconds. */
  clockSkewMs: number;
  /** Closes the server and every connection, also those with a pending response. */
  close(): Promise<void>;
}

const defaultAgeMs = 30 * dayMs;

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const {
    clock,
    endpoints = [],
    habits = {},
    latencyMs = 0,
    recordLimit = Number.POSITIVE_INFINITY,
    seed = 1,
    v1 = false,
  } = options;
  const from = options.from ?? clock.now() - defaultAgeMs;
  const shift = options.startsAs === undefined ? 0 : options.startsAs - (options.from ?? clock.now());
  const accounts = options.accounts.map((account) => ({ ...account }));
  const skew = () => simulator.clockSkewMs;
  const exchange = createExchange({ accounts, clock, skew, seed, from, shift, habits, recordLimit });
  const admit = createGateway({ accounts, v1, limits: createLimits(clock), endpoints, now: exchange.now });
  const faults = createFaults();
  const timers = new Set<() => void>();

  /** Calls `action` after `ms`, at once if that is zero; never after the simulator was closed. */
  function after(ms: number, action: () => void): void {
    if (ms <= 0) {
      action();
      return;
    }
    const cancel = clock.after(ms, () => {
      timers.delete(cancel);
      action();
    });
    timers.add(cancel);
  }

  function onRequest(incoming: IncomingMessage, response: ServerResponse): void {
    simulator.counts.requests += 1;
    incoming.resume();
    const { method = "", url: target = "", headers, socket } = incoming;
    const outcome = catchRefusal(() => admit({ method, target, headers, address: socket.remoteAddress ?? "" }));
    if (outcome instanceof Refusal) count(outcome);
    const fault = outcome instanceof Refusal ? null : faults.take(outcome);
    if (fault?.hang) return;
    after(latencyMs + (fault?.delayMs ?? 0), () => {
      if (socket.destroyed) return;
      if (fault?.reset) {
        socket.resetAndDestroy();
        return;
      }
      const reply = outcome instanceof Refusal ? exchange.refuse(outcome) : exchange.respond(outcome, fault);
      if (fault?.drip) drip(response, reply, fault.drip, after);
      else send(response, reply);
    });
  }

  function accountNamed(name: string): SimulatedAccount {
    const account = accounts.find((each) => each.name === name);
    if (!account) throw new Error(`no simulated account is named ${name}`);
    return account;
  }

  function count({ code }: Refusal): void {
    if (code === "40009") simulator.counts.badSignatures += 1;
    if (code === "429") simulator.counts.limitViolations += 1;
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, onRequest);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const simulator: Simulator = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: { requests: 0, badSignatures: 0, limitViolations: 0 },
    record: exchange.record,
    bills: exchange.bills,
    listFaults: exchange.listFaults,
    ledgerOf: (name) => exchange.ledgerOf(accountNamed(name)),
    clockSkewMs: 0,
    upgrade(name) {
      Object.assign(accountNamed(name), { mode: "unified", unifiedSince: clock.now() });
    },
    permit(name, permissions) {
      accountNamed(name).permissions = permissions;
    },
    restrict(name, reads) {
      accountNamed(name).reads = reads;
    },
    injectFault: faults.add,
    pendingFaults: faults.pending,
    clearFaults: faults.clear,
    close() {
      for (const cancel of timers) cancel();
      timers.clear();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
  return simulator;
}
