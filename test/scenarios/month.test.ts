/** Compares every view and every report with the simulated exchange's own record of a random month of two accounts. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../src/core/async/cooperate.ts";
import type { DatasetName } from "../../src/core/domain.ts";
import { datasets, snapshotDatasetNamed } from "../../src/datasets/index.ts";
import { exportHistory } from "../../src/output/export.ts";
import type { Span } from "../../src/queries/periods.ts";
import { reports } from "../../src/reports/index.ts";
import type { TrueRow } from "../../src/simulator/simulator.ts";
import type { HistoryReader } from "../../src/store/history.ts";
import { mirror } from "../../src/store/postgres/copy/mirror.ts";
import { Shipper } from "../../src/store/postgres/copy/ship.ts";
import { sharedViews } from "../../src/store/postgres/views.ts";
import { historyOn, openHistory } from "../../src/store/read/open-history.ts";
import { addDecimalFunctions } from "../../src/store/sql/decimal-functions.ts";
import { prepareQuery } from "../../src/store/sql/query.ts";
import { verify } from "../../src/store/verify/verify.ts";
import { contentsOf } from "../store/postgres/fill.ts";
import { connected, describePostgres, newHistory } from "../store/postgres/kit.ts";
import { modelledNames, viewOf } from "../support/declared.ts";
import { expectedEpisodes } from "./month/episodes.ts";
import { eventsOf, everything } from "./month/events.ts";
import { digitsOf, total, units } from "./month/exact.ts";
import { changesOf, chosen, knownAt, latest, rowsInOrder } from "./month/history.ts";
import { documented, instants, spans } from "./month/queries.ts";
import { createExpected } from "./month/reports.ts";
import { asRow, lines, plain, sorted } from "./month/rows.ts";
import { answersOf, gapsOf, runsOf, series } from "./month/runs.ts";
import { hour, type SimulatedMonth, simulateMonth } from "./month/simulate.ts";
import { sums } from "./month/sums.ts";
import { iso, type Truth, truthOf } from "./month/truth.ts";

const folder = mkdtempSync(join(tmpdir(), "collector-life-"));
let month: SimulatedMonth;
let database: Database.Database;
let history: HistoryReader;
let truth: Truth;

beforeAll(async () => {
  month = await simulateMonth(join(folder, "collector.db"), 16);
  database = new Database(month.path, { readonly: true });
  addDecimalFunctions(database);
  history = historyOn(database);
  truth = truthOf(month, database);
});

afterAll(() => {
  database?.close();
  rmSync(folder, { recursive: true, force: true });
});

const select = (sql: string): TrueRow[] => database.prepare<[], TrueRow>(sql).all();

const snapshotsOf = (dataset: DatasetName) => truth.snapshots.filter((one) => one.dataset === dataset);

/** Returns the columns that the exchange's record has. */
const columnsOf = (dataset: DatasetName): string[] => [
  ...new Set(snapshotsOf(dataset).flatMap(({ rows }) => Object.keys(rows[0] ?? {}))),
];

it("the month contains every kind of event", () => {
  expect(eventsOf(month, truth)).toEqual([...everything].sort());
});

