/** Stores in directories of their own, and short ways to feed and read them. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { systemClock } from "../../src/clock.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { datasetNamed, datasets } from "../../src/datasets/index.ts";
import type { Extra, FailedSnapshot, Item, Row, Scope, Snapshot } from "../../src/domain.ts";
import { createLog } from "../../src/log.ts";
import { openStore, type RunEnd, type Store } from "../../src/store/store.ts";

export const quiet = createLog({ level: "silent", format: "json", secrets: [], write: () => {} });

/** 2026-11-01T00:00:00Z. */
export const start = 1_793_491_200_000;
export const minute = 60_000;

const directories: string[] = [];
const stores: Store[] = [];

/** For `afterEach`. */
export function tidyUp(): void {
  for (const store of stores.splice(0)) {
    try {
      store.close();
    } catch {
      // Closed by the test.
    }
  }
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export function temporaryPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "store-"));
  directories.push(directory);
  return join(directory, "collector.db");
}

export async function open(path: string): Promise<Store> {
  const store = await openStore({ path, datasets, log: quiet, clock: systemClock });
  stores.push(store);
  return store;
}

/** A row with null in every column that is not given. */
export const rowOf = (dataset: Dataset, cells: Row): Row => ({
  ...Object.fromEntries(Object.keys(dataset.columns).map((name) => [name, null])),
  ...cells,
});

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
export async function collect(store: Store, dataset: Dataset, slot: number, end: Partial<RunEnd>, account = "main") {
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
    skipped: false,
  };
  return store.finish(run, { ...rest, ...end });
}

/** Reads with a connection of its own, as any program would. */
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

/** Forty coins whose amounts are all `amount`. */
export const coins = (amount: number): Item[] =>
  Array.from({ length: 40 }, (_, n) =>
    item(datasetNamed("spot-assets"), { coin: `COIN${n}`, available: String(amount) }),
  );

/** Starts a program of test/store/children on a database. */
export const child = (name: string, path: string) =>
  spawn(process.execPath, ["--import", "tsx", join(import.meta.dirname, "children", `${name}.ts`), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
