/** Opens the store in PostgreSQL: the run ledger and the history, which several processes may record into at the same time. */
import { type ClockCheck, clockToleranceMs, maxOffsetMs } from "../../../bitget/clock-check.ts";
import { Batch } from "../../../core/async/batch.ts";
import { type Clock, sleep } from "../../../core/clock.ts";
import type { ApiVersion, DatasetName, KnownRows, ReadProgress, Scope, Secret, Trigger } from "../../../core/domain.ts";
import { ConfigError, LockedError, StorageError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { Dataset } from "../../../datasets/dataset.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import type { Freshness, WorkerStatus } from "../../history.ts";
import { withUnknownAge } from "../../runs/freshness.ts";
import type { ScheduleInForce, UnrunSlot } from "../../runs/run-ledger.ts";
import { type WorkerRow, workerStatus, workersSql } from "../../runs/workers.ts";
import { type ReadingRow, readingColumns, readingOf } from "../../schema/record-layout.ts";
import { layoutOf, shownRows } from "../../schema/storage-layout.ts";
import { scopeText } from "../../snapshots/run-results.ts";
import type { KeyHolder, OpenedStore, RunEnd, RunId, RunOutcome, SeriesSlot, SlotSharing } from "../../store.ts";
import { Postgres } from "../connection.ts";
import { RecordedLedger } from "../ledger/recorded-ledger.ts";
import { prepareSchema } from "../migrations.ts";
import { PostgresAlerts } from "./alerts.ts";
import { readFreshness } from "./freshness.ts";
import * as ledger from "./ledger.ts";
import { finishRun } from "./results/finish.ts";
import { ScopeStates } from "./results/scope-state.ts";
import { findHolders, lockWorkers, Worker, type WorkerDescription } from "./workers.ts";
import { inAccount, Writes } from "./writes.ts";

export interface RecorderOptions {
  url: Secret;
  datasets: readonly AnyDataset[];
  log: Log;
  clock: Clock;
  /** The name of this process in `runs.worker`; null: none. No other live process has it. */
  worker: string | null;
  /** Of a process that runs until it is stopped: it is registered among the others, and takes turns with them. */
  registration?: WorkerDescription;
  /** How long a run may take before another process may fail it, milliseconds. */
  leaseMs: number;
  /** As for `openStore`. */
  clockCheck?: ClockCheck;
  /** Where the mirror is, or is to be, in which the ledger is reconciled. Default: it is not reconciled. */
  mirror?: string;
  /** Aborted when the program must stop at once. */
  stopping?: AbortSignal;
}

/** Opens the history, a new one where there is none, and brings its schema up to date. @throws StorageError where the server is away */
export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const postgres = await Postgres.open(options.url, { name: "recorder", keepsPlans: true });
  try {
    await prepareSchema(postgres, options.datasets);
    const [shipped] = await postgres.cells("select 1 from shipped");
    if (shipped)
      throw new ConfigError([
        `PostgreSQL at ${postgres.address.text} has the copy of an SQLite history. Record into another schema: add ?schema=NAME to the URL.`,
      ]);
    const worker = options.registration ? await Worker.register(postgres, options.registration, options.clock) : null;
    return new Recorder(postgres, options, worker);
  } catch (error) {
    await postgres.close();
    throw error;
  }
}

/** The runs of a process that is killed are lost: this many at most. */
const maxRuns = 60;

/** A store in PostgreSQL. */
export class Recorder implements OpenedStore {
  readonly isFile = false;
  readonly alerts: PostgresAlerts;
  readonly ledger?: RecordedLedger;
  readonly sharing: SlotSharing;
  readonly #postgres: Postgres;
  readonly #writes: Writes;
  readonly #options: RecorderOptions;
  readonly #states = new ScopeStates();
  readonly #worker: Worker | null;
  #isClosed = false;
  /** Whether slots are taken, for those of other processes: usually all of them, and a query for all costs less than a claim of each. */
  readonly #taken: Batch<SeriesSlot, boolean>;
  /** The accounts of the runs that this process has begun and not finished. */
  readonly #accounts = new Map<RunId, string>();
  /** Claims whose commit was not confirmed, by their slot. */
  readonly #unconfirmed = new Map<string, ledger.Claim>();

