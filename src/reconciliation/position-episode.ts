/** Finds the episode of a closed position: the one that snapshots showed between its opening and its close. */
import { minuteMs } from "../core/time.ts";

/** When snapshots showed a position; `closedBefore` is null while it is open. Epoch ms. */
export interface EpisodeSpan {
  itemId: number;
  since: number;
  openedAt: number | null;
  firstSeenAt: number;
  lastSeenAt: number | null;
  closedBefore: number | null;
}

interface Span {
  openedAt: number | null;
  closedAt: number;
}

/** By how much a snapshot may be older or newer than its time. Milliseconds. */
export const snapshotSlackMs = minuteMs;

/** Returns whether an episode can be that of a closed position with the same key; of an open episode whether it can become that. */
export function fits({ openedAt, closedAt }: Span, episode: EpisodeSpan): boolean {
  const hasOpening =
    openedAt === null || episode.openedAt === null
      ? (openedAt ?? 0) <= episode.firstSeenAt + snapshotSlackMs
      : openedAt === episode.openedAt;
  const lastSeenAt = episode.lastSeenAt ?? episode.firstSeenAt;
  const closedBefore = episode.closedBefore ?? Number.MAX_SAFE_INTEGER;
  return hasOpening && lastSeenAt - snapshotSlackMs <= closedAt && closedAt <= closedBefore + snapshotSlackMs;
}

/** Which episode a closed position has: one, none (no snapshot showed it), several, or one that snapshots still show as open. */
export type Match = EpisodeSpan | "none" | "ambiguous" | "open";

/** Returns the episode of a closed position. `others` are the other closed positions with its key, `episodes` all that have it. */
export function episodeOf<P extends Span>(position: P, others: readonly P[], episodes: readonly EpisodeSpan[]): Match {
  const possible = episodes.filter((episode) => fits(position, episode));
  const [own] = possible;
  if (!own) return "none";
  if (possible.length > 1 || others.some((other) => fits(other, own))) return "ambiguous";
  return own.closedBefore === null ? "open" : own;
}
