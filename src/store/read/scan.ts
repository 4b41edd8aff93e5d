/** Reads a history view faster than its SQL by following the versions of each item, so that no row needs an index lookup. */
import { snakeCase } from "../../core/columns.ts";
import type { Cell } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { Filter, RowFormat, Span } from "../history.ts";
import { instantText } from "../schema/encoding.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { createVersionCursor, type VersionCursor, type VersionTable, versionTablesOf } from "./version-cursor.ts";

/** Options of a scan. */
interface ScanOptions<T> extends Span, RowFormat<T> {
  filter: Filter;
  /** Snapshots by `taken_at` or by `snapshot_id`; the rows of one snapshot by their keys, in character order. */
  order: "taken" | "stored";
  /** Only rows that differ from the previous one of the same item. */
  changes: boolean;
}

/** Returns the column names of a dataset's history view. */
export const historyColumns = (sqlite: Sqlite, dataset: Dataset): string[] =>
  sqlite
    .prepare(`select * from ${layoutOf(dataset).prefix}_history limit 0`)
    .columns()
    .map(({ name }) => name);

/** Yields the rows of the history view, one array per snapshot, which is read when it is requested. */
export function* scanHistory<T>(sqlite: Sqlite, dataset: Dataset, options: ScanOptions<T>): Generator<T[][], void> {
  const parts = versionTablesOf(sqlite, layoutOf(dataset));
  const scan: Scan<T> = {
    ...options,
    parts,
    groups: groupColumns(historyColumns(sqlite, dataset), parts, options.join !== undefined),
    showsEnd: dataset.onRemoval === "zeroRow",
  };
  const scopes = findScopes(sqlite, dataset, options.filter);
  const followers = new Map(
    scopes.map((scope) => {
      const items = itemsOfScope(sqlite, dataset, scope.id, options.filter);
      return [
        scope.id,
        followScope(
          scan,
          items.map((item) => followItem(scan, { ...item, ...scope.cells })),
        ),
      ];
    }),
  );
  const ids = scopes.map(({ id }) => id);
  for (const snapshot of (options.order === "taken" ? snapshotsByTime : snapshotsById)(sqlite, ids, options)) {
    const rows = followers.get(snapshot.scopeId)?.(snapshot) ?? [];
    if (rows.length > 0) yield rows;
  }
}

/** Length of the first stretch that `selectRows` reads backwards; each further one is twice as long. Milliseconds. */
const minStretchMs = 60_000;

/**
 * Yields the rows that `SnapshotHistory.rows` describes. For the newest rows it reads stretches of increasing length from the end
 * until there are enough.
 */
export function* selectRows(
  sqlite: Sqlite,
  dataset: Dataset,
  filter: Filter,
  span: Span,
  { newest = Number.POSITIVE_INFINITY, changes = false } = {},
): Generator<Cell[], void> {
  function* within(from: number, to: number): Generator<Cell[], void> {
    const cell = (cell: Cell) => cell;
    for (const some of scanHistory(sqlite, dataset, { from, to, filter, order: "taken", changes, cell })) yield* some;
  }
  if (newest === Number.POSITIVE_INFINITY) return yield* within(span.from, span.to);
  const taken = sqlite.prepare("select min(taken_at), max(taken_at) from snapshot").raw();
  const [first, last] = taken.get() as [number | null, number | null];
  const from = Math.max(span.from, first ?? 0);
  let found: Cell[][] = [];
  let to = Math.min(span.to, (last ?? 0) + 1);
  for (let stretchMs = minStretchMs; found.length < newest && to > from; stretchMs *= 2) {
    const before = Math.max(from, to - stretchMs);
    found = [...within(before, to), ...found];
    to = before;
  }
  yield* found.slice(-newest);
}

/** A scan with what it needs of the dataset. */
interface Scan<T> extends ScanOptions<T> {
  parts: readonly VersionTable[];
  groups: readonly ColumnGroup[];
  /** A removed item has one last row. */
  showsEnd: boolean;
}

/** Adjacent columns whose cells change together: with a version, with the snapshot, or never. */
interface ColumnGroup {
  source: VersionTable | "snapshot" | "item";
  columns: string[];
}

const snapshotColumns = ["taken_at", "taken_at_ms", "snapshot_id"];

