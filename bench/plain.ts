/** The baseline: a row of text for each item of each snapshot, with one table and one index per dataset. */
import Database from "better-sqlite3";
import { snakeCase } from "../src/core/columns.ts";
import type { Snapshot } from "../src/core/domain.ts";
import type { Dataset } from "../src/datasets/dataset.ts";
import { prefixOf } from "../src/store/schema/tables.ts";
import { hasProductTypes } from "../src/store/schema/views.ts";

export type Snapshots = readonly (readonly [Dataset, readonly Snapshot[]])[];

export interface Plain {
  /** Adds rows in one transaction. */
  add(all: Snapshots): void;
  close(): void;
}

/** Creates the database; the account is always `main`. */
export function openPlain(path: string, datasets: readonly Dataset[]): Plain {
  const sqlite = new Database(path);
  sqlite.pragma("journal_mode = WAL");
  const inserters = new Map(datasets.map((dataset) => [dataset, inserter(sqlite, dataset)]));
  return {
    add: sqlite.transaction((all: Snapshots) => {
      for (const [dataset, snapshots] of all) for (const one of snapshots) inserters.get(dataset)?.(one);
    }),
    close() {
      sqlite.pragma("wal_checkpoint(TRUNCATE)");
      sqlite.close();
    },
  };
}

/** Creates the table of a dataset, with the published columns of its history view except `snapshot_id`, and returns a function that inserts. */
function inserter(sqlite: Database.Database, dataset: Dataset): (snapshot: Snapshot) => void {
  const table = prefixOf(dataset);
  const names = Object.keys(dataset.columns);
  const published = names.slice(0, names.indexOf(dataset.stableThrough) + 1);
  const scoped = hasProductTypes(dataset);
  const columns = ["account", "taken_at", ...(scoped ? ["product_type"] : []), ...published.map(snakeCase)];
  const indexed = ["account", ...dataset.key.slice(0, 1).map(snakeCase), "taken_at"];
  sqlite.exec(`create table ${table} (${columns.map((column) => `${column} text`).join(", ")})`);
  sqlite.exec(`create index ${table}_item on ${table} (${indexed.join(", ")})`);
  const insert = sqlite.prepare(`insert into ${table} values (${columns.map(() => "?").join(", ")})`);
  return ({ scope, takenAt, items }) => {
    const first = ["main", new Date(takenAt).toISOString(), ...(scoped ? [scope] : [])];
    for (const { row } of items) {
      const texts = published.map((name) => {
        const value = row[name] ?? null;
        return dataset.columns[name]?.kind === "millis" && value !== null ? new Date(value).toISOString() : value;
      });
      insert.run(...first, ...texts);
    }
  };
}
