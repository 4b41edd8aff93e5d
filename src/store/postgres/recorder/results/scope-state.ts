/** Reads and writes the items of snapshots, and keeps the state of every scope in memory, against which the next snapshot is compared. */
import { snakeCase } from "../../../../core/columns.ts";
import type { DecimalString, Value } from "../../../../core/domain.ts";
import type { OpenEpisodes } from "../../../positions/episodes.ts";
import {
  currentItem,
  keyText,
  type ScopeState,
  type StorageLayout,
  selection,
} from "../../../schema/storage-layout.ts";
import { type RowChange, writesOf } from "../../../snapshots/change-set.ts";
import { rowKey } from "../../cells.ts";
import type { Connection } from "../../connection.ts";
import { insertRows, insertWithIds, oddDigitsIn } from "../rows.ts";
import { EpisodeRows } from "./episodes.ts";

/** The state of a scope as of its good snapshot `latest`; null before the first. It is replaced, never changed. */
export interface KnownState {
  latest: number | null;
  state: ScopeState;
  /** The open episodes; null where they were not read. */
  open: OpenEpisodes | null;
}

/** What a good snapshot changes of its scope. */
export interface ScopeChange {
  layout: StorageLayout;
  scopeId: number;
  snapshotId: number;
  takenAt: number;
  /** What the changes were computed from. */
  before: KnownState;
  changes: readonly RowChange[];
}

type StateRow = [id: number, since: number, movedAt: number | null, present: 0 | 1, extra: string | null, ...Value[]];

export class ScopeStates {
  readonly #known = new Map<number, KnownState>();

  /** Returns the state of a scope as of its last good snapshot, `latest`. Another process may have stored it. */
  async read(
    connection: Connection,
    layout: StorageLayout,
    scopeId: number,
    latest: number | null,
  ): Promise<KnownState> {
    const known = this.#known.get(scopeId);
    if (known?.latest === latest) return known;
    const state = latest === null ? new Map() : await loadState(connection, layout, scopeId, latest);
    const read = { latest, state, open: null };
    this.#known.set(scopeId, read);
    return read;
  }

  /**
   * Writes what snapshots of different scopes of one dataset change. Returns a function that takes the new states over, to be called
   * after the commit.
   */
  async write(connection: Connection, changes: readonly ScopeChange[]): Promise<() => void> {
    const ids = await insertItems(connection, changes);
    const next = changes.map((change, at) => ({ ...change, next: nextState(change, ids[at] ?? []) }));
    const [first] = changes;
    if (first) await insertVersions(connection, first.layout, next);
    const episodes = new EpisodeRows(connection);
    const states = new Map<number, KnownState>();
    for (const { layout, scopeId, snapshotId, takenAt, before, next: state } of next) {
      const open = layout.dataset.episodes
        ? await episodes.advance(scopeId, before.open, { id: snapshotId, takenAt }, state)
        : null;
      states.set(scopeId, { latest: snapshotId, state, open });
    }
    await episodes.write();
    return () => {
      for (const [scopeId, state] of states) this.#known.set(scopeId, state);
    };
  }
}

/** Adds the new items. Returns the id of each changed item, by change. */
async function insertItems(connection: Connection, changes: readonly ScopeChange[]): Promise<number[][]> {
  const [first] = changes;
  if (!first) return [];
  const { key, tables } = first.layout;
  const isNew = ({ last }: RowChange) => last === undefined;
  const rows = changes.flatMap(({ scopeId, changes }) =>
    changes.filter(isNew).map(({ parts }) => [scopeId, ...parts.key]),
  );
  const added = (await insertWithIds(connection, tables.item, ["scope_id", ...key.map(snakeCase)], rows)).values();
  return changes.map(({ changes }) => changes.map(({ last }) => last?.id ?? (added.next().value as number)));
}