function groupColumns(columns: readonly string[], parts: readonly VersionTable[], joined: boolean): ColumnGroup[] {
  const groups: ColumnGroup[] = [];
  for (const name of columns) {
    const part = parts.find((part) => part.columns.includes(name));
    const source = part ?? (snapshotColumns.includes(name) ? "snapshot" : "item");
    const last = groups.at(-1);
    if (joined && last?.source === source && source !== "snapshot") last.columns.push(name);
    else groups.push({ source, columns: [name] });
  }
  return groups;
}

/** Returns a function that returns the rows of a snapshot of a scope; it is fastest if called in the order of snapshots. */
function followScope<T>({ groups, cell, changes }: Scan<T>, items: readonly FollowedItem<T>[]) {
  const placeOf = (name: string) => groups.findIndex(({ columns }) => columns[0] === name);
  const [textAt, msAt, idAt] = [placeOf("taken_at"), placeOf("taken_at_ms"), placeOf("snapshot_id")];
  return ({ id, takenAt }: SnapshotRow): T[][] => {
    const takenAtText = cell(instantText(takenAt), "taken_at");
    const takenAtMs = cell(BigInt(takenAt), "taken_at_ms");
    const snapshotId = cell(BigInt(id), "snapshot_id");
    const rows: T[][] = [];
    for (const item of items) {
      if (id < item.since || id >= item.next) item.moveTo(id);
      if (!item.isShown(id) || (changes && item.since !== id)) continue;
      const row = item.row.slice();
      row[textAt] = takenAtText;
      row[msAt] = takenAtMs;
      row[idAt] = snapshotId;
      rows.push(row);
    }
    return rows;
  };
}

/** An item at a snapshot; its row is in force from the snapshot `since` until before `next`. */
interface FollowedItem<T> {
  since: number;
  next: number;
  /** The cells of the view; those of the columns in `snapshotColumns` are to be replaced. */
  row: T[];
  isShown(snapshotId: number): boolean;
  moveTo(snapshotId: number): void;
}

function followItem<T>(scan: Scan<T>, known: Record<string, Cell>): FollowedItem<T> {
  const { parts, groups, cell, join, showsEnd } = scan;
  const followers = parts.map((part) => ({
    part,
    groups: [...groups.entries()]
      .filter(([, run]) => run.source === part)
      .map(([at, { columns }]) => ({ at, columns, places: columns.map((name) => part.columns.indexOf(name)) })),
    cursor: createVersionCursor(part, Number(known.id)),
    written: Number.NaN,
  }));
  const steady = followers[0]?.cursor as VersionCursor;
  const row = groups.map(({ columns }) => {
    const cells = columns.map((name) => cell(known[name] ?? null, name));
    return join ? join(cells) : (cells[0] as T);
  });
  const item: FollowedItem<T> = {
    since: 0,
    next: 0,
    row,
    isShown: (snapshotId) => steady.version?.[1] === 1 || (showsEnd && steady.since === snapshotId),
    moveTo(snapshotId) {
      item.since = 0;
      item.next = Number.POSITIVE_INFINITY;
      for (const one of followers) {
        const { part, cursor } = one;
        if (snapshotId >= cursor.next || snapshotId < cursor.since) cursor.moveTo(snapshotId);
        if (cursor.since > item.since) item.since = cursor.since;
        if (cursor.next < item.next) item.next = cursor.next;
        if (one.written === cursor.since) continue;
        one.written = cursor.since;
        const values = cursor.version ? part.values(cursor.version) : [];
        for (const { at, columns, places } of one.groups) {
          const made = cell(values[places[0] as number] ?? null, columns[0] as string);
          if (places.length === 1 || !join) row[at] = made;
          else
            row[at] = join([
              made,
              ...places.slice(1).map((place, n) => cell(values[place] ?? null, columns[n + 1] as string)),
            ]);
        }
      }
    },
  };
  return item;
}

interface ScopeRow {
  id: number;
  /** The cells that all rows of the scope have in common. */
  cells: Record<string, Cell>;
}

function findScopes(sqlite: Sqlite, dataset: Dataset, { account, product_type }: Filter): ScopeRow[] {
  const rows = sqlite
    .prepare<unknown[], { id: number; account: string; product_type: string | null }>(
      `select p.id, a.name as account, nullif(p.product_type, '') as product_type
       from series e join account a on a.id = e.account_id join scope p on p.series_id = e.id
       where e.dataset = @dataset and (@account is null or a.name = @account)
         and (@productType is null or p.product_type = @productType)
       order by p.id`,
    )
    .all({ dataset: dataset.name, account: account ?? null, productType: product_type ?? null });
  return rows.map(({ id, ...cells }) => ({ id, cells }));
}

