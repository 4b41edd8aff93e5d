/** The closed positions of a simulated account on the pages, with the exchange's results. */
import { parse } from "csv-parse/sync";
import { expect, it, onTestFinished } from "vitest";
import { reconcileFile } from "../../src/store/ledger/reconcile-file.ts";
import { serve } from "../../src/web/server.ts";
import { openSite } from "../../src/web/site.ts";
import { fetchOnce } from "../support/http.ts";
import { createWorld } from "../support/world.ts";
import { idle } from "./site.ts";

const hour = 3_600_000;
const start = Date.parse("2026-10-20T10:00:00Z");
const schedule = "*/30 * * * *";

type Row = Record<string, string | number | null>;

it("are listed by their close, the last one first, with what is known of each", async () => {
  const world = await createWorld(
    "2026-10-20T09:59:30Z",
    { SCHEDULE_POSITIONS: schedule, SCHEDULE_CLOSED_POSITIONS: schedule },
    { from: start - 12 * hour, habits: { hasCashFlows: true, activity: 48 } },
  );
  for (let at = start; at <= start + 3 * hour; at += hour / 2) await world.at(at);
  // What is closed after that is not read.
  await world.restart({ SCHEDULE_POSITIONS: schedule });
  for (let at = start + 3.5 * hour; at <= start + 5 * hour; at += hour / 2) await world.at(at);
  // Some were closed after the last snapshot before the list was read.
  await reconcileFile(world.path, { now: world.clock.now() });
  const site = openSite({ databasePath: world.path, timezone: "UTC", sqlTimeoutSeconds: 10 }, idle);
  const place = { host: "127.0.0.1", port: 0, token: null, names: [] };
  const serving = await serve({ ...site, now: () => world.clock.now() }, place, (problem) => {
    throw problem;
  });
  onTestFinished(() => {
    serving.close();
    site.close();
  });
  const { url } = serving;
  const { rows } = (await (await fetchOnce(new URL("/api/episodes", url))).json()) as { rows: Row[] };
  const closes = rows.map((row) => String(row.closed_at ?? row.closed_before));
  expect(closes).toEqual([...closes].sort().reverse());
  const [known, unknown] = [rows.filter((row) => row.closed_at), rows.filter((row) => !row.closed_at)];
  expect(known.length).toBeGreaterThan(5);
  expect(unknown.length).toBeGreaterThan(0);
  for (const row of unknown)
    expect([row.net_profit, row.realized_pl, row.funding, row.fees]).toEqual([null, null, null, null]);
  const listed = world.rows("select net_profit, closed_at from closed_positions") as Row[];
  expect(known.map((row) => row.net_profit).sort()).toEqual(listed.map((row) => row.net_profit).sort());

  const page = async (path: string) => (await fetchOnce(new URL(path, url))).text();
  const [newest] = known;
  expect(await page("/positions")).toContain(`value="${newest?.net_profit}"`);
  const seen = known.find((row) => row.first_seen_at !== null) as Row;
  const key = ["account", "product_type", "symbol", "margin_coin", "hold_side", "margin_mode", "first_seen_at"];
  const query = new URLSearchParams(Object.fromEntries(key.map((name) => [name, String(seen[name])])));
  const summary = /id="summary"[\s\S]*?<\/section>/;
  const shown = summary.exec(await page(`/position?${query}`))?.[0];
  const netOf = (value: string) => new RegExp(`class="label">Net PnL</span>\\s*<span class="value">${value}`);
  expect(shown).toMatch(netOf('<data class="change'));
  expect(shown).toContain(`value="${seen.net_profit}"`);
  expect(shown).toContain("held <data");
  // While it was open, its result was not known.
  const before = summary.exec(await page(`/position?${query}&at=${seen.first_seen_at}`))?.[0];
  expect(before).toContain("<b>Open</b>");
  expect(before).not.toContain("Net PnL");
  expect(before).not.toContain(`value="${seen.net_profit}"`);
  const lost = unknown.find((row) => row.state === "closed") as Row;
  const other = new URLSearchParams(Object.fromEntries(key.map((name) => [name, String(lost[name])])));
  expect(summary.exec(await page(`/position?${other}`))?.[0]).toMatch(netOf('<span class="unknown"[^>]*>[?]</span>'));

  // The CSV and the page have what the parameters select, in their order.
  const csv = async (query: string): Promise<Row[]> =>
    parse(await (await fetchOnce(new URL(`/api/episodes.csv?${query}`, url))).text(), { columns: true });
  const symbol = String(newest?.symbol);
  const expected: [string, (row: Row) => boolean][] = [
    ["period=all", () => true],
    ["period=7d", () => true],
    ["show=won", ({ net_profit: net }) => Number(net ?? 0) > 0],
    ["show=lost", ({ net_profit: net }) => Number(net ?? 0) < 0],
    [`symbol=${symbol}&hold_side=long`, (row) => row.symbol === symbol && row.hold_side === "long"],
    [
      `q=${symbol.slice(0, 3).toLowerCase()}+short`,
      (row) => `${row.symbol} ${row.margin_coin}`.includes(symbol.slice(0, 3)) && row.hold_side === "short",
    ],
  ];
  for (const [query, isSelected] of expected) {
    const selected = rows.filter(isSelected);
    expect((await csv(query)).map((row) => [row.symbol, row.first_seen_at || null])).toEqual(
      selected.map((row) => [row.symbol, row.first_seen_at]),
    );
    const shown = await page(`/positions?${query}`);
    expect(shown).toContain(`CSV of these ${selected.length}<`);
    expect(shown).toContain(`${selected.length === 1 ? "1 position" : `${selected.length} positions`}`);
  }
  const nets = (await csv("sort=net")).flatMap(({ usdt_net_profit: net }) => (net ? [Number(net)] : []));
  expect(nets).toEqual([...nets].sort((a, b) => a - b));
  expect((await csv("sort=-closed")).length).toBe(rows.length);
  const wrong = ["period=2d", "show=some", "sort=constructor", "cols=nothing", "open_cols=constructor"];
  for (const query of wrong) expect((await fetchOnce(new URL(`/positions?${query}`, url))).status).toBe(400);
  const chosen = await page("/positions?cols=net&cols=opened");
  const head = /<thead[\s\S]*?<\/thead>/g;
  expect(chosen.match(head)?.at(-1)?.match(/<th /g)).toHaveLength(3);
  expect(chosen).toContain('name="cols" value="net" checked');
});
