/** Tests what the pages say of profits: of simulated accounts, compared with the reports, and of small histories. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runToEnd } from "../../src/core/async/cooperate.ts";
import { absolute, add, compare, round, sum } from "../../src/core/decimal.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { periodsOf } from "../../src/queries/periods.ts";
import { openHistory } from "../../src/store/read/open-history.ts";
import { type Paid, PaidCache } from "../../src/web/curves/profit/paid.ts";
import { type DayResult, monthResults, shownSpan, summed } from "../../src/web/data/performance/performance.ts";
import type { View } from "../../src/web/data/table.ts";
import { daysOfSum } from "../../src/web/pages/performance/calendar.ts";
import { type Served, servePages } from "../browser/browser.ts";
import { equityRow, reportRows } from "../reports/kit.ts";
import { type Life, live } from "../reports/pnl-life.ts";
import { collect, failed, minute, start } from "../store/kit.ts";
import { fetchOnce, fetchPage } from "../support/http.ts";
import { startAccounts } from "./account.ts";

describe("the performance of simulated accounts", () => {
  let life: Life;
  let served: Served;
  const end = Date.parse("2026-02-01T00:01:00Z");

  beforeAll(async () => {
    life = await live(31, Number.POSITIVE_INFINITY);
    served = await servePages(life.path, () => end);
  });
  afterAll(async () => {
    served.close();
    await life.close();
  });

  const curveOf = async (query: string) => {
    const response = await fetchOnce(new URL(`/api/curve?of=profit&${query}`, served.url));
    return (await response.json()) as { at: number[]; lines: { values: (string | null)[] }[]; unknown: unknown[] };
  };

  const get = async (path: string) => (await fetchPage(new URL(path, served.url))).text();

  // The first span is read point by point, the second from the cached hours.
  it.each([
    ["2026-01-03", "2026-01-09"],
    ["2026-01-01", "2026-02-01"],
  ])("is that of the report of returns, to the last digit, as is the drawdown (%s to %s)", async (from, to) => {
    const span = { timezone: "UTC", by: "day" as const, from: Date.parse(from), to: Date.parse(to) };
    for (const account of ["main", "hedge"]) {
      const total = reportRows(life.path, "returns", span, { account, now: end }).at(-1);
      const [first, last] = [Date.parse(String(total?.opening_at)), Date.parse(String(total?.closing_at))];
      const { at, lines } = await curveOf(`account=${account}&from=${first}&to=${last + 1}&width=4000`);
      const [profit, drawdown] = lines.map(({ values }) => values.map((value) => value ?? "unknown"));
      expect([at[0], at.at(-1), profit?.at(-1)]).toEqual([first, last, total?.result]);
      const lowest = drawdown?.reduce((a, b) => (compare(a, b) <= 0 ? a : b)) ?? "";
      expect(round(absolute(lowest), 12)).toBe(round(String(total?.drawdown), 12));
      expect(compare(lowest, "0")).toBe(-1);
    }
  });

  it("has returns whose flows and results are those of the report of profits on every day, also with a transfer under way", () => {
    const span = { timezone: "UTC", by: "day" as const, from: Date.parse("2026-01-02"), to: Date.parse("2026-02-01") };
    for (const account of ["main", "hedge"]) {
      const [profits, found] = ["pnl", "returns"].map((name) =>
        reportRows(life.path, name, span, { account, now: end }),
      );
      expect(found?.slice(0, -1).map(({ day, flows, result }) => [day, flows, result])).toEqual(
        profits?.map(({ day, flows, profit, unexplained }) => [day, flows, add(String(profit), String(unexplained))]),
      );
      expect(sum(found?.slice(0, -1).map(({ flows }) => String(flows)) ?? [])).toBe(found?.at(-1)?.flows);
    }
  });

  it("lists the payments of both accounts on the overview, the newest first", async () => {
    const page = await get("/");
    expect(page).not.toContain("1970");
    const events = [...page.matchAll(/<li data-at="(\d+)" data-flag="([DWT])">.*?<span>(.*?)<\/span>/g)];
    const texts = events.map(([, , , text = ""]) => text.replace(/<[^>]*>/g, ""));
    expect(new Set(events.map(([, , flag]) => flag))).toEqual(new Set(["D", "W", "T"]));
    expect(texts).toContainEqual(expect.stringMatching(/^main: deposit of [\d,.]+ USDT$/));
    expect(texts).toContainEqual(expect.stringMatching(/^hedge: withdrawal of [\d,.]+ [A-Z]+( \([\d,.]+ USDT\))?$/));
    const times = events.map(([, at]) => Number(at));
    expect(times).toEqual(times.toSorted((one, other) => other - one));
  });

  it("reads payments once, also for two requests at the same time", () => {
    const history = openHistory(life.path);
    const cache = new PaidCache();
    const requests = [cache.of(history, ["main"], end), cache.of(history, ["main"], end)];
    const found: Paid[] = [];
    while (found.length < requests.length)
      for (const request of requests) {
        const { done, value } = request.next();
        if (done && value) found.push(value);
      }
    const alone = runToEnd(new PaidCache().of(history, ["main"], end));
    history.close();
    expect(alone.flows.length).toBeGreaterThan(5);
    expect(found).toEqual([alone, alone]);
  });

  it("is the equity above its net deposits, at every point", async () => {
    const range = `account=main&from=${Date.parse("2026-01-03")}&to=${Date.parse("2026-01-09")}&width=4000`;
    const { at, lines } = await curveOf(range);
    const response = await fetchOnce(new URL(`/api/curve?lines=ledger_part,net_deposits&${range}`, served.url));
    const found = (await response.json()) as Awaited<ReturnType<typeof curveOf>>;
    const [equities, deposits] = found.lines.map(({ values }) => values.map((value) => value ?? "unknown"));
    expect(found.at).toEqual(at);
    expect(new Set(deposits).size).toBeGreaterThan(2);
    expect(equities).toEqual(deposits?.map((value, index) => add(value, lines[0]?.values[index] ?? "unknown")));
    const csv = await get(`/api/curve.csv?lines=total,net_deposits&${range}`);
    const cells = csv
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(","));
    expect(cells[0]).toEqual(["at", "total", "net_deposits"]);
    expect(cells.slice(1).map((row) => row[2])).toEqual(deposits);
  });

  it("has on the curve the flows of both accounts in their sum", async () => {
    const [main, hedge, both] = await Promise.all(
      ["account=main&", "account=hedge&", ""].map(async (account) => {
        const { lines } = await curveOf(`${account}from=${Date.parse("2026-01-02")}&to=${end}&width=4000`);
        return lines[0]?.values.at(-1) ?? "unknown";
      }),
    );
    expect(both).toBe(add(main ?? "", hedge ?? ""));
  });

  const daysOf = async (query: string) => {
    const found = (await (await fetchOnce(new URL(`/api/performance?span=3m&${query}`, served.url))).json()) as {
      rows: Record<string, string | number | null>[];
    };
    return found.rows;
  };

  it("is by day and by month that of the report of profits, and by month the sum of the days, to the last digit", async () => {
    const span = { timezone: "UTC", from: Date.parse("2026-01-01"), to: Date.parse("2026-02-01") };
    for (const account of ["main", "hedge"]) {
      const rows = reportRows(life.path, "pnl", { ...span, by: "day" }, { account, now: end });
      const reported = new Map(rows.map(({ day, profit, unexplained }) => [day, [profit, unexplained].map(String)]));
      const days = await daysOf(`account=${account}&by=day`);
      const [month] = await daysOf(`account=${account}&by=month`);
      const january = days.filter(({ period }) => String(period).startsWith("2026-01"));
      expect(january.length).toBe(30);
      for (const { period, profit } of january) expect(profit).toBe(sum(reported.get(String(period)) ?? []));
      expect(month).toMatchObject({
        period: "2026-01",
        profit: sum(january.map(({ profit }) => String(profit))),
        fees: sum(january.map(({ fees }) => String(fees))),
        // Nothing was recorded before its first day.
        state: "incomplete",
        unknown_days: 1,
        sums_of_days: expect.stringMatching(/^profit 30 of 31;/),
      });
    }
  });

  it("is on the calendar what the table has, and its days add up to the month to the last digit", async () => {
    const page = await get("/performance?account=main&span=3m");
    const calendars = page.match(/<table class="pnl-calendar">[\s\S]*?<\/table>/g) ?? [];
    const january = calendars.find((one) => one.includes("January 2026")) ?? "";
    const [month, ...days] = [...january.matchAll(/<data[^>]* value="([^"]+)"/g)].map(([, value = ""]) => value);
    expect(days.length).toBe(30);
    expect(sum(days)).toBe(month);
    const [row] = await daysOf("account=main&by=month");
    expect(row?.profit).toBe(month);
  });

  it("is of both accounts together their sum", async () => {
    const [main, hedge, both] = await Promise.all(
      ["account=main&", "account=hedge&", ""].map(async (account) => {
        const [month] = await daysOf(`${account}by=month`);
        return String(month?.profit);
      }),
    );
    expect(both).toBe(add(main ?? "", hedge ?? ""));
  });
});

it("calls it a change of the equity where no ledger is collected, hatches days with gaps, and shows today in progress", async () => {
  const { record, store, page, json } = await startAccounts({ minutes: 3 * 1440 - 60 });
  const values = { 1: "100", 1439: "110", 2879: "99.5", 4259: "120.25" };
  for (const [at, value] of Object.entries(values)) await record(equity, Number(at), [equityRow(value)]);
  for (const at of [2000, 4000].map((one) => start + one * minute))
    await collect(store, equity, at, { failures: [failed("40014", at)] });
  const { rows } = await json("/api/performance?by=day");
  expect(rows).toMatchObject([
    { period: "2026-11-02", state: "unknown", profit: null, change: "-10.5", closing: "99.5" },
    { period: "2026-11-03", state: "in progress", profit: null, change: "20.75", closing: "120.25" },
  ]);
  const found = await page("/performance");
  expect(found).toContain("Equity change by day, USDT");
  expect(found).toMatch(
    /<td class="down gap"><span class="day">2<\/span> <data value="-10.5" title="-10.5">−10<span class="places">.50<\/span>/,
  );
  expect(found).toMatch(/<td class="up gap running">.*in progress/);
});

it("says of a sum of how many days it is where others are unknown", () => {
  const known = { ...Object.fromEntries(summed.map((name) => [name, "1.5"])), unknown: [] as string[] };
  const day = (name: string, own: Partial<DayResult>) =>
    ({ ...known, day: { name, from: Date.parse(name), to: 0 }, due: 1, ok: 1, closing: "9", ...own }) as DayResult;
  const days = [
    day("2026-11-04", {}),
    day("2026-11-05", { profit: null, prices: null }),
    day("2026-11-06", { prices: null }),
  ];
  const [month] = monthResults([...days, day("2026-11-07", { interest: null, isRunning: true })]);
  if (!month) throw new Error("there is no month");
  expect(month).toMatchObject({ profit: "4.5", prices: "3", fees: "6", interest: "4.5" });
  expect((["profit", "prices", "fees"] as const).map((name) => String(daysOfSum(month, name)))).toEqual([
    ' <small class="days-known">3 of 7 days</small>',
    ' <small class="days-known">2 of 7 days</small>',
    ' <small class="days-known">4 of 7 days</small>',
  ]);
  // A month that is over has all of its days, also those before the first equity.
  const october = Array.from({ length: 31 }, (_, at) => day(`2026-10-${String(at + 1).padStart(2, "0")}`, {}));
  expect(monthResults(october.slice(-1))).toMatchObject([{ days: 31, knownDays: { profit: 1 } }]);
  expect(monthResults(october)).toMatchObject([{ days: 31, knownDays: { profit: 31 } }]);
  const [none] = monthResults([day("2026-11-05", { profit: null })]);
  expect(none && [none.profit, String(daysOfSum(none, "profit"))]).toEqual([null, ""]);
});

it.each([
  ["1m", 30],
  ["3m", 91],
  ["1y", 365],
])("is of the days that it names after the clocks went forward, as on the overview (%s)", (span, days) => {
  const view = {
    at: Date.parse("2026-03-29T12:00:00Z"),
    timezone: "Europe/Berlin",
    params: { span },
  } as unknown as View;
  expect([...periodsOf({ timezone: view.timezone, by: "day", ...shownSpan(view) })]).toHaveLength(days);
});

it("is where the daily values were", async () => {
  const { request } = await startAccounts({ minutes: 1 });
  const { url, status } = await request("/days?account=main");
  expect([status, new URL(url).pathname, new URL(url).search]).toEqual([200, "/performance", "?account=main&by=day"]);
});

it.each([
  ["/performance?span=2w", '"span" must be one of 1m, 3m, 1y, all.'],
  ["/performance?by=week", '"by" must be day or month.'],
])("rejects %s with a message", async (path, sentence) => {
  const { request } = await startAccounts({ minutes: 1 });
  const response = await request(path);
  expect(response.status).toBe(400);
  expect((await response.text()).replaceAll("&quot;", '"')).toContain(sentence);
});