describe.each(modelledNames)("%s", (dataset) => {
  it("shows in its history view exactly the rows that were sent, digit for digit", () => {
    const expected = snapshotsOf(dataset).flatMap(({ rows }) => rows);
    expect(expected.length).toBeGreaterThan(900);
    const shown = select(`select * from ${viewOf(dataset)}`);
    expect(sorted(shown, columnsOf(dataset))).toEqual(sorted(expected, columnsOf(dataset)));
  });

  it("shows in its latest view the last response for every scope that is still requested", () => {
    const shown = select(`select * from ${viewOf(dataset).replace("_history", "_latest")}`);
    expect(sorted(shown, columnsOf(dataset))).toEqual(sorted(latest(truth, dataset), columnsOf(dataset)));
  });

  it("returns the last good snapshots, or unknown, at hundreds of times", () => {
    const columns = columnsOf(dataset);
    for (const instant of instants(month, truth, dataset)) {
      const expected = knownAt(truth, dataset, instant);
      const found = history.asOf(snapshotDatasetNamed(dataset), {}, instant);
      const ofScope = ["account", "productType", "takenAt", "ageMs", "maxAgeMs", "known"];
      expect(sorted(found.scopes, ofScope), iso(instant)).toEqual(sorted(expected.scopes, ofScope));
      const rows = found.rows.map((cells) => asRow(found.columns, cells));
      expect(sorted(rows, columns), iso(instant)).toEqual(sorted(expected.rows, columns));
    }
  });

  it("returns the same for the query in the guide", () => {
    const columns = columnsOf(dataset);
    for (const instant of instants(month, truth, dataset).filter((_, at) => at % 41 === 3)) {
      const { rows } = knownAt(truth, dataset, instant, { everAsked: true });
      expect(sorted(select(documented(dataset, instant)), columns), iso(instant)).toEqual(sorted(rows, columns));
    }
  });

  it.each(["every row", "what changed"])(
    "reads %s, or the newest of them, in order, for any span and filter",
    (what) => {
      const columns = columnsOf(dataset);
      const changes = what === "what changed";
      const changed = changes ? changesOf(truth, dataset, select(`select * from ${viewOf(dataset)}`)) : null;
      const all = rowsInOrder(truth, dataset).filter(({ row }) => changed?.has(row) ?? true);
      const viewColumns = history.columns(snapshotDatasetNamed(dataset));
      for (const { filter, span } of spans(month, dataset)) {
        const found = history.rows(snapshotDatasetNamed(dataset), filter, span, { newest: span.newest, changes });
        const rows = [...found].map((cells) => asRow(viewColumns, cells));
        const expected = chosen(all, filter, span).slice(-span.newest);
        expect(lines(rows, columns), JSON.stringify({ filter, span })).toEqual(lines(expected, columns));
      }
    },
  );
});

describe("the run ledger", () => {
  it("has one run for every due slot, with its outcome", () => {
    const expected = series.flatMap(({ account, dataset }) => runsOf(month, account, dataset));
    const runs = select("select account, dataset, scheduled_for_ms as slot, state, cause, late_ms from runs");
    // A busy machine adds delays that are not part of the scenario.
    for (const run of runs)
      if (run.state === "ok" && run.cause === "late" && Number(run.late_ms) < 40_000) run.cause = null;
    const columns = ["account", "dataset", "slot", "state", "cause"];
    expect(sorted(runs, columns)).toEqual(sorted(expected, columns));
  });

  it("has one snapshot for every expected response, with its rows or its failure", () => {
    const expected = series.flatMap(({ account, dataset }) =>
      answersOf(month, account, dataset).map(({ slot, scope, code }) => {
        const good = truth.of(account, dataset, scope).filter((one) => one.slot === slot);
        const rows = good[0]?.rows.length ?? 0;
        const state = code === null ? "ok" : "failed";
        return { account, dataset, product_type: scope, slot, state, error_code: code, rows };
      }),
    );
    const snapshots = select(
      `select s.account, s.dataset, product_type, scheduled_for_ms as slot, s.state, error_code, s.rows
       from snapshots s join runs using (run_id)`,
    );
    const columns = ["account", "dataset", "product_type", "slot", "state", "error_code", "rows"];
    expect(sorted(snapshots, columns)).toEqual(sorted(expected, columns));
  });

  it("lists the gaps", () => {
    const expected = series.flatMap(({ account, dataset }) => gapsOf(month, account, dataset));
    const columns = ["account", "dataset", "product_type", "from_at", "to_at", "slots", "cause"];
    expect(sorted(select("select * from gaps"), columns)).toEqual(sorted(expected, columns));
  });

  it("lists the schedules in force and the API version of each account", () => {
    const patterns = select("select account, dataset, pattern from schedules order by account, dataset, since");
    const both = series.flatMap((one) => [
      { ...one, pattern: "0 0 */2 * * *" },
      { ...one, pattern: "0 0 * * * *" },
    ]);
    expect(sorted(patterns, ["account", "dataset", "pattern"])).toEqual(
      sorted(both, ["account", "dataset", "pattern"]),
    );
    expect(select("select account, api from account_modes order by account, since")).toEqual([
      { account: "hedge", api: "v2" },
      { account: "main", api: "v2" },
      { account: "main", api: "v3" },
    ]);
  });

  it("verifies, with every slot accounted for", async () => {
    const { problems, due, accounted, runs, rows } = await verify(month.path, datasets);
    const slots = month.slots.length * series.length;
    const rowCount = truth.snapshots.reduce((sum, one) => sum + one.rows.length, 0);
    expect({ problems, due, accounted, runs, rows }).toEqual({
      problems: [],
      due: slots,
      accounted: slots,
      runs: slots,
      rows: rowCount,
    });
  });
});

