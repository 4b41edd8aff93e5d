/** Every view and every report against the simulated exchange's own record, over a long random life of two accounts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../src/core/async/cooperate.ts";
import type { DatasetName } from "../../src/core/domain.ts";
import { datasetNamed, datasets } from "../../src/datasets/index.ts";
import type { Span } from "../../src/queries/periods.ts";
import { reports } from "../../src/reports/index.ts";
import type { TrueRow } from "../../src/simulator/simulator.ts";
import type { HistoryReader } from "../../src/store/history.ts";
import { historyOn } from "../../src/store/read/open-history.ts";
import { addDecimalFunctions } from "../../src/store/sql/decimal-functions.ts";
import { prepareQuery } from "../../src/store/sql/query.ts";
import { verify } from "../../src/store/verify/verify.ts";
import { modelledNames, viewOf } from "../support/declared.ts";
import { changesOf, chosen, knownAt, latest, rowsInOrder } from "./life/answers.ts";
import { eventsOf, everything } from "./life/events.ts";
import { digitsOf, total, units } from "./life/exact.ts";
import { answersOf, gapsOf, runsOf, series } from "./life/ledger.ts";
import { hour, type Lived, live } from "./life/life.ts";
import { lives } from "./life/lives.ts";
import { documented, instants, spans } from "./life/questions.ts";
import { createExpected } from "./life/reports.ts";
import { asRow, lines, plain, sorted } from "./life/rows.ts";
import { sums } from "./life/sums.ts";
import { iso, type Truth, truthOf } from "./life/truth.ts";

const folder = mkdtempSync(join(tmpdir(), "collector-life-"));
let lived: Lived;
let database: Database.Database;
let history: HistoryReader;
let truth: Truth;

beforeAll(async () => {
  lived = await live(join(folder, "collector.db"), 16);
  database = new Database(lived.path, { readonly: true });
  addDecimalFunctions(database);
  history = historyOn(database);
  truth = truthOf(lived, database);
});

afterAll(() => {
  database?.close();
  rmSync(folder, { recursive: true, force: true });
});

const select = (sql: string): TrueRow[] => database.prepare<[], TrueRow>(sql).all();

const snapshotsOf = (dataset: DatasetName) => truth.snapshots.filter((one) => one.dataset === dataset);

/** The columns that the record knows something about. */
const columnsOf = (dataset: DatasetName): string[] => [
  ...new Set(snapshotsOf(dataset).flatMap(({ rows }) => Object.keys(rows[0] ?? {}))),
];

it("a life has everything in it that can happen", () => {
  expect(eventsOf(lived, truth)).toEqual([...everything].sort());
});

describe.each(modelledNames)("%s", (dataset) => {
  it("shows in its history view every row that was told, digit for digit, and no other", () => {
    const expected = snapshotsOf(dataset).flatMap(({ rows }) => rows);
    expect(expected.length).toBeGreaterThan(900);
    const shown = select(`select * from ${viewOf(dataset)}`);
    expect(sorted(shown, columnsOf(dataset))).toEqual(sorted(expected, columnsOf(dataset)));
  });

  it("shows in its latest view the last answer of every scope that is still asked", () => {
    const shown = select(`select * from ${viewOf(dataset).replace("_history", "_latest")}`);
    expect(sorted(shown, columnsOf(dataset))).toEqual(sorted(latest(truth, dataset), columnsOf(dataset)));
  });

  it("answers for hundreds of instants from the last good snapshots, or says unknown", () => {
    const columns = columnsOf(dataset);
    for (const instant of instants(lived, truth, dataset)) {
      const expected = knownAt(truth, dataset, instant);
      const found = history.asOf(datasetNamed(dataset), {}, instant);
      const ofScope = ["account", "productType", "takenAt", "ageMs", "maxAgeMs", "known"];
      expect(sorted(found.scopes, ofScope), iso(instant)).toEqual(sorted(expected.scopes, ofScope));
      const rows = found.rows.map((cells) => asRow(found.columns, cells));
      expect(sorted(rows, columns), iso(instant)).toEqual(sorted(expected.rows, columns));
    }
  });

  it("answers the same to the query of the guide", () => {
    const columns = columnsOf(dataset);
    for (const instant of instants(lived, truth, dataset).filter((_, at) => at % 41 === 3)) {
      const { rows } = knownAt(truth, dataset, instant, { everAsked: true });
      expect(sorted(select(documented(dataset, instant)), columns), iso(instant)).toEqual(sorted(rows, columns));
    }
  });

  it.each(["every row", "what changed"])(
    "reads over any span %s, or the newest, of whatever is chosen, in order",
    (what) => {
      const columns = columnsOf(dataset);
      const changes = what === "what changed";
      const changed = changes ? changesOf(truth, dataset, select(`select * from ${viewOf(dataset)}`)) : null;
      const all = rowsInOrder(truth, dataset).filter(({ row }) => changed?.has(row) ?? true);
      for (const { filter, span } of spans(lived, dataset)) {
        const found = history.rows(datasetNamed(dataset), filter, span, { newest: span.newest, changes });
        const rows = [...found].map((cells) => asRow(history.columns(datasetNamed(dataset)), cells));
        const expected = chosen(all, filter, span).slice(-span.newest);
        expect(lines(rows, columns), JSON.stringify({ filter, span })).toEqual(lines(expected, columns));
      }
    },
  );
});

