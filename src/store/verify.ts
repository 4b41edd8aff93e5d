/** Reads a whole database back and says where it is not what was received. */
import Database from "better-sqlite3";
import type { Dataset } from "../datasets/dataset.ts";
import type { Value } from "../domain.ts";
import { readCell } from "./cells.ts";
import { digestOf, failureDigestOf, type Heading, itemLine } from "./digest.ts";
import { type Layout, layoutOf, selection } from "./layout.ts";
import { isLocked } from "./lock.ts";
import { openReadOnly, type Sqlite } from "./sqlite.ts";

export interface Verification {
  /** One sentence each, the first twenty; empty if everything is as received. */
  problems: string[];
  runs: number;
  snapshots: number;
  /** Rows that the history views show. */
  rows: number;
}

const mostProblems = 20;
const snapshotsPerBreath = 200;

interface ScopeRow {
  id: number;
  dataset: string;
  account: string;
  productType: string;
  latest: number | null;
}

interface SnapshotRow {
  id: number;
  slot: number;
  takenAt: number;
  rows: number;
  digest: Buffer;
  errorCode: string | null;
  errorMessage: string | null;
  seriesFits: 0 | 1;
}

/**
 * Recomputes the digest of every snapshot from the stored rows, and checks counts, pages, foreign keys and the ledger.
 * `onProgress` is called with snapshots done and in all. The database may be in use meanwhile.
 */
export async function verify(
  path: string,
  datasets: readonly Dataset[],
  onProgress?: (done: number, total: number) => void,
): Promise<Verification> {
  const sqlite = openReadOnly(path);
  const problems: string[] = [];
  const report = (problem: string) => {
    if (problems.length < mostProblems) problems.push(problem);
  };
  try {
    sqlite.exec("begin");
    const count = (query: string) => Number(sqlite.prepare(query).pluck().get());
    const total = count("select count(*) from snapshot");
    checkPages(sqlite, report);
    checkLedger(sqlite, report, isLocked(path));
    let done = 0;
    for (const scope of scopesOf(sqlite)) {
      const dataset = datasets.find(({ name }) => name === scope.dataset);
      if (!dataset) {
        report(`${scope.dataset}: no such dataset in this program`);
        continue;
      }
      for (const _ of checkScope(sqlite, layoutOf(dataset), scope, report)) {
        done += 1;
        if (done % snapshotsPerBreath !== 0) continue;
        onProgress?.(done, total);
        await new Promise((resume) => setImmediate(resume));
      }
    }
    onProgress?.(done, total);
    const rows = count("select coalesce(sum(rows), 0) from snapshot");
    return { problems, runs: count("select count(*) from run"), snapshots: total, rows };
  } catch (error) {
    // A page that cannot be read ends the reading, but is a finding and no failure of ours.
    if (!(error instanceof Database.SqliteError)) throw error;
    problems.push(`reading ended early: ${error.message}`);
    return { problems, runs: 0, snapshots: 0, rows: 0 };
  } finally {
    sqlite.close();
  }
}

function checkPages(sqlite: Sqlite, report: (problem: string) => void): void {
  for (const { integrity_check: result } of sqlite.pragma("integrity_check(5)") as { integrity_check: string }[]) {
    if (result !== "ok") report(`integrity_check: ${result}`);
  }
  for (const { table, parent } of sqlite.pragma("foreign_key_check") as { table: string; parent: string }[]) {
    report(`${table}: a row refers to a row of ${parent} that is not there`);
  }
}

function checkLedger(sqlite: Sqlite, report: (problem: string) => void, inUse: boolean): void {
  const odd = sqlite
    .prepare(
      `select r.id, r.state, r.rows as claimed, coalesce(n.shown, 0) as stored,
         coalesce(n.every, 0) as snapshots, coalesce(n.failed, 0) as failures
       from run r left join (
         select run_id, sum(rows) as shown, count(*) as every, count(error_code) as failed
         from snapshot group by run_id
       ) n on n.run_id = r.id
       where case r.state
         when 'ok' then failures > 0 or snapshots = 0
         when 'partial' then failures = 0 or snapshots = failures
         when 'failed' then snapshots > failures
         when 'running' then snapshots > 0 or ${inUse ? 0 : 1}
         else snapshots > 0 end or coalesce(claimed, 0) <> stored`,
    )
    .iterate() as IterableIterator<{ id: number; state: string; claimed: number | null; stored: number }>;
  for (const { id, state, claimed, stored } of odd) {
    if (claimed !== null && claimed !== stored) report(`run ${id}: says ${claimed} rows, its snapshots have ${stored}`);
    else if (state === "running") report(`run ${id}: still running, though nobody collects`);
    else report(`run ${id}: its snapshots do not make it ${state}`);
  }
}

function scopesOf(sqlite: Sqlite): ScopeRow[] {
  return sqlite
    .prepare(
      `select p.id, e.dataset, a.name as account, p.product_type as productType, p.latest
       from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id order by p.id`,
    )
    .all() as ScopeRow[];
}

