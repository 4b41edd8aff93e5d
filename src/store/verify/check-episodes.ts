/** Recomputes the episodes of a scope and compares them with the stored ones. */

import { eq, getTableColumns } from "drizzle-orm";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { pause, type Steps } from "../../core/async/cooperate.ts";
import type { Episode } from "../positions/episodes.ts";
import { rebuildEpisodes } from "../positions/rebuild.ts";
import { episode } from "../schema/derived/episode-table.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Report, ScopeRow } from "./problem.ts";
import { prepareExpectation } from "./pruned-bounds.ts";

interface ItemRow {
  id: number;
  /** Its key for display. */
  name: string;
}

/** Reports the first differing field of each episode. Call it only if the snapshots of the scope are unaltered. */
export function* checkEpisodes(sqlite: Sqlite, scope: ScopeRow, report: Report): Steps<void> {
  const slotOf = sqlite.prepare("select r.slot from snapshot n join run r on r.id = n.run_id where n.id = ?").pluck();
  const orm = drizzle(sqlite);
  const comparable = prepareExpectation(sqlite, scope);
  for (const { id, name } of itemsOf(sqlite, scope.id)) {
    const reportEpisode = ({ since }: Episode, problem: string) => {
      const slot = slotOf.get(since) as number | undefined;
      report(`${scope.account} ${scope.dataset}: ${name} since snapshot ${since} ${problem}`, slot);
    };
    const rows = orm.select().from(episode).where(eq(episode.itemId, id)).all();
    const stored = new Map(rows.map((episode) => [episode.since, episode]));
    for (const episode of rebuildEpisodes(sqlite, id)) {
      if (episode === pause) {
        yield pause;
        continue;
      }
      const found = stored.get(episode.since);
      stored.delete(episode.since);
      const problem = found ? difference(found, comparable(found, episode)) : "(episode): has no row";
      if (problem) reportEpisode(episode, problem);
    }
    for (const episode of stored.values())
      reportEpisode(episode, "(episode): has a row, but no position was opened there");
    yield pause;
  }
}

function difference(found: Episode, expected: Episode): string | null {
  for (const [name, column] of Object.entries(columns)) {
    const was = expected[name as keyof Episode];
    if (found[name as keyof Episode] !== was) return `(episode.${column.name}): was ${JSON.stringify(was)}`;
  }
  return null;
}

const columns = getTableColumns(episode);

const itemsOf = (sqlite: Sqlite, scopeId: number): ItemRow[] =>
  sqlite
    .prepare<[number], ItemRow>(
      `select id, symbol || ' ' || margin_coin || ' ' || hold_side || ' ' || margin_mode as name
       from positions_item where scope_id = ? order by id`,
    )
    .all(scopeId);
