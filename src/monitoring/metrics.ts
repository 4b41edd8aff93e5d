/**
 * Exports the metrics of the daemon in the text format of Prometheus. Counters begin with the process; gauges are read at each scrape,
 * by indexes only. An unknown value is omitted, never zero.
 */
import { statSync } from "node:fs";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Limiter } from "../bitget/limits/rate-limiter.ts";
import type { Session } from "../collecting/account-session.ts";
import type { EndedRun } from "../collecting/run-context.ts";
import type { Clock } from "../core/clock.ts";
import { type DatasetName, publicAccount } from "../core/domain.ts";
import { diskSpaceFor } from "../store/files/disk.ts";
import type { Freshness, WalletProof, WorkerStatus } from "../store/history.ts";
import type { ShipState } from "../store/postgres/copy/ship-follower.ts";
import type { UnrunSlot } from "../store/runs/run-ledger.ts";
import type { OpenedStore } from "../store/store.ts";
import { ownVersion } from "./version.ts";

export interface MetricsOptions {
  store: Pick<OpenedStore, "path" | "isFile" | "freshness" | "workers" | "ledger">;
  sessions: readonly Session[];
  publicSession: Session;
  limiter: Pick<Limiter, "budget">;
  clock: Clock;
  /** Null: the history is not copied to PostgreSQL. */
  ship?: { readonly state: Readonly<ShipState> } | null;
}

export interface Metrics {
  onEnded(run: EndedRun): void;
  onClosed(account: string, dataset: DatasetName, slots: readonly UnrunSlot[]): void;
  /** The content type of `text`. */
  readonly contentType: string;
  /** Resolves with all metrics as of now. Rejects if the database cannot be read. */
  text(): Promise<string>;
}

const prefix = "bitget_collector_";
const series = ["account", "dataset"] as const;
const states = ["ok", "partial", "failed", "missed", "skipped"] as const;

/** Histogram buckets: a run takes some hundred milliseconds, and at most a minute by default. Seconds. */
const durations = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** How often the delay of the event loop is measured. Milliseconds. */
const precision = 20;

export function createMetrics({ store, sessions, publicSession, limiter, clock, ship }: MetricsOptions): Metrics {
  const registry = new Registry();
  const counts = createCounts(registry);
  const gauges = createGauges(registry);
  // Metrics of the process: CPU, memory, open files, start, garbage collection, and event loop delay.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: precision });

  function readSeries({ account, dataset, fresh, offered, ageMs, nextAt }: Freshness): void {
    const labels = { account, dataset };
    counts.begin(labels);
    gauges.fresh.set(labels, fresh ? 1 : 0);
    gauges.nextSlot.set(labels, nextAt / 1000);
    if (offered && ageMs !== null) gauges.age.set(labels, ageMs / 1000);
  }

  function readClients(): void {
    for (const session of sessions) gauges.refused.set({ account: session.name }, session.refusal() === null ? 0 : 1);
    for (const { name, client } of [...sessions, publicSession]) {
      const offset = client.observedOffset();
      if (offset !== null) gauges.clockOffset.set({ account: name }, offset / 1000);
    }
    for (const { account, path, address, requests } of limiter.budget()) {
      if (path === null) gauges.machineBudget.set(address ? { address } : {}, requests);
      else gauges.budget.set({ account: account ?? publicAccount, path }, requests);
    }
  }

  function readShip(): void {
    if (!ship) return;
    const { currentAt, problem, rows } = ship.state;
    gauges.shipUp.set(problem === null ? 1 : 0);
    gauges.shipRows.set(rows);
    if (currentAt !== null) gauges.shipLag.set(Math.max(0, clock.now() - currentAt) / 1000);
  }

  function readWorker({ name: worker, state, ageMs, version, accounts, running, pausedUntil }: WorkerStatus): void {
    gauges.workerUp.set({ worker }, state === "live" ? 1 : 0);
    gauges.workerAge.set({ worker }, ageMs / 1000);
    gauges.workerInfo.set({ worker, version }, 1);
    gauges.workerAccounts.set({ worker }, accounts);
    if (running !== null) gauges.workerRunning.set({ worker }, running);
    if (pausedUntil !== null) gauges.workerPaused.set({ worker }, pausedUntil / 1000);
  }

  function readLedger({ account, wallet, totalMs, provenMs, breaks, newestAt }: WalletProof): void {
    const labels = { account, wallet };
    if (totalMs > 0) gauges.ledgerProven.set(labels, provenMs / totalMs);
    gauges.ledgerBreaks.set(labels, breaks);
    if (newestAt !== null) gauges.ledgerAge.set(labels, Math.max(0, clock.now() - newestAt) / 1000);
  }

  function readFiles(): void {
    if (!store.isFile) return;
    const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    gauges.database.set(sizeOf(store.path));
    gauges.wal.set(sizeOf(`${store.path}-wal`));
    const { freeBytes } = diskSpaceFor(store.path);
    if (Number.isFinite(freeBytes)) gauges.disk.set(freeBytes);
  }

  return {
    onEnded: counts.onEnded,
    onClosed: counts.onClosed,
    contentType: registry.contentType,
    async text() {
      const [found, workers = [], proofs = []] = await Promise.all([
        store.freshness(clock.now()),
        store.workers?.(),
        store.ledger?.proofs(),
      ]);
      for (const one of Object.values(gauges)) {
        one.reset();
        // prom-client initialises a gauge without labels to zero, which was not measured.
        one.remove({});
      }
      for (const one of found) readSeries(one);
      for (const one of workers) readWorker(one);
      for (const one of proofs) readLedger(one);
      readClients();
      readFiles();
      readShip();
      gauges.build.set({ version: ownVersion() }, 1);
      return registry.metrics();
    },
  };
}

