/** Rebuilds every snapshot from its versioned rows and compares it with the digest of what was received. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { snakeCase } from "../../core/columns.ts";
import type { Value } from "../../core/domain.ts";
import { failureDigest, matchesDigest, type SnapshotHeader, snapshotDigest } from "../schema/digest.ts";
import { unpackHex } from "../schema/encoding.ts";
import { columnOf, type ItemParts, itemDigestLine, type StorageLayout, selection } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Report, ScopeRow } from "./problem.ts";

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

/** Returns every scope, in the order of the ids. */
export function scopesOf(sqlite: Sqlite): ScopeRow[] {
  return sqlite
    .prepare(
      `select p.id, e.dataset, a.name as account, p.product_type as productType, p.latest
       from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id order by p.id`,
    )
    .all() as ScopeRow[];
}

/** Reports items whose rows all belong to another scope. */
export function checkItems(sqlite: Sqlite, { prefix }: StorageLayout, report: Report): void {
  const foreign = sqlite
    .prepare<[], number>(
      `select id from ${prefix}_item i where not exists (
         select 1 from ${prefix}_steady s join snapshot n on n.id = s.since
         where s.item_id = i.id and n.scope_id = i.scope_id
       ) limit 20`,
    )
    .pluck()
    .all();
  for (const id of foreign) report(`item ${id} (${prefix}_item.scope_id): none of its rows belongs to that scope`);
}

/** Reads the stored contents of a scope, snapshot by snapshot. */
export interface ScopeContents {
  /** The common prefix of its tables. */
  prefix: string;
  /** The view whose rows `snapshot.rows` counts. */
  view: string;
  /** Returns the contents of a good snapshot. Call it in ascending order of ids. */
  at(snapshotId: number): SnapshotContents;
  /** Reports rows after the last snapshot. */
  end(): void;
}

/** The stored contents of one good snapshot. */
export interface SnapshotContents {
  /** The canonical lines from which its digest is computed. */
  lines: string[];
  rows: number;
  /** Returns the keys of the items written with it. */
  written(): string[];
}

/** Checks the snapshots of a scope in ascending order against its contents. Calls `onSnapshot` after each. */
export function* checkScope(
  sqlite: Sqlite,
  scope: ScopeRow,
  contents: ScopeContents,
  report: Report,
  onSnapshot: () => void,
): Steps<void> {
  const { prefix, view } = contents;
  const series = `${scope.account} ${scope.dataset}`;
  let latest: number | null = null;
  let isFirst = true;
  for (const one of snapshotsOf(sqlite, scope.id)) {
    const reportSnapshot = (problem: string) => report(`${series}: snapshot ${one.id} ${problem}`, one.slot);
    if (one.seriesFits === 0) reportSnapshot("(snapshot.run_id): its run is of another series");
    // The digest of a good snapshot does not cover the error message.
    if (one.errorCode === null && one.errorMessage !== null)
      reportSnapshot("(snapshot.error_message): a good snapshot must have none");
    const cells: SnapshotHeader = [scope.dataset, scope.account, scope.productType, one.slot, one.takenAt];
    const content = one.errorCode === null ? contents.at(one.id) : null;
    if (content) latest = one.id;
    const digest = content
      ? snapshotDigest(cells, content.lines)
      : failureDigest(cells, one.errorCode ?? "", one.errorMessage ?? "");
    if (!matchesDigest(digest, one.digest)) {
      // An altered row affects the following snapshots too, so only the first problem names where to check.
      const where = isFirst ? whereToCheck(content?.written() ?? []) : "";
      reportSnapshot(`(${content ? prefix : "snapshot"}): is not what was received${where}`);
      isFirst = false;
    } else if (one.rows !== (content?.rows ?? 0)) {
      reportSnapshot(`(snapshot.rows): is ${one.rows}, but ${view} has ${content?.rows ?? 0} rows`);
    }
    onSnapshot();
    yield pause;
  }
  if (latest !== scope.latest) {
    const name = `${series} ${scope.productType}`.trim();
    report(`${name}: scope ${scope.id} (scope.latest) does not point to its last good snapshot`);
  }
  contents.end();
}

/** Returns the items of a scope of a snapshot dataset, by snapshot. */
export function itemContents(sqlite: Sqlite, layout: StorageLayout, scopeId: number, report: Report): ScopeContents {
  const { prefix, dataset } = layout;
  const items = itemsOf(sqlite, layout, scopeId, report);
  return {
    prefix,
    view: `${prefix}_history`,
    at(snapshotId) {
      const shown = items.map((item) => item(snapshotId)).filter((line) => line !== null);
      return {
        lines: shown.map(({ line }) => line),
        rows: shown.filter(({ present }) => present === 1 || dataset.onRemoval === "zeroRow").length,
        written: () => shown.filter(({ since }) => since === snapshotId).map(({ name }) => name),
      };
    },
    end() {
      for (const item of items) item(Number.POSITIVE_INFINITY);
    },
  };
}

