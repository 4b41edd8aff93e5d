import { rmSync } from "node:fs";
import { query } from "../test/store/kit.ts";
import { setup as build } from "../test/support/build.ts";
import { storeDuringQuery } from "./concurrent-query.ts";
import { exportCsv, exportWithSqlite, positionsHeld } from "./exporting.ts";
import { type Comparison, compare, type Figure, median, percentile } from "./figure.ts";
import { newFolder } from "./folder.ts";
import { type History, startHistory } from "./history.ts";
import { queryCurves, queryMonths, queryStates } from "./queries.ts";

const days = { whole: 365, quick: 60 };

export const year: Figure = {
  name: "year",
  summary: `a history of ${days.whole} days (--quick: ${days.quick}), a snapshot a minute: queries and exports`,
  async run({ quick }) {
    const minutes = (quick ? days.quick : days.whole) * 1440;
    build();
    const folder = newFolder();
    const history = await startHistory(folder);
    try {
      await history.grow(minutes / 10);
      const early = queryStates(history);
      const built = await history.grow(minutes - minutes / 10);
      return [
        compare("writing a minute, many at a time", built.ours, "ms", "plain rows", built.plain),
        sizeOf(history),
        ...queried(history, early.ours),
        ...(await exported(history, minutes)),
        ...(await stored(history)),
      ];
    } finally {
      await history.close();
      rmSync(folder, { recursive: true });
    }
  },
};

function sizeOf({ path, plainPath }: History): Comparison {
  const [ours = 0, plain = 0] = [path, plainPath].map((one) => {
    const [found] = query(one, "select page_count * page_size as size from pragma_page_count, pragma_page_size");
    return Number(found?.size) / 2 ** 20;
  });
  return compare("the database", ours, "MiB", "plain rows", plain);
}

function queried(history: History, early: readonly number[]): Comparison[] {
  const p95 = (durations: readonly number[]) => percentile(durations, 95);
  const states = queryStates(history);
  const state = "coins and positions as of a time, 95th percentile";
  const months = queryMonths(history);
  const curves = queryCurves(history);
  return [
    compare(state, p95(states.ours), "ms", "plain rows", p95(states.plain)),
    compare(state, p95(states.ours), "ms", "a tenth of the history", p95(early)),
    compare("a coin's 30 days", median(months.ours), "ms", "plain rows", median(months.plain)),
    compare("equity at the end of every day", median(curves.ours), "ms", "plain rows", median(curves.plain)),
  ];
}

async function exported(history: History, minutes: number): Promise<Comparison[]> {
  const rows = minutes * positionsHeld;
  const early = await exportCsv(history, minutes / 10);
  const whole = await exportCsv(history, minutes);
  const plain = await exportWithSqlite(history.plainPath, "select * from positions", rows);
  const some = rows / 10;
  const view = await exportWithSqlite(history.path, `select * from positions_history limit ${some}`, some);
  const what = "export of positions as CSV";
  return [
    compare(what, whole.rowsPerSecond, "rows/s", "sqlite3 -csv, plain rows", plain),
    compare(what, whole.rowsPerSecond, "rows/s", "sqlite3 -csv, our view", view),
    compare("its resident memory, peak", whole.peak, "MiB", "a tenth of the rows", early.peak),
  ];
}

async function stored(history: History): Promise<Comparison[]> {
  const { alone, duringQuery } = await storeDuringQuery(history);
  const what = "storing a minute during a query of 10 s";
  return [
    compare(`${what}, 95th percentile`, percentile(duringQuery, 95), "ms", "alone", percentile(alone, 95)),
    compare(`${what}, longest`, Math.max(...duringQuery), "ms", "alone", Math.max(...alone)),
  ];
}
