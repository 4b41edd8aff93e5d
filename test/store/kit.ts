/** Helpers to write and read a store, in tests and in other programs. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { systemClock } from "../../src/core/clock.ts";
import type { Extra, FailedSnapshot, Item, Row, Scope, Snapshot } from "../../src/core/domain.ts";
import { createLog } from "../../src/core/log.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import type { AnyDataset } from "../../src/datasets/incremental.ts";
import { datasets, snapshotDatasetNamed } from "../../src/datasets/index.ts";
import { openStore, type SqliteStore } from "../../src/store/open.ts";
import type { RunEnd, Store } from "../../src/store/store.ts";
import { rowOf } from "../support/rows.ts";

export const quiet = createLog({ level: "silent", format: "json", secrets: [], write: () => {} });

/** 2026-11-01T00:00:00Z. */
export const start = 1_793_491_200_000;
export const minute = 60_000;

/** Opens a store without log lines, as the program does: it creates what does not exist. The caller closes it. */
export const createAt = (path: string): Promise<SqliteStore> =>
  openStore({ path, datasets, log: quiet, clock: systemClock });

/** As `createAt`, but what does not exist begins as a copy. */
export async function storeAt(path: string): Promise<SqliteStore> {
  await provideHistory(path);
  return createAt(path);
}

let empty: Buffer | undefined;

/** Makes the path an empty history unless there is a file: a copy, because creating one takes longer than most tests. */
export async function provideHistory(path: string): Promise<void> {
  if (existsSync(path)) return;
  empty ??= await createEmpty();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, empty, { mode: 0o600 });
}

async function createEmpty(): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "collector-empty-"));
  const path = join(folder, "collector.db");
  try {
    (await createAt(path)).close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const item = (dataset: Dataset, cells: Row, extra: Extra = null): Item => ({
  row: rowOf(dataset, cells),
  extra,
});

export const good = (items: Item[], takenAt: number, scope: Scope = null): Snapshot => ({ scope, takenAt, items });

export const failed = (code: string, takenAt: number, scope: Scope = null): FailedSnapshot => ({
  scope,
  takenAt,
  code,
  message: `no answer: ${code}`,
});

/** Claims a slot and ends its run. */
export async function collect(store: Store, dataset: AnyDataset, slot: number, end: Partial<RunEnd>, account = "main") {
  const run = await store.begin(account, dataset.name, slot, slot + 20);
  if (run === null) throw new Error(`slot ${slot} is taken`);
  const rest: RunEnd = {
    dataset,
    snapshots: [],
    failures: [],
    cause: null,
    finishedAt: slot + 300,
    requests: 1,
    retries: 0,
    spreadMs: null,
    skewMs: 12,
    skipped: false,
  };
  const { state } = await store.finish(run, { ...rest, ...end });
  return state;
}

/** Returns the rows of a query on a separate connection, as another program would read them. */
export function query(path: string, sql: string): Record<string, unknown>[] {
  const sqlite = new Database(path, { readonly: true });
  try {
    return sqlite.prepare(sql).all() as Record<string, unknown>[];
  } finally {
    sqlite.close();
  }
}

export function change(path: string, sql: string): number {
  const sqlite = new Database(path);
  try {
    sqlite.pragma("foreign_keys = OFF");
    return sqlite.prepare(sql).run().changes;
  } finally {
    sqlite.close();
  }
}

/** Returns forty coins, each with this amount. */
export const coins = (amount: number): Item[] =>
  Array.from({ length: 40 }, (_, n) =>
    item(snapshotDatasetNamed("spot-assets"), { coin: `COIN${n}`, available: String(amount) }),
  );
