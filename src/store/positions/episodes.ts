/**
 * The lives of positions. One begins with the first good snapshot that shows a position, and ends with the first that does
 * not, or that tells another time of opening (the exchange's `cTime`). All of it follows from the history; it is kept beside
 * it, row by row as lives go on, because reading a year to learn how low one position went takes a while.
 */
import { and, eq, getTableColumns, isNull, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { RowOf } from "../../core/columns.ts";
import { absolute, add, compare, divide, isPositive, multiply, subtract, toDigits } from "../../core/decimal.ts";
import type { Digits, Row } from "../../core/domain.ts";
import { positions } from "../../datasets/snapshots/positions.ts";
import { episode } from "../schema/episode-table.ts";
import type { State } from "../schema/storage-layout.ts";
import { layoutOf, type Parts } from "../schema/storage-layout.ts";
import { scope, snapshot } from "../schema/tables.ts";

/** A row of the table; open while `closedBefore` is null. */
export type Life = typeof episode.$inferSelect;

/** The amounts of a position that its life is told by. */
export const amounts = [
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
export type Seen = Pick<RowOf<typeof positions.columns>, (typeof amounts)[number] | "openedAt">;

/** A good snapshot, with the `taken_at` (epoch ms) of the good one of its scope before it. */
export interface Moment {
  snapshotId: number;
  takenAt: number;
  takenBefore: number | null;
}

/**
 * What a good snapshot makes of the open life of an item (null: none), `seen` being null where it does not show the item.
 * The rows that differ from before: none, the life as it goes on, its end, a beginning, or an end and a beginning.
 */
export function follow(itemId: number, life: Life | null, seen: Seen | null, moment: Moment): Life[] {
  if (life === null) return seen ? [begun(itemId, seen, moment)] : [];
  if (seen && !isAnother(life, seen)) {
    const next = advanced(life, seen);
    return next === life ? [] : [next];
  }
  const closed = { ...life, lastSeenAt: moment.takenBefore, closedBefore: moment.takenAt };
  return seen ? [closed, begun(itemId, seen, moment)] : [closed];
}

/** An unknown time of opening splits no life. */
const isAnother = (life: Life, seen: Seen): boolean =>
  life.openedAt !== null && seen.openedAt !== null && life.openedAt !== seen.openedAt;

const begun = (itemId: number, seen: Seen, { snapshotId, takenAt }: Moment): Life =>
  advanced(
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

/** The life after it was seen like this; the same object where that changes nothing. */
export function advanced(life: Life, seen: Seen): Life {
  const next = {
    openedAt: seen.openedAt ?? life.openedAt,
    largestTotal: further(life.largestTotal, seen.total, 1),
    averageOpenPrice: seen.averageOpenPrice,
    worstUnrealizedPl: further(life.worstUnrealizedPl, seen.unrealizedPl, -1),
    bestUnrealizedPl: further(life.bestUnrealizedPl, seen.unrealizedPl, 1),
    closestLiquidation: closer(life.closestLiquidation, seen),
    realizedPl: seen.achievedProfits,
    funding: seen.totalFunding,
    fees: feesOf(seen),
  };
  const isSame = (Object.keys(next) as (keyof typeof next)[]).every((name) => next[name] === life[name]);
  return isSame ? life : { ...life, ...next };
}

/** `now` where it lies beyond `extreme`; of equal ones the first stays. */
export function further(extreme: Digits | null, now: Digits | null, direction: 1 | -1): Digits | null {
  if (now === null || extreme === null) return extreme ?? now;
  return compare(now, extreme) === direction ? now : extreme;
}

/**
 * |mark - liquidation| / mark to 16 places, where that is less than `closest`. A liquidation price of zero or less means
 * that there is none.
 */
function closer(closest: Digits | null, { liquidationPrice, markPrice }: Seen): Digits | null {
  if (liquidationPrice === null || markPrice === null) return closest;
  if (!isPositive(liquidationPrice) || !isPositive(markPrice)) return closest;
  const distance = absolute(subtract(markPrice, liquidationPrice));
  // A division costs as much as all the rest, and this tells that there is no need of it.
  if (closest !== null && compare(distance, multiply(closest, markPrice)) >= 0) return closest;
  return further(closest, divide(distance, markPrice), -1);
}

/** Positive = paid, which v3 tells the other way round. Null where a part of it is unknown. */
function feesOf({ deductedFee, openFeeTotal, closeFeeTotal }: Seen): Digits | null {
  if (deductedFee !== null) return deductedFee;
  return openFeeTotal === null || closeFeeTotal === null ? null : subtract("0", add(openFeeTotal, closeFeeTotal));
}

/** Keeps the lives of every scope up to date, inside the transactions of its snapshots. */
export interface Episodes {
  /** Goes on to a good snapshot whose items `state` holds, while the scope still points to the one before it. */
  advance(scopeId: number, taken: { id: number; takenAt: number }, state: State): void;
  /** Drops what is kept in memory; it is read again when needed. */
  forget(): void;
}

/** What is open in a scope as of its last good snapshot, by item. */
interface Open {
  takenAt: number | null;
  lives: Map<number, Life>;
}

export function createEpisodes(orm: BetterSQLite3Database): Episodes {
  const write = episodeWriter(orm);
  const scopes = new Map<number, Open>();
  return {
    advance(scopeId, { id: snapshotId, takenAt }, state) {
      const open = scopes.get(scopeId) ?? loadOpen(orm, scopeId);
      scopes.set(scopeId, open);
      const moment = { snapshotId, takenAt, takenBefore: open.takenAt };
      for (const { id, present, parts } of state.values()) {
        const seen = present === 1 ? seenOf(parts) : null;
        for (const life of follow(id, open.lives.get(id) ?? null, seen, moment)) {
          write(life);
          if (life.closedBefore === null) open.lives.set(id, life);
          else open.lives.delete(id);
        }
      }
      open.takenAt = takenAt;
    },
    forget: () => scopes.clear(),
  };
}

/** Writes a row, over the one of the same life if there is one. */
export function episodeWriter(orm: BetterSQLite3Database): (life: Life) => void {
  const columns = Object.entries(getTableColumns(episode));
  const given = columns.map(([name]) => [name, sql.placeholder(name)]);
  const excluded = columns.map(([name, column]) => [name, sql.raw(`excluded.${column.name}`)]);
  const statement = orm
    .insert(episode)
    .values(Object.fromEntries(given))
    .onConflictDoUpdate({ target: [episode.itemId, episode.since], set: Object.fromEntries(excluded) })
    .prepare();
  return (life) => void statement.run(life);
}

function loadOpen(orm: BetterSQLite3Database, scopeId: number): Open {
  const latest = orm
    .select({ takenAt: snapshot.takenAt })
    .from(scope)
    .innerJoin(snapshot, eq(snapshot.id, scope.latest))
    .where(eq(scope.id, scopeId))
    .get();
  const lives = orm
    .select(getTableColumns(episode))
    .from(episode)
    .innerJoin(tables.item, eq(tables.item.id, episode.itemId))
    .where(and(eq(tables.item.scope_id, scopeId), isNull(episode.closedBefore)))
    .all();
  return { takenAt: latest?.takenAt ?? null, lives: new Map(lives.map((life) => [life.itemId, legible(life)])) };
}

/** What damage left no number counts as unknown: collecting goes on, and `db verify` names it. */
const legible = (life: Life): Life =>
  Object.fromEntries(
    Object.entries(life).map(([name, value]) => [name, typeof value === "string" ? toDigits(value) : value]),
  ) as Life;

const { steady, moving, tables } = layoutOf(positions);
const places = [...amounts, "openedAt"].map((name) => ({
  name,
  isMoving: moving.includes(name),
  at: (moving.includes(name) ? moving : steady).indexOf(name),
}));

function seenOf(parts: Parts): Seen {
  const seen: Row = {};
  for (const { name, isMoving, at } of places) seen[name] = (isMoving ? parts.moving : parts.steady)[at] ?? null;
  return seen as Seen;
}