  constructor(postgres: Postgres, options: RecorderOptions, worker: Worker | null = null) {
    this.#postgres = postgres;
    this.#worker = worker;
    worker?.start(() => this.sweep());
    this.#options = options;
    this.#writes = new Writes(postgres, options.log);
    const { url, datasets, mirror: path, stopping } = options;
    if (path !== undefined) this.ledger = new RecordedLedger(postgres, { url, datasets, path, stopping });
    const sender = options.worker ?? String(process.pid);
    this.#taken = new Batch((slots) => ledger.areTaken(postgres, slots));
    this.sharing = {
      maxRuns,
      delayMs: (account) => worker?.delayMs(account) ?? 0,
      isAbandoned: (account) => worker?.isAbandoned(account) ?? false,
      hasOthers: () => worker?.hasOthers() ?? false,
      pause: (ms) => worker?.pause(ms),
      areEnded: async (slots) => slots.length === 0 || ledger.areEnded(postgres, slots),
    };
    this.alerts = new PostgresAlerts({
      ...{ postgres, sender, clock: options.clock },
      write: (work) => this.#writes.write(work),
      isFirst: (account) => this.sharing.delayMs(account) === 0,
    });
  }

  /** Server, database and schema, without a password. */
  get path(): string {
    return this.#postgres.address.text;
  }

