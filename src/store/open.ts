/** Opens the store: one SQLite file that contains the run ledger and the history. */
import { chmodSync, existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type ClockCheck, maxOffsetMs } from "../bitget/clock-check.ts";
import type { Clock } from "../core/clock.ts";
import { StorageError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { realPath } from "../core/path.ts";
import type { AnyDataset } from "../datasets/incremental.ts";
import { AlertState } from "./alerts/alert-state.ts";
import { identityOf } from "./files/connections.ts";
import { createDiskWatch } from "./files/disk.ts";
import { Reconciler } from "./ledger/reconciler.ts";
import { ledgerReads } from "./read/ledger/verdicts.ts";
import { prepareFreshness, withUnknownAge } from "./runs/freshness.ts";
import { RunLedger } from "./runs/run-ledger.ts";
import { viewsOf } from "./schema/views.ts";
import { SnapshotWriter } from "./snapshots/snapshot-writer.ts";
import { createDatabase, inspectFile, openWriter, quickCheck, type Sqlite } from "./sqlite/database.ts";
import { DeferredWrites } from "./sqlite/deferred-writes.ts";
import { ownMigrations } from "./sqlite/migrations.ts";
import { createWriteQueue } from "./sqlite/write-queue.ts";
import type { OpenedStore } from "./store.ts";
import { applyMigrations, type Migrated, migrate } from "./transfer/migrate.ts";

/** A store in an SQLite file. */
export interface SqliteStore extends OpenedStore {
  /** Whether opening created or migrated the file; null if it did neither. */
  readonly opening: "created" | Migrated | null;
}

/**
 * Opens the database, creates it if it does not exist, and migrates it after a backup if it is older. The caller holds its lock.
 * Throws a ConfigError if the file belongs to another program, is damaged or newer, or cannot be used.
 */
export async function openStore(options: {
  path: string;
  datasets: readonly AnyDataset[];
  log: Log;
  clock: Clock;
  /** Ages are unknown while the exchange contradicts this machine's clock. Default: the clocks are not compared. */
  clockCheck?: ClockCheck;
  /** Aborted when the program must stop at once: writes no longer wait for another process. */
  stopping?: AbortSignal;
  /** False for a database that need not survive a power failure. Default: true. */
  isDurable?: boolean;
}): Promise<SqliteStore> {
  const { datasets, log, clock, clockCheck, stopping } = options;
  const found = inspectFile(options.path);
  const path = realPath(resolve(options.path));
  const migrations = ownMigrations();
  const views = viewsOf(datasets);
  if (found === "new") {
    await createDatabase(path, (sqlite) => applyMigrations(sqlite, { pending: migrations, views, now: clock.now() }));
    log.info({ path }, "created a new database");
  }
  restrictMode(path, log);
  const sqlite = openWriter(path, options.isDurable);
  try {
    quickCheck(path, sqlite);
    const migrated = await migrate(path, sqlite, { migrations, views, log, now: clock.now() });
    return storeOn(path, sqlite, { clock, clockCheck, log, stopping, opening: found === "new" ? "created" : migrated });
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/**
 * Keeps the mode that the owner gave the database, for example for a group that may read it, and gives existing log files the same
 * mode, as SQLite does for new ones. A database that others may access gets mode 0600: a file copied by hand often allows it.
 */
function restrictMode(path: string, log: Log): void {
  if (process.platform === "win32") return;
  const modeOf = (file: string) => (statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
  const isOpen = (modeOf(path) & 0o007) !== 0;
  const mode = isOpen ? 0o600 : modeOf(path);
  const others = [path, `${path}-wal`, `${path}-shm`].filter((file) => existsSync(file) && modeOf(file) !== mode);
  try {
    for (const file of others) chmodSync(file, mode);
    if (isOpen) log.warn({ path }, "the database could be read by others; its mode is 0600 now");
  } catch {
    const problem = isOpen
      ? "the database can be read by others"
      : "the write-ahead log has another mode than the database";
    log.warn({ path }, `${problem}; its owner should run: chmod ${mode.toString(8)} ${others.join(" ")}`);
  }
}

interface Opened extends Pick<SqliteStore, "opening"> {
  clock: Clock;
  clockCheck: ClockCheck | undefined;
  log: Log;
  stopping: AbortSignal | undefined;
}

function storeOn(path: string, sqlite: Sqlite, { clock, clockCheck, log, stopping, opening }: Opened): SqliteStore {
  const ledger = new RunLedger(sqlite);
  const snapshots = new SnapshotWriter(sqlite, ledger);
  const ownWal = identityOf(`${path}-wal`);
  const queue = createWriteQueue(path, sqlite, clock, () => snapshots.forget(), stopping);
  const writes = new DeferredWrites(queue);
  const { write } = writes;
  const freshness = prepareFreshness(sqlite, maxOffsetMs);
  const { breaks, verdictAt, proofs } = ledgerReads(sqlite);
  let reconciler: Reconciler | null = null;
  return {
    path,
    isFile: true,
    opening,
    apiVersion: async (account) => ledger.apiVersion(account),
    setApiVersion: (account, api, at, cause) => write(() => ledger.setApiVersion(account, api, at, cause)),
    accounts: async () => ledger.accounts(),
    schedule: async (account, dataset) => ledger.schedule(account, dataset),
    setSchedule: (account, dataset, pattern, at) => write(() => ledger.setSchedule(account, dataset, pattern, at)),
    hasRun: async (account, dataset, slot) => ledger.hasRun(account, dataset, slot),
    closeSlots(account, dataset, slots) {
      const close = () => ledger.closeSlots(account, dataset, slots);
      return writes.writeOrDefer(`close ${account} ${dataset} ${slots[0]?.slot}`, close, close);
    },
    begin(account, dataset, slot, startedAt, trigger = "schedule") {
      const claim = () => ledger.claim(account, dataset, slot, startedAt, trigger);
      const claimed = () => ledger.claimed(account, dataset, slot, startedAt);
      // A manual run that never started gets no row: its row would imply that the slots before it are accounted for.
      if (trigger === "demand") return write(claim, claimed);
      return writes.writeOrDefer(
        `begin ${account} ${dataset} ${slot}`,
        (cause) => ledger.closeSlots(account, dataset, [{ slot, state: "missed", cause }]),
        claim,
        claimed,
      );
    },
    async finish(run, end) {
      const finished = () => {
        const { state } = ledger.run(run);
        return state === "running" ? null : { state, failures: end.failures };
      };
      try {
        return await write(() => snapshots.finish(run, end), finished);
      } catch (error) {
        // On a storage error the caller retries, and no row is lost; on any other the next write ends the run as failed.
        if (!(error instanceof StorageError)) writes.defer(`finish ${run}`, () => ledger.abandon("internal", run));
        throw error;
      }
    },
    recover: () => write(() => ledger.abandon("crashed")),
    requestedScopes: async (dataset, account) => snapshots.requestedScopes(dataset, account),
    latest: async (dataset, account) => snapshots.latest(dataset, account),
    reading: async (account, dataset, scope) => snapshots.reading(account, dataset, scope),
    ledger: {
      breaks: async (account) => breaks(account),
      verdictAt: async (ref) => verdictAt(ref),
      proofs: async () => proofs(),
      async reconcile(account, now) {
        reconciler ??= new Reconciler(sqlite, write);
        await reconciler.reconcile({ account, now });
      },
    },
    alerts: new AlertState(sqlite, write),
    async freshness(now) {
      const found = freshness(now);
      return clockCheck?.verdict === "contradicted" ? found.map(withUnknownAge) : found;
    },
    requireDiskSpace: createDiskWatch(path, log).requireDiskSpace,
    close: () => close(path, sqlite, ownWal),
  };
}

/**
 * Moves the write-ahead log into the file that was opened, even if it was renamed since, and closes the database. A deleted log is
 * visible to this process only, so all of it must be moved. If another log is in its place, SQLite's own closing handles it after
 * checking that no process uses it. Throws a StorageError where runs that were reported as stored may be missing from the file.
 */
function close(path: string, sqlite: Sqlite, ownWal: string | null): void {
  if (!sqlite.open) return;
  const wal = identityOf(`${path}-wal`);
  let problem = wal !== null && wal !== ownWal ? "another one is in its place" : null;
  try {
    if (problem === null) {
      const [result] = sqlite.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
      if (wal !== ownWal && result?.busy !== 0) problem = "another program still reads it";
    }
  } catch (error) {
    // A log that still has its own name stays next to the file, and the next opening moves it.
    if (wal !== ownWal) problem = (error as Error).message;
  }
  sqlite.close();
  if (problem === null) return;
  throw new StorageError(
    `${path}-wal was moved, deleted or replaced while in use, and ${problem}: the last runs may be missing. ` +
      "Leave these files to SQLite; start again and run `db verify`.",
    { fileLost: true },
  );
}
