/** Reads the episodes of positions. */

import { type EpisodeHistory, type HistoryRow, positionKey } from "../history.ts";
import { instantText } from "../schema/encoding.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** The last time that has a text which sorts as the others do. Epoch ms. */
const lastInstant = Date.UTC(9999, 11, 31);

/** Returns the episode queries on a connection. */
export function episodeHistory(sqlite: Sqlite): EpisodeHistory {
  const episodes = (condition: string, order: string) =>
    sqlite
      .prepare<unknown[], HistoryRow>(`select * from position_episodes where ${condition} order by ${order}`)
      .safeIntegers();
  const ofAccount = "(@account is null or account = @account)";
  const newest = "first_seen_at desc, symbol, hold_side, margin_mode";
  // A position that no snapshot showed began and ended when the exchange says so.
  const began = "coalesce(first_seen_at, opened_at, closed_at)";
  const ended = "coalesce(closed_before, last_seen_at, closed_at)";
  return {
    episodes: (account, { from, to }) =>
      episodes(
        `${began} < @to and (state = 'open' or ${ended} >= @from) and ${ofAccount}`,
        `${began}, account, product_type, symbol, hold_side, margin_mode, margin_coin`,
      ).iterate({ account, from: instantText(from), to: instantText(Math.min(to, lastInstant)) }),
    closedEpisodes: (account, at) =>
      episodes(
        `state <> 'open' and ${ended} <= @at and ${began} <= @at and ${ofAccount}`,
        `coalesce(closed_at, ${ended}) desc, symbol, hold_side, margin_mode, account`,
      ).iterate({ account, at: instantText(at) }),
    episodeOf(position, firstSeenAt, at) {
      const condition = positionKey.map((name) => `${name} = @${name}`).join(" and ");
      const isShown = "first_seen_at <= @at and (@firstSeenAt is null or first_seen_at = @firstSeenAt)";
      return episodes(`${condition} and ${isShown}`, newest).get({ ...position, firstSeenAt, at: instantText(at) });
    },
  };
}