/** Walks through the snapshots of a scope in their order, its items keeping pace. Yields after each. */
function* checkScope(sqlite: Sqlite, layout: Layout, scope: ScopeRow, report: (problem: string) => void) {
  const { prefix, dataset } = layout;
  const items = itemsOf(sqlite, layout, scope.id, report);
  let latest: number | null = null;
  for (const one of snapshotsOf(sqlite, scope.id)) {
    const name = `${dataset.name}: snapshot ${one.id}`;
    if (one.seriesFits === 0) report(`${name}: its run is of another series`);
    const heading: Heading = [dataset.name, scope.account, scope.productType, one.slot, one.takenAt];
    let digest: Buffer;
    if (one.errorCode !== null) {
      digest = failureDigestOf(heading, one.errorCode, one.errorMessage ?? "");
      if (one.rows !== 0) report(`${name}: failed, but says ${one.rows} rows`);
    } else {
      latest = one.id;
      const shown = items.map((item) => item(one.id)).filter((line) => line !== null);
      digest = digestOf(
        heading,
        shown.map(({ line }) => line),
      );
      const rows = shown.filter(({ present }) => present === 1 || dataset.vanishes === "zero").length;
      if (rows !== one.rows) report(`${name}: says ${one.rows} rows, ${prefix}_history has ${rows}`);
    }
    if (!digest.equals(one.digest)) report(`${name} (${prefix}): is not what was received`);
    yield;
  }
  if (latest !== scope.latest) report(`${dataset.name}: scope ${scope.id} does not point to its last good snapshot`);
  for (const item of items) item(Number.POSITIVE_INFINITY);
}

function snapshotsOf(sqlite: Sqlite, scopeId: number): IterableIterator<SnapshotRow> {
  return sqlite
    .prepare(
      `select n.id, r.slot, n.taken_at as takenAt, n.rows, n.digest, n.error_code as errorCode,
         n.error_message as errorMessage, r.series_id = p.series_id as seriesFits
       from snapshot n join run r on r.id = n.run_id join scope p on p.id = n.scope_id
       where n.scope_id = ? order by n.id`,
    )
    .iterate(scopeId) as IterableIterator<SnapshotRow>;
}

/** What an item says at a snapshot: its canonical line, or null where it says nothing. To be called in their order. */
type ItemReader = (snapshotId: number) => { present: 0 | 1; line: string } | null;

function itemsOf(sqlite: Sqlite, layout: Layout, scopeId: number, report: (problem: string) => void): ItemReader[] {
  const { prefix, key, steady, moving, dataset } = layout;
  const rows = sqlite
    .prepare(`select ${["i.id", ...selection("i", key)].join(", ")} from ${prefix}_item i where i.scope_id = ?`)
    .raw()
    .all(scopeId) as [id: number, ...key: Value[]][];
  return rows.map(([id, ...keyValues]) => {
    const read = (part: string, columns: string[]) =>
      cursor(sqlite, `${prefix}_${part}`, columns, id, (since) =>
        report(`${prefix}_${part}: item ${id} has a row since ${since}, which is no good snapshot of its scope`),
      );
    const readSteady = read("steady", ["v.present", ...selection("v", steady)]);
    const readMoving = moving.length === 0 ? () => null : read("moving", selection("v", moving));
    const readExtra = read("extra", ["v.fields"]);
    return (snapshotId) => {
      const s = readSteady(snapshotId);
      const m = readMoving(snapshotId);
      const x = readExtra(snapshotId);
      if (!s || (s.values[0] === 0 && s.since !== snapshotId)) return null;
      const [present, ...steadyValues] = s.values;
      const ended = present === 0 && dataset.vanishes === "nothing";
      const movingValues = moving.map((_, at) => (ended ? null : (m?.values[at] ?? null)));
      const line = itemLine(
        present as 0 | 1,
        [...keyValues, ...steadyValues, ...movingValues],
        (x?.values[0] ?? null) as string | null,
      );
      return { present: present as 0 | 1, line };
    };
  });
}

interface Version {
  since: number;
  values: Value[];
}

/** Follows the versions of an item; `onStray` hears of those that begin between the snapshots. */
function cursor(sqlite: Sqlite, table: string, columns: string[], id: number, onStray: (since: number) => void) {
  const versions = sqlite
    .prepare(`select ${["v.since", ...columns].join(", ")} from ${table} v where v.item_id = ? order by v.since`)
    .raw()
    .iterate(id) as IterableIterator<[since: number, ...cells: unknown[]]>;
  let current: Version | null = null;
  let next = versions.next();
  return (snapshotId: number): Version | null => {
    while (!next.done && next.value[0] <= snapshotId) {
      const [since, ...cells] = next.value;
      if (since !== snapshotId) onStray(since);
      current = { since, values: cells.map(readCell) };
      next = versions.next();
    }
    return current;
  };
}
