/**
 * Tracks the episodes (lifecycles) of positions. An episode begins with the first good snapshot that lists a position, and ends with
 * the first that does not, or that reports another opening time (the exchange's `cTime`). Episodes follow from the history; they are
 * stored as well, because finding the lowest value of a position in a year of history takes long.
 */
import type { RowOf } from "../../core/columns.ts";
import { absolute, add, compare, divide, isPositive, multiply, subtract, toDecimalString } from "../../core/decimal.ts";
import type { DecimalString, Row } from "../../core/domain.ts";
import { positions } from "../../datasets/snapshots/positions.ts";
import type { episode as episodeTable } from "../schema/derived/episode-table.ts";
import type { ScopeState } from "../schema/storage-layout.ts";
import { type ItemParts, layoutOf } from "../schema/storage-layout.ts";

/** A row of the table. The episode is open while `closedBefore` is null. */
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

/** The state of a position in a snapshot; null is unknown. */
export type PositionState = Pick<RowOf<typeof positions.columns>, (typeof episodeInputs)[number] | "openedAt">;

/** A good snapshot, with the `taken_at` (epoch ms) of the good one of its scope before it. */
export interface SnapshotTime {
  snapshotId: number;
  takenAt: number;
  takenBefore: number | null;
}

/**
 * Returns the episodes of an item that a good snapshot changes: none, the open one updated or closed, a new one, or both. `episode` is
 * the open one (null: none); `position` is null where the snapshot does not list the item.
 */
export function nextEpisodes(
  itemId: number,
  episode: Episode | null,
  position: PositionState | null,
  time: SnapshotTime,
): Episode[] {
  if (episode === null) return position ? [openEpisode(itemId, position, time)] : [];
  if (position && !isReopened(episode, position)) {
    const next = updateEpisode(episode, position);
    return next === episode ? [] : [next];
  }
  const closed = { ...episode, lastSeenAt: time.takenBefore, closedBefore: time.takenAt };
  return position ? [closed, openEpisode(itemId, position, time)] : [closed];
}

/** Returns whether the position was reopened; an unknown opening time splits no episode. */
const isReopened = (episode: Episode, position: PositionState): boolean =>
  episode.openedAt !== null && position.openedAt !== null && episode.openedAt !== position.openedAt;

const openEpisode = (itemId: number, position: PositionState, { snapshotId, takenAt }: SnapshotTime): Episode =>
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
    position,
  );

/** Returns the episode including this state; the same object where nothing changes. */
export function updateEpisode(episode: Episode, position: PositionState): Episode {
  const next = {
    openedAt: position.openedAt ?? episode.openedAt,
    largestTotal: extremeOf(episode.largestTotal, position.total, 1),
    averageOpenPrice: position.averageOpenPrice,
    worstUnrealizedPl: extremeOf(episode.worstUnrealizedPl, position.unrealizedPl, -1),
    bestUnrealizedPl: extremeOf(episode.bestUnrealizedPl, position.unrealizedPl, 1),
    closestLiquidation: closestLiquidation(episode.closestLiquidation, position),
    realizedPl: position.achievedProfits,
    funding: position.totalFunding,
    fees: feesOf(position),
  };
  const isSame = (Object.keys(next) as (keyof typeof next)[]).every((name) => next[name] === episode[name]);
  return isSame ? episode : { ...episode, ...next };
}

/** Returns `now` if it is beyond `extreme` in the direction (1: higher, -1: lower), else `extreme`; null where both are unknown. */
export function extremeOf(
  extreme: DecimalString | null,
  now: DecimalString | null,
  direction: 1 | -1,
): DecimalString | null {
  if (now === null || extreme === null) return extreme ?? now;
  return compare(now, extreme) === direction ? now : extreme;
}

/**
 * Returns |mark - liquidation| / mark to 16 places if that is less than `closest`, else `closest`. A liquidation price of zero or
 * less means that there is none.
 */
function closestLiquidation(
  closest: DecimalString | null,
  { liquidationPrice, markPrice }: PositionState,
): DecimalString | null {
  if (liquidationPrice === null || markPrice === null) return closest;
  if (!isPositive(liquidationPrice) || !isPositive(markPrice)) return closest;
  const distance = absolute(subtract(markPrice, liquidationPrice));
  // This comparison avoids the division, which costs as much as everything else here.
  if (closest !== null && compare(distance, multiply(closest, markPrice)) >= 0) return closest;
  return extremeOf(closest, divide(distance, markPrice), -1);
}

/** Returns the fees, positive if paid (v3 reports the opposite sign); null where a part is unknown. */
function feesOf({ deductedFee, openFeeTotal, closeFeeTotal }: PositionState): DecimalString | null {
  if (deductedFee !== null) return deductedFee;
  return openFeeTotal === null || closeFeeTotal === null ? null : subtract("0", add(openFeeTotal, closeFeeTotal));
}

/** The open episodes of a scope by item, and the time of its last good snapshot; null where there is none. */
export interface OpenEpisodes {
  takenAt: number | null;
  episodes: ReadonlyMap<number, Episode>;
}

/**
 * Returns the episodes that a good snapshot with the items `state` changes, and those that are open after it. `open` are those of the
 * good snapshot before it.
 */
export function advanceEpisodes(
  open: OpenEpisodes,
  taken: { id: number; takenAt: number },
  state: ScopeState,
): { changed: Episode[]; open: OpenEpisodes } {
  const time = { snapshotId: taken.id, takenAt: taken.takenAt, takenBefore: open.takenAt };
  const episodes = new Map(open.episodes);
  const changed = [...state.values()].flatMap(({ id, present, parts }) =>
    nextEpisodes(id, open.episodes.get(id) ?? null, present === 1 ? positionStateOf(parts) : null, time),
  );
  for (const episode of changed) {
    if (episode.closedBefore === null) episodes.set(episode.itemId, episode);
    else episodes.delete(episode.itemId);
  }
  return { changed, open: { takenAt: taken.takenAt, episodes } };
}

/** Replaces damaged amounts with null (unknown), so that collecting continues; `db verify` reports them. */
export const withoutDamage = (episode: Episode): Episode =>
  Object.fromEntries(
    Object.entries(episode).map(([name, value]) => [name, typeof value === "string" ? toDecimalString(value) : value]),
  ) as Episode;

const { steady, moving } = layoutOf(positions);
const places = [...episodeInputs, "openedAt"].map((name) => ({
  name,
  isMoving: moving.includes(name),
  at: (moving.includes(name) ? moving : steady).indexOf(name),
}));

function positionStateOf(parts: ItemParts): PositionState {
  const position: Row = {};
  for (const { name, isMoving, at } of places) position[name] = (isMoving ? parts.moving : parts.steady)[at] ?? null;
  return position as PositionState;
}
