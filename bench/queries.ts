/** Queries a long history in both databases, and returns the milliseconds of each query. */
import Database from "better-sqlite3";
import type { Dataset } from "../src/datasets/dataset.ts";
import { openHistory } from "../src/store/read/open-history.ts";
import type { Sqlite } from "../src/store/sqlite/database.ts";
import { equity, positions, pseudoRandom, spotAssets } from "../test/store/minutes.ts";
import { timed } from "./figure.ts";
import type { History } from "./history.ts";

export const day = 86_400_000;

/** The number of states to query, and of repetitions of the longer queries. */
const instants = 1000;
const times = 9;
const coins = Array.from({ length: times }, (_, n) => `COIN${n}`);

export interface Durations {
  ours: number[];
  plain: number[];
}

/** Queries all coins and positions at random times. */
export function queryStates(history: History): Durations {
  const random = pseudoRandom(22);
  const at = Array.from({ length: instants }, () => history.from + 1000 + random(history.to() - history.from - 1000));
  return {
    ours: timeQueries(openHistory(history.path), (ours) => {
      const rowsAt = (dataset: Dataset, instant: number) => ours.asOf(dataset, {}, instant).rows.length;
      return at.map((instant) => () => rowsAt(spotAssets, instant) === 50 && rowsAt(positions, instant) === 20);
    }),
    plain: timeQueries(openPlain(history), (sqlite) => {
      const [coinsAt, positionsAt] = [
        plainState(sqlite, "spot_assets", "coin"),
        plainState(sqlite, "positions", "symbol"),
      ];
      return at.map((instant) => () => coinsAt(instant) === 50 && positionsAt(instant) === 20);
    }),
  };
}

/** Returns a query for the last row of each item, which steps from item to item in the index. */
function plainState(sqlite: Sqlite, table: string, key: string): (instant: number) => number {
  const statement = sqlite.prepare<[string], unknown[]>(
    `with recursive item (name) as (
       select min(${key}) from ${table} where account = 'main'
       union all
       select (select min(${key}) from ${table} where account = 'main' and ${key} > name) from item where name is not null
     )
     select r.* from item cross join ${table} r on r.account = 'main' and r.${key} = name and r.taken_at =
       (select max(taken_at) from ${table} where account = 'main' and ${key} = name and taken_at <= ?)`,
  );
  return (instant) => statement.raw().all(new Date(instant).toISOString()).length;
}

/** Queries every minute of a coin in the last 30 days. */
export function queryMonths(history: History): Durations {
  const [from, to] = [history.to() - 30 * day, history.to()];
  const rows = 30 * 1440;
  return {
    ours: timeQueries(openHistory(history.path), (ours) =>
      coins.map((coin) => () => [...ours.rows(spotAssets, { account: "main", coin }, { from, to })].length === rows),
    ),
    plain: timeQueries(openPlain(history), (sqlite) => {
      const statement = sqlite.prepare(
        "select * from spot_assets where account = 'main' and coin = ? and taken_at >= ? and taken_at < ? order by taken_at",
      );
      const [first, last] = [from, to].map((instant) => new Date(instant).toISOString());
      return coins.map((coin) => () => statement.raw().all(coin, first, last).length === rows);
    }),
  };
}

/** Queries the equity at the end of every day. */
export function queryCurves(history: History): Durations {
  const ends: number[] = [];
  for (let end = history.from + day; end <= history.to(); end += day) ends.push(end - 1);
  return {
    ours: timeQueries(openHistory(history.path), (ours) =>
      coins.map(() => () => ends.every((end) => ours.asOf(equity, {}, end).rows.length === 1)),
    ),
    plain: timeQueries(openPlain(history), (sqlite) => {
      const statement = sqlite.prepare(
        "select * from equity where account = 'main' and taken_at <= ? order by taken_at desc limit 1",
      );
      return coins.map(() => () => ends.every((end) => statement.raw().all(new Date(end).toISOString()).length === 1));
    }),
  };
}

const openPlain = ({ plainPath }: History): Sqlite => new Database(plainPath, { readonly: true });

/** Times the queries and closes the connection. @throws Error if a result is wrong: its time is not valid then */
function timeQueries<Open extends { close(): void }>(
  opened: Open,
  queries: (opened: Open) => (() => boolean)[],
): number[] {
  try {
    return queries(opened).map((isCorrect) =>
      timed(() => {
        if (!isCorrect()) throw new Error("the query returned the wrong number of rows");
      }),
    );
  } finally {
    opened.close();
  }
}
