/** Decides which snapshots of a day are kept when it is pruned, and which are deleted. Reads only. */
import { dayMs } from "../../core/time.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { dayKey, type PrunedNote, prunedNotes } from "../chain/chain.ts";
import { layoutOf, type StorageLayout } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { prepareRanges, type Range } from "./daily-extremes.ts";

/** What pruning keeps and deletes of one day (epoch ms of its midnight, UTC) of one dataset of one account. */
export interface DayPlan {
  seriesId: number;
  account: string;
  layout: StorageLayout;
  day: number;
  /** Ids of the snapshots that are kept, ascending. */
  retain: number[];
  expire: ExpiredSnapshot[];
  ranges: Range[];
}

/** A good snapshot that pruning deletes. */
export interface ExpiredSnapshot {
  id: number;
  scopeId: number;
  layout: StorageLayout;
  /**
   * The good snapshots of its scope in ascending order of ids, from the first to the last of its day, and its index among them. The
   * last one is kept.
   */
  among: readonly number[];
  at: number;
}

interface SeriesRow {
  seriesId: number;
  account: string;
  dataset: string;
}

/** Returns a day (epoch ms of its midnight) as text, such as "2026-11-01". */
export const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);

/** Returns a function that plans the pruning of a day, with one plan for each series to change. */
export function createPlanner(sqlite: Sqlite, datasets: readonly Dataset[]): (day: number) => DayPlan[] {
  const noted = new Map(prunedNotes(sqlite).map((note) => [dayKey(note), note]));
  const series = sqlite
    .prepare(
      "select e.id as seriesId, a.name as account, e.dataset from series e join account a on a.id = e.account_id order by e.id",
    )
    .all() as SeriesRow[];
  const planners = series.flatMap(({ seriesId, account, dataset: name }) => {
    const dataset = datasets.find((one) => one.name === name);
    return dataset ? [createSeriesPlanner(sqlite, { seriesId, account }, layoutOf(dataset), noted)] : [];
  });
  return (day) => planners.map((plan) => plan(day)).filter((plan) => plan !== null);
}

function createSeriesPlanner(
  sqlite: Sqlite,
  series: { seriesId: number; account: string },
  layout: StorageLayout,
  noted: ReadonlyMap<string, PrunedNote>,
): (day: number) => DayPlan | null {
  const scopes = sqlite.prepare<[number], number>("select id from scope where series_id = ? order by id").pluck();
  const good = sqlite
    .prepare<[number, number, number], number>(
      `select id from snapshot where scope_id = ? and taken_at >= ? and taken_at < ? and error_code is null
       order by taken_at, id`,
    )
    .pluck();
  const findRequired = prepareRequired(sqlite, layout);
  const findOtherDays = prepareOtherDays(sqlite);
  const rangesOf = prepareRanges(sqlite, layout);
  return (day) => {
    const taken = scopes.all(series.seriesId).map((scopeId) => ({ scopeId, ids: good.all(scopeId, day, day + dayMs) }));
    const retain: number[] = [];
    const expire: ExpiredSnapshot[] = [];
    const ofOtherDays = findOtherDays(day, inOrder(taken.flatMap(({ ids }) => ids)));
    for (const { scopeId, ids } of taken) {
      if (ids.length === 0) continue;
      const ordered = inOrder(ids);
      // After a clock was set back, the order of ids is not that of time; a version ends at the next id.
      const ends = [ids[0], ids.at(-1), ordered[0], ordered.at(-1)].filter((id) => id !== undefined);
      const required = new Set([...ends, ...findRequired(scopeId, ordered)]);
      const foreign = new Set(ofOtherDays.filter((one) => one.scopeId === scopeId).map(({ id }) => id));
      const among = inOrder([...ids, ...foreign]);
      for (const [at, id] of among.entries()) {
        if (foreign.has(id)) continue;
        if (required.has(id)) retain.push(id);
        else expire.push({ id, scopeId, layout, among, at });
      }
    }
    retain.sort((one, other) => one - other);
    // A slot of a pruned day may be executed later; then more snapshots are kept than were noted.
    const note = noted.get(dayKey(["pruned", series.account, layout.dataset.name, dayText(day)]));
    if (expire.length === 0 && (!note || String(note[4]) === String(retain))) return null;
    const ranges = taken.flatMap(({ scopeId, ids }) => rangesOf(scopeId, day, inOrder(ids)));
    return { ...series, layout, day, retain, expire, ranges };
  };
}

/** Returns a function that finds good snapshots of other days between the ids of a day, as after a clock was set back. */
function prepareOtherDays(sqlite: Sqlite) {
  const statement = sqlite.prepare<unknown[], { scopeId: number; id: number }>(
    `select scope_id as scopeId, id from snapshot
     where id between ? and ? and error_code is null and not taken_at between ? and ?`,
  );
  return (day: number, ids: readonly number[]) => statement.all(ids[0], ids.at(-1), day, day + dayMs - 1);
}

const inOrder = (ids: readonly number[]): number[] => ids.toSorted((one, other) => one - other);

/**
 * Returns a function that finds the snapshots at which an item was removed, which only a row of that snapshot records; for positions
 * also those at which an episode may have begun, so that episodes are not merged.
 */
function prepareRequired(sqlite: Sqlite, { prefix, dataset }: StorageLayout) {
  const before = `select w.present, w.opened_at from ${prefix}_steady w
    where w.item_id = v.item_id and w.since < v.since order by w.since desc limit 1`;
  const isRequired = dataset.episodes ? `(v.present, v.opened_at) is not (${before})` : "v.present = 0";
  const statement = sqlite
    .prepare<unknown[], number>(
      `select v.since from ${prefix}_steady v
       where v.item_id in (select id from ${prefix}_item where scope_id = ?) and v.since between ? and ? and ${isRequired}`,
    )
    .pluck();
  return (scopeId: number, ids: readonly number[]): number[] => statement.all(scopeId, ids[0], ids.at(-1));
}
