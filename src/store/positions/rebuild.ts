/** Recomputes the episodes of positions from the history: to fill them in, to verify them, and after a correction. */

import { drizzle } from "drizzle-orm/better-sqlite3";
import { type Paced, pause } from "../../core/async/cooperate.ts";
import { snakeCase } from "../../core/columns.ts";
import { toDecimalString } from "../../core/decimal.ts";
import { positions } from "../../datasets/snapshots/positions.ts";
import { unpackHex } from "../schema/encoding.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { episodeWriter } from "./episode-tracker.ts";
import { type Episode, episodeInputs, nextEpisodes, type PositionState, updateEpisode } from "./episodes.ts";

type Name = (typeof episodeInputs)[number];
type SteadyRow = [
  since: number,
  takenAt: number,
  takenBefore: number | null,
  present: 0 | 1,
  openedAt: number | null,
  ...amounts: string[],
];
type MovingRow = [since: number, ...amounts: string[]];

const { moving } = layoutOf(positions);
const steadyAmounts = episodeInputs.filter((name) => !moving.includes(name));
const movingAmounts = episodeInputs.filter((name) => moving.includes(name));

/** Versions read before yielding to the event loop. */
const versionsPerPause = 1000;

/** Yields the episodes of an item, oldest first, the open one last. */
export function* rebuildEpisodes(sqlite: Sqlite, itemId: number): Paced<Episode> {
  const versions = steadyRows(sqlite, itemId);
  const moves = movingRows(sqlite, itemId);
  let version = versions.next();
  let move = moves.next();
  // The moving amounts are carried over where only the steady row changed; a position that is reopened has a new row of both.
  const position = Object.fromEntries([...episodeInputs, "openedAt"].map((name) => [name, null])) as PositionState;
  let episode: Episode | null = null;
  let read = 0;
  // Only steady rows begin and end episodes: they contain whether the position is present and its opening time.
  while (!version.done) {
    const [since, takenAt, takenBefore, present, openedAt, ...cells] = version.value;
    version = versions.next();
    const until = version.done ? Number.POSITIVE_INFINITY : version.value[0];
    position.openedAt = openedAt;
    setAmounts(position, steadyAmounts, cells);
    if (!move.done && move.value[0] === since) {
      setAmounts(position, movingAmounts, move.value.slice(1));
      move = moves.next();
    }
    const time = { snapshotId: since, takenAt, takenBefore };
    for (const next of nextEpisodes(itemId, episode, present === 1 ? position : null, time)) {
      if (next.closedBefore !== null) yield next;
      episode = next.closedBefore === null ? next : null;
    }
    for (; !move.done && move.value[0] < until; move = moves.next()) {
      setAmounts(position, movingAmounts, move.value.slice(1));
      if (episode) episode = updateEpisode(episode, position);
      read += 1;
      if (read % versionsPerPause === 0) yield pause;
    }
  }
  if (episode) yield episode;
}

/** Sets amounts from hex cells. The hex of NULL is an empty text; a damaged amount counts as unknown. */
function setAmounts(position: PositionState, names: readonly Name[], cells: readonly (string | number)[]): void {
  for (const [at, name] of names.entries()) position[name] = toDecimalString(unpackHex(String(cells[at])));
}

/** Returns the steady rows with `taken_at` of their snapshot and of the good one before it, which is found by a few steps back, not by an index. */
const steadyRows = (sqlite: Sqlite, itemId: number) =>
  sqlite
    .prepare(
      `select s.since, n.taken_at, (
         select b.taken_at from snapshot b not indexed
         where b.scope_id = n.scope_id and b.id < n.id and b.error_code is null order by b.id desc limit 1
       ), s.present, s.opened_at, ${selected(steadyAmounts)}
       from positions_steady s join snapshot n on n.id = s.since where s.item_id = ? order by s.since`,
    )
    .raw()
    .iterate(itemId) as IterableIterator<SteadyRow>;

const movingRows = (sqlite: Sqlite, itemId: number) =>
  sqlite
    .prepare(`select since, ${selected(movingAmounts)} from positions_moving where item_id = ? order by since`)
    .raw()
    .iterate(itemId) as IterableIterator<MovingRow>;

const selected = (names: readonly Name[]): string => names.map((name) => `hex(${snakeCase(name)})`).join(", ");

/** Fills in the episodes of a database that was created before the table existed. */
export function fillEpisodes(sqlite: Sqlite): void {
  const write = episodeWriter(drizzle(sqlite));
  const items = sqlite.prepare("select id from positions_item order by id").pluck().all() as number[];
  for (const id of items) {
    // All are read first, because nothing can be written while a statement reads.
    for (const episode of [...rebuildEpisodes(sqlite, id)]) if (episode !== pause) write(episode);
  }
}

/** Returns the episodes of all items of a scope, by item and first snapshot. */
export function rebuildScopeEpisodes(sqlite: Sqlite, scopeId: number): Map<string, Episode> {
  const items = sqlite.prepare("select id from positions_item where scope_id = ?").pluck().all(scopeId) as number[];
  const episodes = items.flatMap((id) => [...rebuildEpisodes(sqlite, id)]).filter((episode) => episode !== pause);
  return new Map(episodes.map((episode) => [`${episode.itemId} ${episode.since}`, episode]));
}

/**
 * Writes the episodes that differ between `before` and `after`; the other rows stay as they are. Returns false where one that differs
 * begins before `lastPruned` (the last pruned snapshot), so that it cannot be recomputed completely.
 */
export function rewriteEpisodes(
  sqlite: Sqlite,
  before: ReadonlyMap<string, Episode>,
  after: ReadonlyMap<string, Episode>,
  lastPruned: number,
): boolean {
  const write = episodeWriter(drizzle(sqlite));
  const remove = sqlite.prepare("delete from episode where item_id = ? and since = ?");
  for (const [key, { itemId, since }] of before) if (!after.has(key)) remove.run(itemId, since);
  for (const [key, episode] of after) {
    if (JSON.stringify(episode) === JSON.stringify(before.get(key))) continue;
    if (episode.since < lastPruned) return false;
    write(episode);
  }
  return true;
}
