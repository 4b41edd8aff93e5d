/** What was realised over a day on which the exchange answered nothing: one figure, of the same days, wherever it is shown. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { sum } from "../../../src/core/decimal.ts";
import { dayMs, hourMs } from "../../../src/core/time.ts";
import { servePages } from "../../browser/browser.ts";
import { reportRows } from "../../reports/kit.ts";
import { temporaryFolder } from "../../support/files.ts";
import { fetchPage } from "../../support/http.ts";
import { openWorld } from "../../support/world.ts";

const names = ["SPOT_ASSETS", "FUNDING_ASSETS", "MIX_ACCOUNTS", "PRICES", "EQUITY", "BILLS"];
const schedules = Object.fromEntries(names.map((name) => [`SCHEDULE_${name}`, "0 0 */6 * * *"]));
type Row = Record<string, string | null>;

const from = Date.parse("2026-01-20T00:00:00Z");
const outage = "2026-01-22";

it("is known where the ledger is, also without an equity, and is the same on the overview, the page and in the report", async () => {
  const path = join(temporaryFolder(), "collector.db");
  const world = await openWorld(path, "2026-01-19T23:59:30Z", schedules, { from: from - dayMs });
  const { exchange } = world;
  for (let at = from; at <= from + 4 * dayMs; at += 6 * hourMs) {
    if (at === Date.parse(outage))
      exchange.injectFault({ status: 503, message: "down", times: Number.POSITIVE_INFINITY });
    if (at === Date.parse(outage) + dayMs) exchange.clearFaults();
    await world.at(at);
  }
  await world.close();
  const now = from + 4 * dayMs + hourMs;
  const served = await servePages(path, () => now);
  const get = async (path: string) => (await fetchPage(new URL(path, served.url))).text();
  const [overview, page, byDay, byMonth] = await Promise.all(
    ["/", "/performance", "/api/performance?by=day", "/api/performance?by=month"].map(get),
  );
  served.close();
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
