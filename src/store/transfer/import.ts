/**
 * Builds a history from the rows of an export. An export contains the rows of snapshots, but neither runs and schedules nor empty,
 * failed or missing snapshots, which therefore cannot be restored.
 */
import { systemClock } from "../../core/clock.ts";
import { snakeCase } from "../../core/columns.ts";
import { causes, type Item, type Scope } from "../../core/domain.ts";
import { ConfigError, ShapeError } from "../../core/errors.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { Reconciler } from "../ledger/reconciler.ts";
import { exportedColumns } from "../read/record-history.ts";
import { historyColumns } from "../read/scan.ts";
import { RunLedger } from "../runs/run-ledger.ts";
import { columnNames } from "../schema/tables.ts";
import { type PastRecordBatch, type PastSnapshot, SnapshotWriter } from "../snapshots/snapshot-writer.ts";
import { openWriter, type Sqlite } from "../sqlite/database.ts";
import { sqliteErrorOf, writeError } from "../sqlite/write-queue.ts";
import { type HistoryFile, type ImportedSnapshot, keyOf, snapshotsOf } from "./import-rows.ts";

/** The result of importing one file. */
export interface Imported {
  path: string;
  dataset: AnyDataset;
  snapshots: number;
  rows: number;
}

/**
 * Imports files into a database without data of their datasets, all of them or none; the caller holds its lock. `expected` is the
 * total number of rows that the files must have; null if it is not checked.
 * @throws ShapeError naming the file and the place in it; ConfigError if the database has such data; StorageError if it cannot be
 * written
 */
export async function importHistory(
  path: string,
  datasets: readonly AnyDataset[],
  files: AsyncIterable<HistoryFile>,
  expected: number | null = null,
): Promise<Imported[]> {
  const sqlite = openWriter(path);
  try {
    sqlite.exec("begin immediate");
    const imported: Imported[] = [];
    for await (const file of files) imported.push(await importFile(sqlite, path, datasets, file));
    const rows = imported.reduce((sum, file) => sum + file.rows, 0);
    if (expected !== null && rows !== expected)
      throw new ShapeError(
        imported.map(({ path }) => path).join(", "),
        "rows",
        `found ${rows} rows, but --rows is ${expected}; nothing was imported`,
      );
    // What follows from the ledger is part of the rows of an export, too.
    await new Reconciler(sqlite, async (work) => work()).reconcile({ now: systemClock.now(), isFull: true });
    sqlite.exec("commit");
    return imported;
  } catch (error) {
    if (sqlite.inTransaction) sqlite.exec("rollback");
    const cause = sqliteErrorOf(error);
    throw cause ? writeError(path, cause) : error;
  } finally {
    sqlite.close();
  }
}

async function importFile(
  sqlite: Sqlite,
  path: string,
  datasets: readonly AnyDataset[],
  file: HistoryFile,
): Promise<Imported> {
  const dataset = datasets.find((one) => isHistoryOf(sqlite, one, file.columns));
  if (!dataset)
    throw new ShapeError(
      file.path,
      "columns",
      "do not match the history view of any dataset; only files that `export` wrote can be imported",
    );
  requireNoRuns(sqlite, path, dataset);
  const imported: Imported = { path: file.path, dataset, snapshots: 0, rows: 0 };
  const write = runWriter(sqlite, path, file, dataset);
  for await (const { run, next } of groupIntoRuns(snapshotsOf(file, dataset))) {
    imported.snapshots += run.length;
    imported.rows += write(run, next);
  }
  return imported;
}

/** Returns true if the columns are those of an export of the dataset. Columns that were added later may be missing. */
function isHistoryOf(sqlite: Sqlite, dataset: AnyDataset, columns: readonly string[]): boolean {
  const later = columnNames(dataset)
    .filter((name) => dataset.columns[name]?.isAddedLater)
    .map(snakeCase);
  const exported = dataset.mode === "snapshot" ? historyColumns(sqlite, dataset) : exportedColumns(sqlite, dataset);
  const known = exported.filter((name) => columns.includes(name) || !later.includes(name));
  return String(known) === String(columns);
}

function requireNoRuns(sqlite: Sqlite, path: string, dataset: AnyDataset): void {
  const found = sqlite
    .prepare("select 1 from run r join series e on e.id = r.series_id where e.dataset = ? limit 1")
    .get(dataset.name);
  if (found) throw new ConfigError([`${path} already holds runs of ${dataset.name}. Set DATABASE_URL to a new file.`]);
}

/** Snapshots of one account that one run may have taken. */
type RunSnapshots = readonly ImportedSnapshot[];

/** The longest time between two responses of one run, with the default deadline. Milliseconds. */
const maxRunMs = 60_000;

