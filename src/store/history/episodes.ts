/** Defines how position episodes are read. */
import type { ColumnValues } from "./snapshots.ts";
import type { HistoryRow, Span } from "./span.ts";

/** Reads position episodes. */
export interface EpisodeHistory {
  /** Yields the position episodes that overlap the span, of one account or of all (null), by their first snapshots, oldest first. */
  episodes(account: string | null, span: Span): Iterable<HistoryRow>;
  /** Yields the position episodes that had ended by an instant, the last closed first. */
  closedEpisodes(account: string | null, at: number): Iterable<HistoryRow>;
  /**
   * Returns the episode of a position whose first snapshot was taken at `firstSeenAt` (ISO 8601), or with null the newest one up to
   * `at`; undefined if there is none. `position` has the columns of `positionKey`.
   */
  episodeOf(position: ColumnValues, firstSeenAt: string | null, at: number): HistoryRow | undefined;
}

/** The columns that identify a position. */
export const positionKey = ["account", "product_type", "symbol", "margin_coin", "hold_side", "margin_mode"] as const;