it.each(sums)("%s: decimal_sum of %s by %s is exact", (dataset, sum, by, amount, group) => {
  const expected = new Map<string, string[]>();
  for (const row of snapshotsOf(dataset).flatMap(({ rows }) => rows)) {
    const amounts = expected.get(group(row)) ?? [];
    expected.set(group(row), amounts);
    amounts.push(amount(row));
  }
  const query = prepareQuery(database, `select ${by}, decimal_sum(${sum}) from ${viewOf(dataset)} group by 1`);
  const found = [...query.rows()].map(([name, value]) => `${name} ${digitsOf(units(String(value)))}`);
  expect(found.length).toBeGreaterThan(1);
  expect(found.sort()).toEqual([...expected].map(([name, all]) => `${name} ${digitsOf(total(all))}`).sort());
});

/** Returns the rows of a report as JSON lines. */
function reported(name: string, span: Span): string[] {
  const rows = reports.find((one) => one.name === name)?.rows({ history, account: null, now: month.ended }, span);
  return [...(rows ?? [])].flatMap((row) => (row === pause ? [] : [JSON.stringify(row.map(plain))]));
}

describePostgres("shipped to PostgreSQL", () => {
  it("shows the same rows in every view, and comes back as a file with the same rows, chain and exports", async () => {
    const postgres = await connected(await newHistory());
    const shipper = new Shipper({ path: month.path, postgres, datasets, now: () => month.ended });
    await shipper.pass();
    shipper.close();
    for (const view of sharedViews(datasets)) {
      const rows = select(`select * from ${view}`);
      const text = (all: readonly object[]) => all.map((row) => JSON.stringify(row)).sort();
      expect(text(await postgres.query<object>(`select * from ${view}`)), view).toEqual(text(rows));
      expect(await postgres.query(`select count(*) as n from bitget_typed.${view}`), view).toEqual([
        { n: rows.length },
      ]);
    }
    const copy = join(folder, "mirror.db");
    await mirror(postgres, copy, { datasets, now: Date.now });
    expect(contentsOf(copy)).toEqual(contentsOf(month.path));
    expect(await verify(copy, datasets)).toEqual(await verify(month.path, datasets));
    const everything = { from: 0, to: Number.MAX_SAFE_INTEGER };
    const bytesOf = async (path: string, name: DatasetName) => {
      const [reader, file] = [openHistory(path), join(folder, `export.${name === "positions" ? "parquet" : "csv"}`)];
      await exportHistory(reader, snapshotDatasetNamed(name), file, {
        span: everything,
        signal: new AbortController().signal,
      });
      reader.close();
      return readFileSync(file);
    };
    for (const name of modelledNames)
      expect((await bytesOf(copy, name)).equals(await bytesOf(month.path, name))).toBe(true);
  });
});