describe("the ledger", () => {
  it("has one run for every slot that was due, and says what became of it", () => {
    const expected = series.flatMap(({ account, dataset }) => runsOf(lived, account, dataset));
    const runs = select("select account, dataset, scheduled_for_ms as slot, state, cause, late_ms from runs");
    // A busy machine is late by itself.
    for (const run of runs)
      if (run.state === "ok" && run.cause === "late" && Number(run.late_ms) < 40_000) run.cause = null;
    const columns = ["account", "dataset", "slot", "state", "cause"];
    expect(sorted(runs, columns)).toEqual(sorted(expected, columns));
  });

  it("has one snapshot for every answer that was due, with its rows or its failure", () => {
    const expected = series.flatMap(({ account, dataset }) =>
      answersOf(lived, account, dataset).map(({ slot, scope, code }) => {
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

  it("tells the gaps", () => {
    const expected = series.flatMap(({ account, dataset }) => gapsOf(lived, account, dataset));
    const columns = ["account", "dataset", "product_type", "from_at", "to_at", "slots", "cause"];
    expect(sorted(select("select * from gaps"), columns)).toEqual(sorted(expected, columns));
  });

  it("tells which schedules were in force, and which generation each account spoke", () => {
    const patterns = select("select account, dataset, pattern from schedules order by account, dataset, since");
    const both = series.flatMap((one) => [
      { ...one, pattern: "0 */2 * * *" },
      { ...one, pattern: "0 * * * *" },
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
    const { problems, due, accounted, runs, rows } = await verify(lived.path, datasets);
    const slots = lived.slots.length * series.length;
    const told = truth.snapshots.reduce((sum, one) => sum + one.rows.length, 0);
    expect({ problems, due, accounted, runs, rows }).toEqual({
      problems: [],
      due: slots,
      accounted: slots,
      runs: slots,
      rows: told,
    });
  });
});

it.each(sums)("of %s the decimal_sum of %s by %s is exact", (dataset, sum, by, amount, group) => {
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

/** The rows of a report, as lines. */
function reported(name: string, span: Span): string[] {
  const rows = reports.find((one) => one.name === name)?.rows({ history, account: null, now: lived.ended }, span);
  return [...(rows ?? [])].flatMap((row) => (row === pause ? [] : [JSON.stringify(row.map(plain))]));
}

describe("the lives of positions", () => {
  const columns = [
    ...["account", "product_type", "symbol", "margin_coin", "hold_side", "margin_mode", "state", "opened_at"],
    ...["first_seen_at", "last_seen_at", "closed_after", "closed_before", "largest_total", "average_open_price"],
    ...["worst_unrealized_pl", "best_unrealized_pl", "closest_liquidation", "realized_pl", "funding", "fees"],
    ...["realized_pl_seen", "funding_seen", "fees_seen"],
  ];

  it("are those that the snapshots tell one after the other", () => {
    const expected = lives(truth);
    expect([...new Set(expected.map(({ state }) => state))].sort()).toEqual(["closed", "open", "unknown"]);
    expect(sorted(select("select * from position_episodes"), columns)).toEqual(sorted(expected, columns));
  });

  it("are reported for the days in which they have a part", () => {
    const all = lives(truth);
    for (const { from, to } of createExpected(lived, truth, "America/New_York", "day").periods) {
      const within = all.filter(({ state, first_seen_at, last_seen_at, closed_before }) => {
        const end = state === "open" ? iso(lived.ended) : String(closed_before ?? last_seen_at);
        return String(first_seen_at) < iso(to) && end >= iso(from);
      });
      const span: Span = { timezone: "America/New_York", by: "day", from: from + 1, to: to - 1 };
      expect(reported("episodes", span).sort(), iso(from)).toEqual(sorted(within, columns));
    }
  });
});

const zones = ["America/New_York", "Australia/Lord_Howe", "UTC"];
const kinds = ["balances", "positions", "equity", "changes", "coverage"] as const;

describe.each(zones.flatMap((timezone) => (["day", "month"] as const).map((by) => ({ timezone, by }))))(
  "in $timezone by $by",
  ({ timezone, by }) => {
    const whole = (): Span => ({ timezone, by, from: lived.began, to: lived.ended });

    it.each(kinds)("the report %s says what the record says", (name) => {
      const expected = [...createExpected(lived, truth, timezone, by)[name]()].map((row) => JSON.stringify(row));
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
  const { periods } = createExpected(lived, truth, "Australia/Lord_Howe", "day");
  expect(periods.map(({ from, to }) => (to - from) / hour).slice(0, 3)).toEqual([24, 23.5, 24]);
});