function nextState(change: ScopeChange, ids: readonly number[]): ScopeState {
  const next = new Map(change.before.state);
  for (const [at, row] of change.changes.entries()) {
    const { last, present, parts } = row;
    const since = writesOf(change.layout, row).steady ? change.snapshotId : (last?.since ?? change.snapshotId);
    next.set(keyText(parts.key), { id: ids[at] ?? 0, since, present, parts });
  }
  return next;
}

/** Adds the rows of changed items, in the tables of one dataset. */
async function insertVersions(
  connection: Connection,
  layout: StorageLayout,
  all: readonly (ScopeChange & { next: ScopeState })[],
): Promise<void> {
  const { steady, moving, tables } = layout;
  const rows = all.flatMap(({ snapshotId, changes, next }) =>
    changes.map((change) => ({
      ...{ change, writes: writesOf(layout, change), parts: change.parts },
      version: [next.get(keyText(change.parts.key))?.id ?? 0, snapshotId],
    })),
  );
  const version = ["item_id", "since"];
  const steadyRows = rows.filter(({ writes }) => writes.steady);
  await insertRows(
    connection,
    tables.steady,
    [...version, "present", ...steady.map(snakeCase)],
    steadyRows.map(({ version, change, parts }) => [...version, change.present, ...parts.steady]),
  );
  const movingRows = rows.filter(({ writes }) => writes.moving);
  if (tables.moving)
    await insertRows(
      connection,
      tables.moving,
      [...version, ...moving.map(snakeCase)],
      movingRows.map(({ version, parts }) => [...version, ...parts.moving]),
    );
  const extraRows = rows.filter(({ writes }) => writes.extra);
  await insertRows(
    connection,
    tables.extra,
    [...version, "fields"],
    extraRows.map(({ version, parts }) => [...version, parts.extra]),
  );
}

/** Reads the state of a scope as of one of its good snapshots. */
async function loadState(
  connection: Connection,
  layout: StorageLayout,
  scopeId: number,
  snapshotId: number,
): Promise<ScopeState> {
  const { prefix, key, steady, moving } = layout;
  const inForce = (part: string, alias: string) =>
    `lateral (select * from ${prefix}_${part} where item_id = i.id and since <= $2 order by since desc limit 1) ${alias} on true`;
  const hasMoving = moving.length > 0;
  const rows = (await connection.cells(
    `select i.id, s.since, ${hasMoving ? "m.since" : "null::bigint"}, s.present::int, x.fields, ${[
      ...selection("i", key),
      ...selection("s", steady),
      ...selection("m", moving),
    ].join(", ")}
     from ${prefix}_item i join ${inForce("steady", "s")} ${hasMoving ? `left join ${inForce("moving", "m")}` : ""}
       left join ${inForce("extra", "x")}
     where i.scope_id = $1 order by i.id`,
    [scopeId, snapshotId],
  )) as StateRow[];
  const [steadyTable, movingTable] = [`${prefix}_steady`, `${prefix}_moving`];
  const original = await oddDigitsIn(
    connection,
    rows.flatMap(([id, since, movedAt]) => [
      [steadyTable, rowKey([id, since])] as const,
      [movingTable, rowKey([id, movedAt])] as const,
    ]),
  );
  const names = [
    ...steady.map((name) => [steadyTable, name] as const),
    ...moving.map((name) => [movingTable, name] as const),
  ];
  const state: ScopeState = new Map();
  for (const [id, since, movedAt, present, extra, ...cells] of rows) {
    const values = cells.map((cell, at) => {
      const [table, name] = names[at - key.length] ?? [];
      if (!table || !name || layout.dataset.columns[name]?.kind !== "decimal") return cell;
      const version = rowKey([id, table === steadyTable ? since : movedAt]);
      return original(table, version, snakeCase(name), cell as DecimalString | null);
    });
    const item = currentItem(layout, { id, since, present, extra }, values);
    state.set(keyText(item.parts.key), item);
  }
  return state;
}