interface SnapshotRow {
  id: number;
  scopeId: number;
  takenAt: number;
}

/** Number of snapshots read at once, so that no statement stays open. */
const chunk = 1000;

/** Yields the good snapshots of all scopes by `taken_at`. */
function snapshotsByTime(sqlite: Sqlite, scopes: readonly number[], span: Span): Iterable<SnapshotRow> {
  const [first, ...others] = scopes;
  return first !== undefined && others.length === 0
    ? snapshotsOfScope(sqlite, first, span)
    : mergeByTime(sqlite, scopes, span);
}

function* mergeByTime(sqlite: Sqlite, scopes: readonly number[], span: Span): Generator<SnapshotRow, void> {
  const heads = scopes.map((id) => {
    const rest = snapshotsOfScope(sqlite, id, span);
    return { rest, next: rest.next().value };
  });
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) if (head.next && (!first?.next || isBefore(head.next, first.next))) first = head;
    if (!first?.next) return;
    yield first.next;
    first.next = first.rest.next().value;
  }
}

const isBefore = (one: SnapshotRow, other: SnapshotRow): boolean =>
  one.takenAt < other.takenAt || (one.takenAt === other.takenAt && one.id < other.id);

function* snapshotsOfScope(sqlite: Sqlite, scopeId: number, { from, to }: Span): Generator<SnapshotRow, undefined> {
  const next = sqlite.prepare<unknown[], [id: number, takenAt: number]>(
    `select id, taken_at from snapshot
     where scope_id = ? and (taken_at, id) > (?, ?) and taken_at < ? and error_code is null
     order by taken_at, error_code, id limit ${chunk}`, // as the index has them
  );
  next.raw();
  let last: [id: number, takenAt: number] | undefined = [Number.MAX_SAFE_INTEGER, from - 1];
  while (last) {
    const [afterId, after] = last;
    const found = next.all(scopeId, after, afterId, to);
    for (const [id, takenAt] of found) yield { id, scopeId, takenAt };
    last = found.length === chunk ? found.at(-1) : undefined;
  }
}

/** Yields the good snapshots of all scopes by `snapshot_id`. */
function* snapshotsById(sqlite: Sqlite, scopes: readonly number[], { from, to }: Span): Generator<SnapshotRow, void> {
  const good = `scope_id in (${scopes.join(", ")}) and taken_at >= ? and taken_at < ? and error_code is null`;
  // Read from the index by scope and time, so that a day costs no more in a long history.
  const bounds = sqlite.prepare<unknown[], [number | null, number | null]>(
    `select min(id), max(id) from snapshot where ${good}`,
  );
  const [first, end] = bounds.raw().get(from, to) ?? [null, null];
  if (first === null || end === null) return;
  // The `+` stops SQLite from using that index and sorting the result.
  const next = sqlite
    .prepare<unknown[], [id: number, scopeId: number, takenAt: number]>(
      `select id, scope_id, taken_at from snapshot
       where id > ? and id <= ? and +${good} order by id limit ${chunk}`,
    )
    .raw();
  let last: number | undefined = first - 1;
  while (last !== undefined) {
    const found: [id: number, scopeId: number, takenAt: number][] = next.all(last, end, from, to);
    for (const [id, scopeId, takenAt] of found) yield { id, scopeId, takenAt };
    last = found.length === chunk ? found.at(-1)?.[0] : undefined;
  }
}

/** Returns the items of a scope with their id and key, by column name, in the order of their keys. */
function itemsOfScope(sqlite: Sqlite, dataset: Dataset, scopeId: number, filter: Filter): Record<string, Cell>[] {
  const { prefix, key } = layoutOf(dataset);
  const keys = key.map(snakeCase);
  const chosen = Object.entries(filter).filter(([name]) => keys.includes(name));
  return sqlite
    .prepare<unknown[], Record<string, Cell>>(
      `select ${["id", ...keys].join(", ")} from ${prefix}_item
       where scope_id = ?${chosen.map(([name]) => ` and ${name} = ?`).join("")} order by ${[...keys, "id"].join(", ")}`,
    )
    .all(scopeId, ...chosen.map(([, value]) => value));
}