/**
 * Groups snapshots into runs, and yields each with the next run of its account. A run requests each scope once. The scopes of a run
 * matter because a scope that a complete run does not contain is no longer requested.
 */
async function* groupIntoRuns(
  snapshots: AsyncIterable<ImportedSnapshot>,
): AsyncGenerator<{ run: RunSnapshots; next: RunSnapshots }, void> {
  const accounts = new Map<string, { complete: RunSnapshots; growing: ImportedSnapshot[] }>();
  for await (const one of snapshots) {
    const account = accounts.get(one.account) ?? { complete: [], growing: [] };
    accounts.set(one.account, account);
    const [first] = account.growing;
    const isOfRun = Math.abs(one.takenAt - (first ?? one).takenAt) <= maxRunMs;
    if (!isOfRun || account.growing.some(({ scope }) => scope === one.scope)) {
      if (account.complete.length > 0) yield { run: account.complete, next: account.growing };
      account.complete = account.growing;
      account.growing = [];
    }
    account.growing.push(one);
  }
  for (const { complete, growing } of accounts.values()) {
    if (complete.length > 0) yield { run: complete, next: growing };
    yield { run: growing, next: [] };
  }
}

function runWriter(sqlite: Sqlite, path: string, file: HistoryFile, dataset: AnyDataset) {
  const ledger = new RunLedger(sqlite);
  const history = new SnapshotWriter(sqlite, ledger);
  const rowsOf = sqlite.prepare<[number], number>("select rows from snapshot where id = ?").pluck();

  /** Writes a run and returns its number of rows. @throws ConfigError if one of its ids is in use; ShapeError if a row is missing */
  return (run: RunSnapshots, next: RunSnapshots): number => {
    const [first] = run;
    if (!first) return 0;
    for (const { id } of run)
      if (rowsOf.get(id) !== undefined)
        throw new ConfigError([`${path} already holds snapshot ${id}. Import into another database.`]);
    const instants = run.map(({ takenAt }) => takenAt);
    const finishedAt = Math.max(...instants);
    const { failures } = history.finish(claim(first), {
      dataset,
      snapshots: run.map((one) => (dataset.mode === "snapshot" ? pastSnapshot(dataset, one, next) : pastBatch(one))),
      failures: [],
      skipped: false,
      cause: causes.imported,
      finishedAt,
      requests: 0,
      retries: 0,
      spreadMs: run.length < 2 ? null : finishedAt - Math.min(...instants),
      skewMs: null,
    });
    if (failures[0]) throw new ShapeError(file.path, `${first.place} and after`, failures[0].message);
    for (const { id, place, items, zeros } of run)
      if (rowsOf.get(id) !== items.length + zeros.length)
        throw new ShapeError(
          file.path,
          place,
          dataset.mode === "snapshot"
            ? `snapshot ${id} lacks the row of zeros of a coin that was listed before`
            : `snapshot ${id} repeats a record`,
        );
    return run.reduce((rows, { items, zeros }) => rows + items.length + zeros.length, 0);
  };

  /** Claims the first free slot from the time of the snapshot on, since two snapshots may have the same time. Returns the run. */
  function claim({ account, takenAt }: ImportedSnapshot): number {
    for (let slot = takenAt; ; slot += 1) {
      const id = ledger.claim(account, dataset.name, slot, slot, "demand");
      if (id !== null) return id;
    }
  }
}

/** Returns a batch of records. How far was read is not exported, so the next run reads everything again, and stores what is missing. */
const pastBatch = ({ id, scope, takenAt, items, versions }: ImportedSnapshot): PastRecordBatch => ({
  ...{ id, scope, takenAt, items, versions },
  reading: { through: 0, window: null, hole: null },
});

/**
 * Returns a snapshot with its rows of zeros assigned: to listed items where the next run contains the coin too, else to removed ones.
 * Where this cannot be decided, both give the same rows.
 */
function pastSnapshot(dataset: Dataset, one: ImportedSnapshot, next: RunSnapshots): PastSnapshot {
  const { id, scope, takenAt, items, zeros } = one;
  const after = keysIn(dataset, next, scope);
  const isListed = (item: Item) => after.has(keyOf(dataset, item));
  return {
    id,
    scope,
    takenAt,
    items: [...items, ...zeros.filter(isListed)],
    removed: zeros.filter((item) => !isListed(item)),
  };
}

function keysIn(dataset: Dataset, run: RunSnapshots, scope: Scope): Set<string> {
  const found = run.find((one) => one.scope === scope);
  return new Set([...(found?.items ?? []), ...(found?.zeros ?? [])].map((item) => keyOf(dataset, item)));
}