export interface MetricDescription {
  name: string;
  /** `counter`, `gauge` or `histogram`. */
  type: string;
  labelNames: string[];
  help: string;
}

/** Returns the definition of every metric of this program, for the documentation. */
export function describeMetrics(): MetricDescription[] {
  const registry = new Registry();
  createCounts(registry);
  createGauges(registry);
  return registry.getMetricsAsArray() as unknown as MetricDescription[];
}

/** Creates the counters and the histogram. */
function createCounts(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: prefix + name, help, labelNames, registers: [registry] });
  const runs = counter("runs_total", "Due slots by outcome.", [...series, "state"]);
  const requests = counter("requests_total", "Requests sent by runs.", series);
  const retries = counter("retries_total", "Requests that repeated an earlier attempt.", series);
  const rateLimited = counter(
    "rate_limited_total",
    "Requests that exceeded the exchange's rate limit (HTTP 429).",
    series,
  );
  const duration = new Histogram({
    name: `${prefix}run_duration_seconds`,
    help: "Duration of runs in seconds, without the commit.",
    labelNames: series,
    buckets: durations,
    registers: [registry],
  });
  return {
    /** Initialises the counters of a series to 0: Prometheus sees the first increase only of a counter that exists before it. */
    begin(labels: { account: string; dataset: string }): void {
      for (const state of states) runs.inc({ ...labels, state }, 0);
      for (const one of [requests, retries, rateLimited]) one.inc(labels, 0);
    },
    onEnded({ account, dataset, state, startedAt, finishedAt, ...tally }: EndedRun): void {
      const labels = { account, dataset };
      runs.inc({ ...labels, state });
      requests.inc(labels, tally.requests);
      retries.inc(labels, tally.retries);
      rateLimited.inc(labels, tally.rateLimited);
      duration.observe(labels, (finishedAt - startedAt) / 1000);
    },
    onClosed(account: string, dataset: DatasetName, slots: readonly UnrunSlot[]): void {
      for (const { state } of slots) runs.inc({ account, dataset, state });
    },
  };
}

/** Creates the gauges of the exchange's ledger. */
function createLedgerGauges(registry: Registry) {
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `bitget_ledger_${name}`, help, labelNames: ["account", "wallet"], registers: [registry] });
  return {
    ledgerProven: gauge(
      "proven_ratio",
      "The share of the time since the ledger begins for which it explains the balances (verdicts proven and rounded), over all coins of the wallet, from 0 to 1.",
    ),
    ledgerBreaks: gauge(
      "breaks",
      "Stretches whose entries do not explain the balance (verdict break), over all coins.",
    ),
    ledgerAge: gauge("newest_entry_age_seconds", "Seconds since the time of the newest entry."),
  };
}

/** Creates the gauges, which are read at each scrape. */
function createGauges(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name: prefix + name, help, labelNames, registers: [registry] });
  const shipGauge = (name: string, help: string) =>
    new Gauge({ name: `bitget_ship_${name}`, help, registers: [registry] });
  return {
    ...createLedgerGauges(registry),
    fresh: gauge(
      "fresh",
      "1 while the last complete run is at most two periods of the schedule old, else 0; the rule of /healthz and status.",
      series,
    ),
    age: gauge("snapshot_age_seconds", "Seconds since the slot of the last complete run.", series),
    nextSlot: gauge("next_slot_timestamp_seconds", "When the next run is due, in seconds since 1970.", series),
    refused: gauge("account_refused", "1 where the key of the account can write and is therefore not used, else 0.", [
      "account",
    ]),
    clockOffset: gauge(
      "clock_offset_seconds",
      "The exchange's clock minus this machine's, in seconds, from the last response; as precise as that request was fast.",
      ["account"],
    ),
    budget: gauge("rate_budget_requests", "Requests that may be sent now, by the rate limit of the endpoint.", [
      "account",
      "path",
    ]),
    machineBudget: gauge(
      "machine_rate_budget_requests",
      "Requests that may be sent now, by the rate limit per internet address (IP) for all endpoints together; one for each of SOURCE_ADDRESSES.",
      ["address"],
    ),
    database: gauge("database_bytes", "Size of the database file in bytes."),
    wal: gauge("wal_bytes", "Size of the write-ahead log in bytes."),
    disk: gauge("disk_free_bytes", "Free space on the disk of the database in bytes."),
    shipUp: shipGauge("up", "1 while the copy of the history in PostgreSQL is written, 0 after a failed attempt."),
    shipLag: shipGauge("lag_seconds", "Seconds since the copy in PostgreSQL last had the state of the database file."),
    shipRows: shipGauge("rows", "Rows written to the copy in PostgreSQL since the start."),
    workerUp: gauge(
      "worker_up",
      "1 while the process was seen in PostgreSQL within ten seconds, 0 while it is gone; exported by each process for all that record there.",
      ["worker"],
    ),
    workerAge: gauge("worker_seen_age_seconds", "Seconds since the process was last seen in PostgreSQL.", ["worker"]),
    workerAccounts: gauge("worker_accounts", "Accounts whose keys the process has.", ["worker"]),
    workerRunning: gauge("worker_running", "Runs in flight of the process.", ["worker"]),
    workerPaused: gauge(
      "worker_paused_until_timestamp_seconds",
      "Until when the process leaves its accounts to others, in seconds since 1970; only while it does.",
      ["worker"],
    ),
    workerInfo: gauge("worker_info", "Always 1; the label is the version of the process.", ["worker", "version"]),
    build: gauge("build_info", "Always 1; the label is the version that runs.", ["version"]),
  };
}
