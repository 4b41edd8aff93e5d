/** Parses stored raw responses with the current parser, and finds the stored rows that would differ. */
import { snakeCase } from "../../core/columns.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import type { ScopeState } from "../schema/storage-layout.ts";
import { type ItemParts, layoutOf, type StorageLayout } from "../schema/storage-layout.ts";
import { createStateReader } from "../snapshots/dataset-tables.ts";
import { openReadOnly, type Sqlite } from "../sqlite/database.ts";
import { openRawReader, rawFile } from "./archive-file.ts";
import {
  type Difference,
  type Finding,
  failureOf,
  parserCodes,
  type Replayed,
  type StoredSnapshot,
} from "./comparison.ts";
import { ComputedError, prepareReparse } from "./reparse.ts";
import { prepareRecordComparison } from "./replay-records.ts";

/** Describes the raw responses that are kept of a dataset. */
export interface KeptResponses {
  /** Slots of the first and the last one, epoch ms. */
  first: number;
  last: number;
  /** The number of snapshots since the first. */
  snapshots: number;
}

/** Returns which raw responses are kept of a dataset; null if there are none. @throws ConfigError if a file cannot be read */
export function keptResponses(path: string, dataset: AnyDataset): KeptResponses | null {
  const [kept] = reading(path, function* (sqlite, raw) {
    const [first, last] = raw
      .prepare("select min(slot), max(slot) from answer where source_id in (select id from source where dataset = ?)")
      .raw()
      .get(dataset.name) as [number, number] | [null, null];
    if (first === null) return;
    const count = sqlite.prepare(`select count(*) ${snapshots}`).pluck();
    yield { first, last, snapshots: Number(count.get({ dataset: dataset.name, from: first })) };
  });
  return kept ?? null;
}

/**
 * Parses the responses of a dataset again, from slot `from` on (epoch ms), and yields the result of every snapshot, good or failed, by
 * id; yields nothing if no responses are kept. Writes nothing. The coins for which `prices` were requested are not kept, so those in
 * the snapshot are used. @throws ConfigError if a file cannot be read
 */
export const replay = (path: string, dataset: AnyDataset, from: number): Generator<Replayed, void> =>
  reading(path, function* (sqlite, raw) {
    const compareStored =
      dataset.mode === "snapshot"
        ? prepareComparison(sqlite, raw, dataset)
        : prepareRecordComparison(sqlite, raw, dataset);
    for (const snapshot of snapshotsFrom(sqlite, dataset, from)) {
      const { id: snapshotId, scopeId, account, productType, slot } = snapshot;
      const found = compareStored(snapshot);
      yield { snapshotId, scopeId, account, productType, slot, differences: [], problem: null, ...found };
    }
  });

/** Returns a function that compares a snapshot with its response. */
function prepareComparison(sqlite: Sqlite, raw: Sqlite, dataset: Dataset): (snapshot: StoredSnapshot) => Finding {
  const reparse = prepareReparse(raw, dataset);
  const stateAt = createStateReader(sqlite, layoutOf(dataset));
  return (snapshot) => compare(layoutOf(dataset), snapshot, reparse, () => stateAt(snapshot.id));
}

/** Opens the database and its raw responses, and closes them after `read`; yields nothing if no responses are kept. */
function* reading<T>(path: string, read: (sqlite: Sqlite, raw: Sqlite) => Generator<T, void>): Generator<T, void> {
  const sqlite = openReadOnly(path);
  let raw: Sqlite | null = null;
  try {
    raw = openRawReader(rawFile(path));
    if (raw) yield* read(sqlite, raw);
  } finally {
    raw?.close();
    sqlite.close();
  }
}

type Reparse = ReturnType<typeof prepareReparse>;

/** The largest accepted difference between the exchange's clock and this machine's. Milliseconds. */
const maxClockGapMs = 600_000;

const snapshots = `
  from series e join account a on a.id = e.account_id join scope p on p.series_id = e.id
    join snapshot n on n.scope_id = p.id and n.taken_at >= @from - ${maxClockGapMs} join run r on r.id = n.run_id
  where e.dataset = @dataset and r.slot >= @from`;

function snapshotsFrom(sqlite: Sqlite, dataset: AnyDataset, from: number): IterableIterator<StoredSnapshot> {
  return sqlite
    .prepare(
      `select n.id, n.scope_id as scopeId, a.name as account, p.product_type as productType, r.slot, n.taken_at as takenAt, n.error_code as errorCode
       ${snapshots} order by n.id`,
    )
    .iterate({ dataset: dataset.name, from }) as IterableIterator<StoredSnapshot>;
}

function compare(
  layout: StorageLayout,
  snapshot: StoredSnapshot,
  reparse: Reparse,
  stateAt: () => ScopeState,
): Finding {
  const { errorCode, takenAt } = snapshot;
  const stored = errorCode === null ? rowsIn(stateAt()) : null;
  try {
    const reparsed = reparse(snapshot, stored);
    if (reparsed === null) return { outcome: "no response" };
    if (stored === null) return { outcome: parserCodes.includes(errorCode ?? "") ? "readable" : "other failure" };
    const differences = [...differencesOf(layout, stored, reparsed.rows)];
    const { requestTime } = reparsed;
    if (requestTime && requestTime !== takenAt)
      differences.push({ item: "", field: "taken_at", stored: takenAt, reparsed: requestTime });
    return { outcome: differences.length > 0 ? "different" : "same", differences };
  } catch (error) {
    if (error instanceof ComputedError) return { outcome: "computed" };
    const { code, problem } = failureOf(error);
    if (stored !== null) return { outcome: "rejected", problem };
    return { outcome: code === errorCode ? "same" : "other failure" };
  }
}

/** Returns the rows of a snapshot without the last rows of removed items. */
export const rowsIn = (state: ScopeState): Map<string, ItemParts> =>
  new Map([...state].filter(([, { present }]) => present === 1).map(([key, { parts }]) => [key, parts]));

function* differencesOf(
  layout: StorageLayout,
  stored: ReadonlyMap<string, ItemParts>,
  reparsed: ReadonlyMap<string, ItemParts>,
): Generator<Difference, void> {
  const fields = [...layout.steady.map(snakeCase), ...layout.moving.map(snakeCase), "extra"];
  const cells = ({ steady, moving, extra }: ItemParts) => [...steady, ...moving, extra];
  for (const key of new Set([...stored.keys(), ...reparsed.keys()])) {
    const was = stored.get(key);
    const is = reparsed.get(key);
    const item = (was ?? is)?.key.join(" ") ?? "";
    if (!was || !is) {
      yield { item, field: "row", stored: was ? "there" : null, reparsed: is ? "there" : null };
      continue;
    }
    const now = cells(is);
    for (const [at, value] of cells(was).entries())
      if (value !== now[at]) yield { item, field: fields[at] ?? "", stored: value, reparsed: now[at] ?? null };
  }
}