  apiVersion(account: string): Promise<ApiVersion | null> {
    return ledger.apiVersion(this.#postgres, account);
  }

  setApiVersion(account: string, api: ApiVersion, at: number, cause: string): Promise<void> {
    return this.#writes.writeTo(account, (locked) => ledger.setApiVersion(locked, api, at, cause));
  }

  schedule(account: string, dataset: DatasetName): Promise<ScheduleInForce | null> {
    return ledger.schedule(this.#postgres, account, dataset);
  }

  async accounts(): Promise<string[]> {
    const found = await this.#postgres.cells("select name from account order by id");
    return found.map(([name]) => String(name));
  }

  setSchedule(account: string, dataset: DatasetName, pattern: string | null, at: number): Promise<void> {
    return this.#writes.writeTo(account, (locked) => ledger.setSchedule(locked, dataset, pattern, at));
  }

  hasRun(account: string, dataset: DatasetName, slot: number): Promise<boolean> {
    return ledger.hasRun(this.#postgres, account, dataset, slot);
  }

  closeSlots(account: string, dataset: DatasetName, slots: readonly UnrunSlot[]): Promise<void> {
    const close = (locked: ledger.LockedAccount) => ledger.closeSlots(locked, dataset, slots);
    return this.#writes.writeOrDefer(`close ${account} ${dataset} ${slots[0]?.slot}`, account, close, close);
  }

  async begin(
    account: string,
    dataset: DatasetName,
    slot: number,
    startedAt: number,
    trigger: Trigger = "schedule",
  ): Promise<RunId | null> {
    const { worker, leaseMs, clock } = this.#options;
    if (this.#worker?.isLost)
      throw new StorageError(
        `Another process named ${worker} records into PostgreSQL at ${this.path}. Stop one, or set another WORKER_NAME.`,
        { fileLost: true },
      );
    const name = `begin ${account} ${dataset} ${slot}`;
    const isOthers = trigger === "schedule" && this.sharing.delayMs(account) > 0 && !this.#unconfirmed.has(name);
    // Where that cannot be read, the claim says why.
    if (isOthers && (await this.#taken.ask({ account, dataset, slot }).catch(() => false))) return null;
    const claim = { dataset, slot, startedAt, trigger, worker, leaseMs };
    const begin = async (locked: ledger.LockedAccount) => {
      const unconfirmed = this.#unconfirmed.get(name);
      const own = unconfirmed ? await ledger.claimed(locked.connection, account, unconfirmed) : null;
      return own ?? ledger.claim(locked, claim);
    };
    try {
      const begun =
        trigger === "demand"
          ? await this.#writes.writeTo(account, begin)
          : await this.#writes.writeOrDefer(name, account, missed, begin);
      this.#unconfirmed.delete(name);
      if (typeof begun === "number") this.#accounts.set(begun, account);
      if (begun === null || typeof begun === "number") return begun;
      // The clock of this machine is ahead of the database's, whose clock decides for all machines.
      if (begun.aheadMs > clockToleranceMs)
        throw new StorageError(
          `The clock of PostgreSQL at ${this.path} is ${Math.round(begun.aheadMs / 1000)} s behind that of this machine. Set both.`,
        );
      await sleep(clock, begun.aheadMs);
      return this.begin(account, dataset, slot, startedAt, trigger);
    } catch (error) {
      if (error instanceof StorageError) this.#unconfirmed.set(name, claim);
      throw error;
    }

    // A slot that was claimed after all keeps its run, which is swept when its deadline has passed.
    function missed(locked: ledger.LockedAccount, cause: string): Promise<void> {
      return ledger.closeSlots(locked, dataset, [{ slot, state: "missed", cause }]);
    }
  }

  async finish(run: RunId, end: RunEnd): Promise<RunOutcome> {
    const account = this.#accounts.get(run) ?? (await ledger.accountOf(this.#postgres, run));
    try {
      const { outcome, committed } = await this.#writes.writeTo(account, (locked) =>
        finishRun(locked, run, end, this.#states),
      );
      committed();
      this.#accounts.delete(run);
      this.alerts.onStored(account);
      return outcome;
    } catch (error) {
      // On a storage error the caller retries, and no row is lost; on any other the next write ends the run as failed.
      if (!(error instanceof StorageError))
        this.#writes.defer(
          `finish ${run}`,
          inAccount(account, (locked) => ledger.abandon(locked, run, "internal")),
        );
      throw error;
    }
  }

  /** Fails the runs of an earlier process of this name, and those of any process past their deadline. Returns how many. */
  recover(): Promise<number> {
    return this.#fail(this.#options.worker);
  }

  /** Fails runs of any process that are past their deadline. Returns how many. */
  sweep(): Promise<number> {
    return this.#fail(null);
  }

  async #fail(worker: string | null): Promise<number> {
    const crashed = await ledger.findCrashed(this.#postgres, worker);
    let failed = 0;
    for (const { id, account } of crashed) {
      const wasRunning = await this.#writes.writeTo(account, (locked) => ledger.abandon(locked, id, "crashed"));
      if (wasRunning) failed += 1;
    }
    return failed;
  }

  async requestedScopes(dataset: AnyDataset, account: string): Promise<Scope[]> {
    const found = await this.#postgres.cells(
      `select p.product_type from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id
       where a.name = $1 and e.dataset = $2 and p.until is null order by p.id`,
      [account, dataset.name],
    );
    return found.map(([productType]) => (productType || null) as Scope);
  }

  async latest(dataset: Dataset, account?: string): Promise<KnownRows[]> {
    const layout = layoutOf(dataset);
    const found = await this.#postgres.query<Omit<KnownRows, "rows"> & { id: number; latest: number }>(
      `select p.id, a.name as account, nullif(p.product_type, '') as scope, p.latest, r.slot, n.taken_at as "takenAt"
       from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id
         join snapshot n on n.id = p.latest join run r on r.id = n.run_id
       where e.dataset = $1 and p.until is null and ($2::text is null or a.name = $2) order by p.id`,
      [dataset.name, account ?? null],
    );
    const known: KnownRows[] = [];
    for (const { id, latest, ...one } of found) {
      const { state } = await this.#states.read(this.#postgres, layout, id, latest);
      known.push({ ...one, rows: shownRows(layout, state, latest) });
    }
    return known;
  }

  async reading(account: string, dataset: DatasetName, scope: Scope): Promise<ReadProgress | null> {
    const [found] = await this.#postgres.query<ReadingRow>(
      `select ${readingColumns} from scope p join reading g on g.snapshot_id = p.latest
         join series e on e.id = p.series_id join account a on a.id = e.account_id
       where a.name = $1 and e.dataset = $2 and p.product_type = $3`,
      [account, dataset, scopeText(scope)],
    );
    return found ? readingOf(found) : null;
  }

  async freshness(now: number): Promise<Freshness[]> {
    const found = await readFreshness(this.#postgres, now, maxOffsetMs);
    return this.#options.clockCheck?.verdict === "contradicted" ? found.map(withUnknownAge) : found;
  }

  async workers(): Promise<WorkerStatus[]> {
    const found = await this.#postgres.query<WorkerRow & { now: number }>(
      `select now_ms() as now, w.* from (${workersSql}) w`,
    );
    return found.map(({ now, ...row }) => workerStatus(row, now, now));
  }

  holders(account: string): Promise<KeyHolder[]> {
    return findHolders(this.#postgres, account);
  }

  withoutHolders(account: string, work: () => Promise<void>): Promise<void> {
    return this.#postgres.transaction(async (connection) => {
      await lockWorkers(connection);
      const live = (await findHolders(connection, account)).find(({ isLive }) => isLive);
      if (live)
        throw new LockedError(
          `The process ${live.name} is live and has the key of ${account}. Remove the account from its settings and start it again.`,
        );
      await work();
    });
  }

  /** Does nothing: only the server knows how much room it has. A full disk there is a StorageError. */
  requireDiskSpace(): void {}

  /** Removes this process from those that record. */
  async leave(): Promise<void> {
    await this.#worker?.close();
  }

  /** Closes the connections once their statements have ended. Has no effect the second time. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    void Promise.allSettled([this.leave(), this.ledger?.close()]).then(() => this.#postgres.close());
  }
}