describe("position episodes", () => {
  const columns = [
    ...["account", "product_type", "symbol", "margin_coin", "hold_side", "margin_mode", "state", "opened_at"],
    ...["first_seen_at", "last_seen_at", "closed_after", "closed_before", "largest_total", "average_open_price"],
    ...["worst_unrealized_pl", "best_unrealized_pl", "closest_liquidation", "realized_pl", "funding", "fees"],
    ...["realized_pl_seen", "funding_seen", "fees_seen"],
  ];

  it("are those derived from the snapshots in order", () => {
    const expected = expectedEpisodes(truth);
    expect([...new Set(expected.map(({ state }) => state))].sort()).toEqual(["closed", "open", "unknown"]);
    expect(sorted(select("select * from position_episodes"), columns)).toEqual(sorted(expected, columns));
  });

  it("are reported for every day that they overlap", () => {
    const all = expectedEpisodes(truth);
    for (const { from, to } of createExpected(month, truth, "America/New_York", "day").periods) {
      const within = all.filter(({ state, first_seen_at, last_seen_at, closed_before }) => {
        const end = state === "open" ? iso(month.ended) : String(closed_before ?? last_seen_at);
        return String(first_seen_at) < iso(to) && end >= iso(from);
      });
      const span: Span = { timezone: "America/New_York", by: "day", from: from + 1, to: to - 1 };
      const rows = reported("episodes", span).map((row) => JSON.parse(row) as (string | number | null)[]);
      const own = rows.map((row) => JSON.stringify(row.slice(0, columns.length)));
      expect(own.sort(), iso(from)).toEqual(sorted(within, columns));
      // All of them were seen. The exchange's records, which have the rest, are not collected in this month.
      for (const row of rows) expect([...new Set(row.slice(columns.length))]).toEqual([1, null]);
    }
  });
});

const zones = ["America/New_York", "Australia/Lord_Howe", "UTC"];
const kinds = ["balances", "positions", "equity", "changes", "coverage"] as const;

describe.each(zones.flatMap((timezone) => (["day", "month"] as const).map((by) => ({ timezone, by }))))(
  "in $timezone by $by",
  ({ timezone, by }) => {
    const whole = (): Span => ({ timezone, by, from: month.began, to: month.ended });

    it.each(kinds)("the report %s matches the exchange's record", (name) => {
      const expected = [...createExpected(month, truth, timezone, by)[name]()].map((row) => JSON.stringify(row));
      expect(reported(name, whole()).sort()).toEqual(expected.sort());
    });

    it("changes of equity add up from any close to any later one, to the last digit", () => {
      const rows = reported("equity", whole()).map((row) => JSON.parse(row) as (string | null)[]);
      let added = 0;
      for (const account of ["main", "hedge"]) {
        let [from, sum] = [null as string | null, 0n];
        for (const [, , opening = null, closing = null, change = null] of rows.filter((row) => row[1] === account)) {
          from = change === null ? null : (from ?? opening);
          sum = change === null || from === opening ? units(change ?? "0") : sum + units(change);
          if (from === null) continue;
          expect(digitsOf(units(from) + sum)).toBe(closing);
          added += 1;
        }
      }
      expect(added).toBeGreaterThan(by === "day" ? 40 : 0);
    });
  },
);

it("the day on which New York's clocks go back has 25 slots, the one on which Lord Howe's go forward 23.5 hours", () => {
  const slots = reported("coverage", {
    timezone: "America/New_York",
    by: "day",
    from: Date.UTC(2026, 10, 1, 12),
    to: Date.UTC(2026, 10, 1, 13),
  });
  expect(slots.at(-1)).toMatch(/^\["2026-11-01","public","prices",25,/);
  const { periods } = createExpected(month, truth, "Australia/Lord_Howe", "day");
  expect(periods.map(({ from, to }) => (to - from) / hour).slice(0, 3)).toEqual([24, 23.5, 24]);
});
