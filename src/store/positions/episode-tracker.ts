/** Updates the table of episodes in SQLite with each snapshot. */
import { and, eq, getTableColumns, isNull, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { positions } from "../../datasets/snapshots/positions.ts";
import { episode as episodeTable } from "../schema/derived/episode-table.ts";
import { layoutOf, type ScopeState } from "../schema/storage-layout.ts";
import { scope, snapshot } from "../schema/tables.ts";
import { advanceEpisodes, type Episode, type OpenEpisodes, withoutDamage } from "./episodes.ts";

/** Updates the episodes of every scope, inside the transactions of its snapshots. */
export class EpisodeTracker {
  readonly #orm: BetterSQLite3Database;
  readonly #write: (episode: Episode) => void;
  readonly #scopes = new Map<number, OpenEpisodes>();

  constructor(orm: BetterSQLite3Database) {
    this.#orm = orm;
    this.#write = episodeWriter(orm);
  }

  /** Applies a good snapshot with the items `state`, while the scope still points to the previous good one. */
  advance(scopeId: number, taken: { id: number; takenAt: number }, state: ScopeState): void {
    const before = this.#scopes.get(scopeId) ?? loadOpen(this.#orm, scopeId);
    const { changed, open } = advanceEpisodes(before, taken, state);
    for (const episode of changed) this.#write(episode);
    this.#scopes.set(scopeId, open);
  }

  /** Drops the state in memory; it is read again when needed. */
  forget(): void {
    this.#scopes.clear();
  }
}

/** Returns a function that inserts or replaces the row of an episode. */
export function episodeWriter(orm: BetterSQLite3Database): (episode: Episode) => void {
  const columns = Object.entries(getTableColumns(episodeTable));
  const values = columns.map(([name]) => [name, sql.placeholder(name)]);
  const excluded = columns.map(([name, column]) => [name, sql.raw(`excluded.${column.name}`)]);
  const statement = orm
    .insert(episodeTable)
    .values(Object.fromEntries(values))
    .onConflictDoUpdate({ target: [episodeTable.itemId, episodeTable.since], set: Object.fromEntries(excluded) })
    .prepare();
  return (episode) => void statement.run(episode);
}

const { item } = layoutOf(positions).tables;

function loadOpen(orm: BetterSQLite3Database, scopeId: number): OpenEpisodes {
  const latest = orm
    .select({ takenAt: snapshot.takenAt })
    .from(scope)
    .innerJoin(snapshot, eq(snapshot.id, scope.latest))
    .where(eq(scope.id, scopeId))
    .get();
  const episodes = orm
    .select(getTableColumns(episodeTable))
    .from(episodeTable)
    .innerJoin(item, eq(item.id, episodeTable.itemId))
    .where(and(eq(item.scope_id, scopeId), isNull(episodeTable.closedBefore)))
    .all();
  return {
    takenAt: latest?.takenAt ?? null,
    episodes: new Map(episodes.map((episode) => [episode.itemId, withoutDamage(episode)])),
  };
}