const maxNames = 5;

/** The other values that the digest of a snapshot covers. */
const headerParts = "its header (account, series, scope, run, snapshot)";

/** Returns the end of a sentence that names what was written with a snapshot, and its header. */
function whereToCheck(written: readonly string[]): string {
  const names = written.slice(0, maxNames);
  if (written.length > maxNames) names.push(`${written.length - maxNames} more`);
  return `: check ${[...names, headerParts].join(", ")}`;
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

interface Line {
  /** The item's key. */
  name: string;
  present: 0 | 1;
  /** The snapshot with which any part of it was last written. */
  since: number;
  /** The canonical text. */
  line: string;
}

/** Returns an item as of a snapshot; null if it is not listed. Call it in ascending order of ids. */
type ItemReader = (snapshotId: number) => Line | null;

function itemsOf(sqlite: Sqlite, layout: StorageLayout, scopeId: number, report: Report): ItemReader[] {
  const { prefix, key, steady, moving, dataset } = layout;
  const rows = sqlite
    .prepare(`select ${["i.id", ...selection("i", key)].join(", ")} from ${prefix}_item i where i.scope_id = ?`)
    .raw()
    .all(scopeId) as [id: number, ...key: Value[]][];
  return rows.map(([id, ...keyValues]) => {
    const read = (part: string, columns: readonly StoredColumn[]) =>
      cursor(sqlite, `${prefix}_${part}`, columns, id, (since) =>
        report(
          `item ${id} (${prefix}_${part}.since): has a row since ${since}, which is not a good snapshot of its scope`,
        ),
      );
    const readSteady = read("steady", [{ name: "present", isAmount: false }, ...storedColumns(layout, steady)]);
    const readMoving = moving.length === 0 ? () => null : read("moving", storedColumns(layout, moving));
    const readExtra = read("extra", [{ name: "fields", isAmount: false }]);
    let last: Line | null = null;
    return (snapshotId) => {
      const s = readSteady(snapshotId);
      const m = readMoving(snapshotId);
      const x = readExtra(snapshotId);
      if (!s || (s.values[0] === 0 && s.since !== snapshotId)) return null;
      const since = Math.max(s.since, m?.since ?? 0, x?.since ?? 0);
      if (last?.since === since) return last;
      const [stored, ...steadyValues] = s.values;
      const present = stored as 0 | 1;
      const hasEnded = present === 0 && dataset.onRemoval === "end";
      const parts: ItemParts = {
        key: keyValues,
        steady: steadyValues,
        moving: moving.map((_, at) => (hasEnded ? null : (m?.values[at] ?? null))),
        extra: (x?.values[0] ?? null) as string | null,
      };
      last = { name: keyValues.join(" "), present, since, line: itemDigestLine(layout, present, parts) };
      return last;
    };
  });
}

interface StoredColumn {
  name: string;
  isAmount: boolean;
}

const storedColumns = (layout: StorageLayout, names: readonly string[]): StoredColumn[] =>
  names.map((name) => ({ name: snakeCase(name), isAmount: columnOf(layout, name).kind === "decimal" }));

interface Version {
  since: number;
  values: Value[];
}

type Follow = (snapshotId: number) => Version | null;

/** Returns a function that returns the version of an item as of a snapshot. Calls `onStray` for versions that begin at no snapshot. */
function cursor(
  sqlite: Sqlite,
  table: string,
  columns: readonly StoredColumn[],
  id: number,
  onStray: (since: number) => void,
): Follow {
  const selected = columns.map(({ name, isAmount }) => (isAmount ? `hex(${name})` : name));
  const versions = sqlite
    .prepare(`select ${["since", ...selected].join(", ")} from ${table} where item_id = ? order by since`)
    .raw()
    .iterate(id) as IterableIterator<[since: number, ...cells: Value[]]>;
  // hex(NULL) is an empty text.
  const read = (cell: Value, at: number): Value => (columns[at]?.isAmount ? unpackHex(String(cell)) || null : cell);
  let current: Version | null = null;
  let next = versions.next();
  return (snapshotId) => {
    while (!next.done && next.value[0] <= snapshotId) {
      const [since, ...cells] = next.value;
      if (since !== snapshotId) onStray(since);
      current = { since, values: cells.map(read) };
      next = versions.next();
    }
    return current;
  };
}
