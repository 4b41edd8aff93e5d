/** What was made in a month with a day on which the exchange answered nothing: one figure, of the same days, wherever it is shown. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sum } from "../../../src/core/decimal.ts";
import { dayMs, hourMs } from "../../../src/core/time.ts";
import { shownMoney } from "../../../src/output/shown.ts";
import { type Served, servePages } from "../../browser/browser.ts";
import { reportRows } from "../../reports/kit.ts";
import { fetchPage } from "../../support/http.ts";
import { openWorld } from "../../support/world.ts";

const names = ["SPOT_ASSETS", "FUNDING_ASSETS", "MIX_ACCOUNTS", "PRICES", "EQUITY", "BILLS"];
const schedules = Object.fromEntries(names.map((name) => [`SCHEDULE_${name}`, "0 0 */6 * * *"]));
type Row = Record<string, string | null>;

const from = Date.parse("2026-01-20T00:00:00Z");
const outage = "2026-01-22";

let path: string;
let served: Served;
const now = from + 4 * dayMs + hourMs;
const get = async (path: string) => (await fetchPage(new URL(path, served.url))).text();

beforeAll(async () => {
  path = join(mkdtempSync(join(tmpdir(), "collector-test-")), "collector.db");
  const world = await openWorld(path, "2026-01-19T23:59:30Z", schedules, { from: from - dayMs });
  const { exchange } = world;
  for (let at = from; at <= from + 4 * dayMs; at += 6 * hourMs) {
    if (at === Date.parse(outage))
      exchange.injectFault({ status: 503, message: "down", times: Number.POSITIVE_INFINITY });
    if (at === Date.parse(outage) + dayMs) exchange.clearFaults();
    await world.at(at);
  }
  await world.close();
  served = await servePages(path, () => now);
});
afterAll(() => {
  served.close();
  rmSync(dirname(path), { recursive: true });
});

it("is known where the ledger is, also without an equity, and is the same on the overview, the page and in the report", async () => {
  const [overview, page, byDay, byMonth] = await Promise.all(
    ["/", "/performance", "/api/performance?by=day", "/api/performance?by=month"].map(get),
  );
  const tile = /Realised, (\d+ of 30 days)<\/a>[\s\S]*? value="([^"]+)"/.exec(overview ?? "");
  const shown = /Realised after fees and funding, USDT[\s\S]*? value="([^"]+)"[\s\S]*?(\d+ of 30 days)/.exec(
    page ?? "",
  );
  const [days, months] = [byDay, byMonth].map((text) => (JSON.parse(text ?? "") as { rows: Row[] }).rows);
  // The first day is that of the first equity. Prices of the outage are unknown, too.
  expect([tile?.[1], tile?.[2]]).toEqual(["3 of 30 days", shown?.[1]]);
  expect(shown?.[2]).toBe("3 of 30 days");
  expect(months?.map((month) => month.net_realized)).toEqual([shown?.[1]]);
  expect(sum(days?.flatMap((day) => day.net_realized ?? []) ?? [])).toBe(shown?.[1]);
  const unknown = (name: string) => days?.filter((day) => day[name] === null).map(({ period }) => period);
  expect([unknown("net_realized"), unknown("profit")]).toEqual([[outage], [outage, "2026-01-23"]]);
  expect(overview).toContain("other days not known (main: the price of ");
  const span = { timezone: "Europe/Berlin", by: "day" as const, from: from + dayMs, to: now };
  const rows = reportRows(path, "pnl", span, { now }).filter(({ day }) => day !== outage);
  const cells = rows.flatMap((row) => ["realized", "funding", "fees", "interest"].map((name) => String(row[name])));
  expect(sum(cells)).toBe(shown?.[1]);
});

it("is in the statement of the month, line by line, with the number of the days of which it is known", async () => {
  const [month] = (JSON.parse(await get("/api/performance?account=main&by=month")) as { rows: Row[] }).rows;
  const csv = await get("/reports/statement.csv?account=main&month=2026-01");
  const lines = new Map((parse(csv, { columns: true }) as Record<string, string>[]).map((row) => [row.line, row]));
  const sums = { flows: 4, realized: 3, funding: 3, fees: 3, interest: 4, unrealized: 2, prices: 2, result: 2 };
  for (const [name, days] of Object.entries(sums)) {
    const column = name === "result" ? "profit" : name;
    const { usdt, known, known_days, days: all } = lines.get(name) ?? {};
    expect([name, usdt, known, known_days, all]).toEqual([name, "", month?.[column], String(days), "24"]);
    expect(month?.sums_of_days).toContain(`${column} ${days} of 24`);
  }
  const { usdt, known, known_at, unknown } = lines.get("opening") ?? {};
  expect([usdt, known_at, unknown]).toEqual([
    "",
    expect.stringMatching(/^2026-01-20T/),
    "no complete equity near the close",
  ]);
  const sheet = await get("/statement?account=main&month=2026-01");
  expect(sheet).toContain(`first known close: ${shownMoney(known ?? "")} at 2026-01-20`);
  expect(sheet).toContain(`${shownMoney(lines.get("result")?.known ?? "")} <small>in 2 of 24 days</small>`);
  expect(sheet).toContain("2026-01-23 (the equity at the beginning)");
  expect(sheet).toContain(`<td>${shownMoney(lines.get("closing")?.usdt ?? "")}</td>`);
});

it("is of a chosen instant what was made by then, also of a day that was read when it was over", async () => {
  const at = Date.parse("2026-01-21T12:30:00Z");
  const [whole] = (JSON.parse(await get("/api/performance?by=day")) as { rows: Row[] }).rows;
  const shown = (JSON.parse(await get(`/api/performance?by=day&at=${new Date(at).toISOString()}`)) as { rows: Row[] })
    .rows;
  const span = { timezone: "Europe/Berlin", by: "day" as const, from: at, to: at + 1 };
  const [row] = reportRows(path, "pnl", span, { now: at });
  const terms = ["realized", "funding", "fees", "interest"].map((name) => String(row?.[name]));
  expect(shown).toMatchObject([
    { period: "2026-01-21", state: "in progress", closing: row?.closing, net_realized: sum(terms) },
  ]);
  expect(whole).toMatchObject({ period: "2026-01-21", state: "complete" });
  expect(whole?.net_realized).not.toBe(sum(terms));
});
