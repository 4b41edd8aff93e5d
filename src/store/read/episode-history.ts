/** Reads the episodes of positions. */

import { type EpisodeHistory, type HistoryRow, positionKey } from "../history.ts";
import { instantText } from "../schema/encoding.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Returns the episode queries on a connection. */
export function episodeHistory(sqlite: Sqlite): EpisodeHistory {
  const episodes = (condition: string, order: string) =>
    sqlite
      .prepare<unknown[], HistoryRow>(`select * from position_episodes where ${condition} order by ${order}`)
      .safeIntegers();
  const ofAccount = "(@account is null or account = @account)";
  const newest = "first_seen_at desc, symbol, hold_side, margin_mode";
  return {
    episodes: (account, { from, to }) =>
      episodes(
        `first_seen_at_ms < @to and (state = 'open' or coalesce(closed_before, last_seen_at) >= @from) and ${ofAccount}`,
        "first_seen_at, account, product_type, symbol, hold_side, margin_mode, margin_coin",
      ).iterate({ account, from: instantText(from), to }),
    closedEpisodes: (account, at) =>
      episodes(
        `state <> 'open' and coalesce(closed_before, last_seen_at) <= @at and first_seen_at <= @at and ${ofAccount}`,
        newest,
      ).iterate({ account, at: instantText(at) }),
    episodeOf(position, firstSeenAt, at) {
      const condition = positionKey.map((name) => `${name} = @${name}`).join(" and ");
      const began = "first_seen_at <= @at and (@firstSeenAt is null or first_seen_at = @firstSeenAt)";
      return episodes(`${condition} and ${began}`, newest).get({ ...position, firstSeenAt, at: instantText(at) });
    },
  };
}
