/**
 * The episodes of positions. One begins with the first good snapshot that shows a position, and ends with the first that does
 * not, or that tells another time of opening (the exchange's `cTime`). All of it follows from the history; it is kept beside
 * it, row by row as episodes go on, because reading a year to learn how low one position went takes a while.
 */
import { and, eq, getTableColumns, isNull, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { RowOf } from "../../core/columns.ts";
import { absolute, add, compare, divide, isPositive, multiply, subtract, toDecimalString } from "../../core/decimal.ts";
import type { DecimalString, Row } from "../../core/domain.ts";
import { positions } from "../../datasets/snapshots/positions.ts";
import { episode as episodeTable } from "../schema/episode-table.ts";
import type { ScopeState } from "../schema/storage-layout.ts";
import { type ItemParts, layoutOf } from "../schema/storage-layout.ts";
import { scope, snapshot } from "../schema/tables.ts";

/** A row of the table; open while `closedBefore` is null. */
export type Episode = typeof episodeTable.$inferSelect;

/** The amounts of a position that its episode is computed from. */
export const episodeInputs = [
  "total",
  "averageOpenPrice",
  "achievedProfits",
  "totalFunding",
  "deductedFee",
  "openFeeTotal",
  "closeFeeTotal",
  "unrealizedPl",
  "liquidationPrice",
  "markPrice",
] as const;

/** What a snapshot says of a position; null is unknown. */
export type PositionState = Pick<RowOf<typeof positions.columns>, (typeof episodeInputs)[number] | "openedAt">;

/** A good snapshot, with the `taken_at` (epoch ms) of the good one of its scope before it. */
export interface SnapshotTime {
  snapshotId: number;
  takenAt: number;
  takenBefore: number | null;
}

/**
 * Returns what a good snapshot makes of the open episode of an item (null: none); `seen` is null where it does not show the item.
 * These are the rows that differ from before: none, the episode as it goes on, its end, a beginning, or an end and a beginning.
 */
export function nextEpisodes(
  itemId: number,
  episode: Episode | null,
  seen: PositionState | null,
  time: SnapshotTime,
): Episode[] {
  if (episode === null) return seen ? [openEpisode(itemId, seen, time)] : [];
  if (seen && !isAnother(episode, seen)) {
    const next = updateEpisode(episode, seen);
    return next === episode ? [] : [next];
  }
  const closed = { ...episode, lastSeenAt: time.takenBefore, closedBefore: time.takenAt };
  return seen ? [closed, openEpisode(itemId, seen, time)] : [closed];
}

/** An unknown time of opening splits no episode. */
const isAnother = (episode: Episode, seen: PositionState): boolean =>
  episode.openedAt !== null && seen.openedAt !== null && episode.openedAt !== seen.openedAt;

const openEpisode = (itemId: number, seen: PositionState, { snapshotId, takenAt }: SnapshotTime): Episode =>
  updateEpisode(
    {
      itemId,
      since: snapshotId,
      openedAt: null,
      firstSeenAt: takenAt,
      lastSeenAt: null,
      closedBefore: null,
      largestTotal: null,
      averageOpenPrice: null,
      worstUnrealizedPl: null,
      bestUnrealizedPl: null,
      closestLiquidation: null,
      realizedPl: null,
      funding: null,
      fees: null,
    },
    seen,
  );

/** Returns the episode after it was seen like this; the same object where that changes nothing. */
export function updateEpisode(episode: Episode, seen: PositionState): Episode {
  const next = {
    openedAt: seen.openedAt ?? episode.openedAt,
    largestTotal: extremeOf(episode.largestTotal, seen.total, 1),
    averageOpenPrice: seen.averageOpenPrice,
    worstUnrealizedPl: extremeOf(episode.worstUnrealizedPl, seen.unrealizedPl, -1),
    bestUnrealizedPl: extremeOf(episode.bestUnrealizedPl, seen.unrealizedPl, 1),
    closestLiquidation: closer(episode.closestLiquidation, seen),
    realizedPl: seen.achievedProfits,
    funding: seen.totalFunding,
    fees: feesOf(seen),
  };
  const isSame = (Object.keys(next) as (keyof typeof next)[]).every((name) => next[name] === episode[name]);
  return isSame ? episode : { ...episode, ...next };
}

/** `now` where it lies beyond `extreme`; of equal ones the first stays. */
export function extremeOf(
  extreme: DecimalString | null,
  now: DecimalString | null,
  direction: 1 | -1,
): DecimalString | null {
  if (now === null || extreme === null) return extreme ?? now;
  return compare(now, extreme) === direction ? now : extreme;
}

/**
 * |mark - liquidation| / mark to 16 places, where that is less than `closest`. A liquidation price of zero or less means
 * that there is none.
 */
function closer(closest: DecimalString | null, { liquidationPrice, markPrice }: PositionState): DecimalString | null {
  if (liquidationPrice === null || markPrice === null) return closest;
  if (!isPositive(liquidationPrice) || !isPositive(markPrice)) return closest;
  const distance = absolute(subtract(markPrice, liquidationPrice));
  // A division costs as much as all the rest, and this tells that there is no need of it.
  if (closest !== null && compare(distance, multiply(closest, markPrice)) >= 0) return closest;
  return extremeOf(closest, divide(distance, markPrice), -1);
}

/** Positive = paid, which v3 tells the other way round. Null where a part of it is unknown. */
function feesOf({ deductedFee, openFeeTotal, closeFeeTotal }: PositionState): DecimalString | null {
  if (deductedFee !== null) return deductedFee;
  return openFeeTotal === null || closeFeeTotal === null ? null : subtract("0", add(openFeeTotal, closeFeeTotal));
}

/** What is open in a scope as of its last good snapshot, by item. */
interface Open {
  takenAt: number | null;
  episodes: Map<number, Episode>;
}

/** Keeps the episodes of every scope up to date, inside the transactions of its snapshots. */
export class EpisodeTracker {
  readonly #orm: BetterSQLite3Database;
  readonly #write: (episode: Episode) => void;
  readonly #scopes = new Map<number, Open>();

  constructor(orm: BetterSQLite3Database) {
    this.#orm = orm;
    this.#write = episodeWriter(orm);
  }

  /** Continues with a good snapshot whose items `state` holds, while the scope still points to the one before it. */
  advance(scopeId: number, taken: { id: number; takenAt: number }, state: ScopeState): void {
    const open = this.#scopes.get(scopeId) ?? loadOpen(this.#orm, scopeId);
    this.#scopes.set(scopeId, open);
    const time = { snapshotId: taken.id, takenAt: taken.takenAt, takenBefore: open.takenAt };
    for (const { id, present, parts } of state.values()) {
      const seen = present === 1 ? seenOf(parts) : null;
      for (const episode of nextEpisodes(id, open.episodes.get(id) ?? null, seen, time)) {
        this.#write(episode);
        if (episode.closedBefore === null) open.episodes.set(id, episode);
        else open.episodes.delete(id);
      }
    }
    open.takenAt = taken.takenAt;
  }

  /** Drops what is kept in memory; it is read again when needed. */
  forget(): void {
    this.#scopes.clear();
  }
}

/** Writes a row, over the one of the same episode if there is one. */
export function episodeWriter(orm: BetterSQLite3Database): (episode: Episode) => void {
  const columns = Object.entries(getTableColumns(episodeTable));
  const given = columns.map(([name]) => [name, sql.placeholder(name)]);
  const excluded = columns.map(([name, column]) => [name, sql.raw(`excluded.${column.name}`)]);
  const statement = orm
    .insert(episodeTable)
    .values(Object.fromEntries(given))
    .onConflictDoUpdate({ target: [episodeTable.itemId, episodeTable.since], set: Object.fromEntries(excluded) })
    .prepare();
  return (episode) => void statement.run(episode);
}

function loadOpen(orm: BetterSQLite3Database, scopeId: number): Open {
  const latest = orm
    .select({ takenAt: snapshot.takenAt })
    .from(scope)
    .innerJoin(snapshot, eq(snapshot.id, scope.latest))
    .where(eq(scope.id, scopeId))
    .get();
  const episodes = orm
    .select(getTableColumns(episodeTable))
    .from(episodeTable)
    .innerJoin(tables.item, eq(tables.item.id, episodeTable.itemId))
    .where(and(eq(tables.item.scope_id, scopeId), isNull(episodeTable.closedBefore)))
    .all();
  return {
    takenAt: latest?.takenAt ?? null,
    episodes: new Map(episodes.map((episode) => [episode.itemId, legible(episode)])),
  };
}

/** What damage left no number counts as unknown: collecting goes on, and `db verify` names it. */
const legible = (episode: Episode): Episode =>
  Object.fromEntries(
    Object.entries(episode).map(([name, value]) => [name, typeof value === "string" ? toDecimalString(value) : value]),
  ) as Episode;

const { steady, moving, tables } = layoutOf(positions);
const places = [...episodeInputs, "openedAt"].map((name) => ({
  name,
  isMoving: moving.includes(name),
  at: (moving.includes(name) ? moving : steady).indexOf(name),
}));

function seenOf(parts: ItemParts): PositionState {
  const seen: Row = {};
  for (const { name, isMoving, at } of places) seen[name] = (isMoving ? parts.moving : parts.steady)[at] ?? null;
  return seen as PositionState;
}
