import { expect, it } from "vitest";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { fundingAssets } from "../../src/datasets/snapshots/funding-assets.ts";
import { positions } from "../../src/datasets/snapshots/positions.ts";
import { prices } from "../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { pageNames } from "../../src/web/pages/names.ts";
import { btc, equityRow } from "../reports/kit.ts";
import { change, collect, failed, minute, start } from "../store/kit.ts";
import { startAccounts } from "./account.ts";

const part = (page: string, id: string): string => new RegExp(`id="${id}"[\\s\\S]*?</section>`).exec(page)?.[0] ?? "";

it("shows the equity with two places or to the last digit, and its change since the previous close", async () => {
  const { record, page } = await startAccounts({ minutes: 1440 });
  await record(equity, 1439, [equityRow("25000.000000000000000001")]);
  await record(equity, 1440, [equityRow("25100.5")]);
  const headline = part(await page("/"), "headline");
  expect(headline).toContain('value="25100.5" title="25100.5">25,100.50<');
  expect(headline).toMatch(/value="100.499999999999999999" [^<]*<span aria-hidden="true">▲<\/span>\+100.49</);
  const exact = await page("/?digits=all");
  expect(part(exact, "headline")).toMatch(/▲<\/span>\+100.499999999999999999</);
  // The switch is kept in every link, and in the form.
  const links = [...exact.matchAll(/<a href="([^"#]+)"/g)].map(([, href = ""]) => href.replaceAll("&amp;", "&"));
  const kept = links.filter((href) => href.includes("digits=all"));
  expect(links.filter((href) => !kept.includes(href))).toEqual(["./"]);
  expect(exact).toContain('<input type="hidden" name="digits" value="all">');
  expect(exact).not.toContain("…");
});

it("shows an incomplete equity as incomplete, and names what is missing", async () => {
  const { record, page } = await startAccounts({ minutes: 3 });
  await record(equity, 3, [equityRow("900", 0)]);
  const headline = part(await page("/"), "headline");
  expect(headline).toContain('<span class="unknown">incomplete</span>');
  expect(headline).toContain("Partial equity");
  expect(headline).toContain("main: futures accounts, funding, earn, bots, margin missing");
});

it("shows the priced part of an equity, and lists the coins without a price", async () => {
  const { record, page } = await startAccounts({ minutes: 3 });
  const cells = { complete: 0, pricedUsdt: "400.5", unpriced: '{"<b>AIR":"0.00000001"}' };
  await record(equity, 3, [cells]);
  const headline = part(await page("/"), "headline");
  expect(headline).toContain('<span class="label">Partial equity</span> <data value="400.5" title="400.5">400.50<');
  expect(headline).toContain("main: no price for &lt;b&gt;AIR 0.00000001");
  expect(headline).not.toContain("missing</li>");
});

it.each([
  ["a classic account", { missing: '["funding"]', spotUsdt: "1", futuresUsdt: "2" }, "main: funding wallet missing"],
  ["a unified account", { missing: '["funding-assets"]', unifiedUsdt: "3" }, "main: funding wallet missing"],
  ["an older row of a unified account", { unifiedUsdt: "3" }, "main: funding wallet missing"],
  ["prices", { missing: '["prices","spot-assets"]' }, "main: prices, spot wallet missing"],
])("names the missing part of %s", async (_, cells, sentence) => {
  const { record, page } = await startAccounts({ minutes: 3 });
  await record(equity, 3, [{ complete: 0, pricedUsdt: "3", ...cells }]);
  expect(part(await page("/"), "headline")).toContain(sentence);
});

it("shows no unrealised profit where positions were not collected, not even 0", async () => {
  const { record, page } = await startAccounts({ minutes: 3 });
  const tile = (html: string) => /Unrealised<\/a>\s*<span class="value">(.*?)<\/li>/s.exec(html)?.[1];
  await record(equity, 1, [equityRow("1")]);
  expect(tile(await page("/"))).toMatch(/^<span class="unknown">unknown<\/span><\/span>\s*$/);
  await record(positions, 3, [], "main", "umcbl");
  expect(tile(await page("/"))).toContain("0 positions");
  expect(tile(await page("/?at=2026-10-01"))).toContain("unknown");
});

it("shows a dash, not unknown, for what a wallet does not report", async () => {
  const { record, page } = await startAccounts({ minutes: 1 });
  await record(fundingAssets, 1, [{ coin: "BTC", available: "1", frozen: "0" }]);
  const history = part(await page("/coin?account=main&wallet=funding&coin=BTC"), "coin");
  expect(history).toContain('<span class="none" title="not reported for this wallet">–</span>');
  expect(history).not.toContain("unknown");
});

it("adds accounts up only at a slot with complete equity of all of them", async () => {
  const { record, page, goTo } = await startAccounts({ minutes: 2, accounts: ["main", "hedge"] });
  await record(equity, 2, [equityRow("0.1")]);
  await record(equity, 2, [equityRow("0.2")], "hedge");
  expect(part(await page("/"), "headline")).toContain('value="0.3"');
  goTo(3);
  await record(equity, 3, [equityRow("5")]);
  expect(part(await page("/"), "headline")).toContain('value="0.3"');
  await record(equity, 3, [equityRow("7", 0)], "hedge");
  const headline = part(await page("/"), "headline");
  expect(headline).toContain("incomplete");
  expect(headline).toContain("hedge: futures accounts, funding, earn, bots, margin missing");
  expect(part(await page("/?account=main"), "headline")).toContain('value="5"');
});

it("excludes an account from the sum once it left the settings, and shows no change for that", async () => {
  const { record, store, page, goTo } = await startAccounts({ minutes: 1439, accounts: ["main", "hedge"] });
  for (const at of [1439, 1440]) await record(equity, at, [equityRow("5")]);
  await record(equity, 1439, [equityRow("2")], "hedge");
  await store.setSchedule("hedge", "equity", null, start + 1439.5 * minute);
  goTo(1440);
  const headline = part(await page("/"), "headline");
  expect(headline).toContain('value="5"');
  expect(headline).not.toContain("hedge");
  expect(headline).not.toContain('value="-2"');
  expect(part(await page("/?at=2026-11-01T23:59:00"), "headline")).toContain('value="7"');
  expect(await page("/?account=hedge")).toContain("unknown");
});

it("shows the account as it was at an instant of the site's time zone", async () => {
  const { record, page } = await startAccounts({ minutes: 30 });
  await record(spotAssets, 10, [btc("1.00000001")]);
  await record(spotAssets, 11, [btc("2")]);
  const then = await page("/balances?at=2026-11-01T00:10:30");
  expect(then).toContain('value="1.00000001"');
  expect(then).toContain("Viewing");
  expect(await page("/balances?at=2026-11-01T00:09:59Z")).toContain("No recent data");
});

it("shows the value of coins and their change since the previous close", async () => {
  const { record, json } = await startAccounts({ minutes: 1441 });
  await record(spotAssets, 1439, [btc("0.5")]);
  await record(spotAssets, 1441, [btc("0.7", "0.1")]);
  await record(prices, 1441, [{ coin: "BTC", quote: "USDT", price: "60000.01", source: "last" }]);
  const { rows } = await json("/api/balances");
  expect(rows.find(({ wallet }: { wallet: string }) => wallet === "spot")).toMatchObject({
    coin: "BTC",
    total: "0.8",
    usdt_price: "60000.01",
    usdt_value: "48000.008",
    change: "0.3",
  });
});

it("shows a position from its opening to its close", async () => {
  const { record, page, json } = await startAccounts({ minutes: 4 });
  const held = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "1" };
  await record(
    positions,
    1,
    [{ ...held, markPrice: "100", liquidationPrice: "95.79", unrealizedPl: "-3.5" }],
    "main",
    "umcbl",
  );
  await record(
    positions,
    2,
    [{ ...held, markPrice: "102", liquidationPrice: "0", unrealizedPl: "7" }],
    "main",
    "umcbl",
  );
  const key = "account=main&product_type=umcbl&symbol=BTCUSDT&margin_coin=USDT&hold_side=long&margin_mode=crossed";
  expect(part(await page("/positions?at=2026-11-01T00:01:30"), "positions")).toContain("4.21 %");
  expect(part(await page("/positions?at=2026-11-01T00:02:30"), "positions")).toContain(">none<");
  await record(positions, 4, [], "main", "umcbl");
  expect(part(await page("/positions"), "positions")).toContain("No open positions.");
  expect((await json("/api/episodes")).rows).toMatchObject([
    { symbol: "BTCUSDT", state: "closed", worst_unrealized_pl: "-3.5", best_unrealized_pl: "7" },
  ]);
  expect((await json(`/api/position?${key}`)).rows.map((row: { unrealized_pl: string }) => row.unrealized_pl)).toEqual([
    "7",
    "-3.5",
  ]);
  expect(await page(`/position?${key}`)).toContain("closed");
  const then = part(await page(`/position?${key}&at=2026-11-01T00:01:30`), "summary");
  expect(then).toContain("<b>Open</b>");
  expect(then).not.toContain('value="7"');
  const { to } = await json(`/api/curve?of=position&${key}&at=2026-11-01T00:01:30&to=${start + 4 * minute}`);
  expect(to).toBe(start + 90_000);
});

it("does not show 'none' before the first snapshot, nor where the mark price is unknown", async () => {
  const { record, page } = await startAccounts({ minutes: 3 });
  const before = part(await page("/positions?at=2026-10-31"), "positions");
  expect(before).not.toContain("No open positions.");
  expect(before).toContain("No data collected yet.");
  const held = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "1" };
  await record(positions, 2, [{ ...held, liquidationPrice: "95.79" }], "main", "umcbl");
  const key = "account=main&product_type=umcbl&symbol=BTCUSDT&margin_coin=USDT&hold_side=long&margin_mode=crossed";
  const changes = part(await page(`/position?${key}`), "position");
  expect(changes).toContain('value="95.79"');
  expect(changes).not.toContain(">none<");
});

it("shows the last error, and counts the outcomes of the slots", async () => {
  const { record, store, page, json } = await startAccounts({ minutes: 3 });
  await record(equity, 1, [equityRow("1")]);
  await collect(store, equity, start + 2 * minute, { failures: [failed("40014", start + 2 * minute)] });
  await record(equity, 3, [equityRow("1")]);
  const found = await page("/collection");
  expect(part(found, "collection")).toContain("no answer: 40014");
  expect(part(found, "calendar")).toContain("1 failed");
  const byHour = await page("/collection?day=2026-11-01");
  expect(byHour).toContain("by hour");
  expect(byHour).toContain('href="api/slots.csv?day=2026-11-01"');
  const slots = (await json("/api/slots?day=2026-11-01")).rows;
  expect(slots.find(({ dataset }: { dataset: string }) => dataset === "equity")).toMatchObject({
    ...{ day: "2026-11-01 00:00", slots: 3, ok: 2, failed: 1 },
  });
});

it("has every page that `open` knows by its name", async () => {
  const { request } = await startAccounts({ minutes: 3 });
  for (const name of pageNames) expect([name, (await request(`/${name}`)).status]).toEqual([name, 200]);
});

it("shows the schedule that was in force at the shown time", async () => {
  const { record, store, page } = await startAccounts({ minutes: 30 });
  await record(equity, 1, [equityRow("1")]);
  await store.setSchedule("main", "equity", "*/5 * * * *", start + 25 * minute);
  const then = part(await page("/collection?at=2026-11-01T00:20"), "collection");
  const row = then.split("<tr").find((one) => one.includes(">equity<"));
  expect(row).toContain("▲ Stale");
  expect(row).toContain(">* * * * *<");
  expect(part(await page("/collection?at=2026-10-01"), "collection")).toContain("No feeds scheduled.");
});

it("rejects parameters that it does not know", async () => {
  const { request } = await startAccounts({ minutes: 1 });
  for (const wrong of ["/api/curve?of=constructor", "/api/curve?span=constructor", "/collection?at=0000-01-01"])
    expect((await request(wrong)).status).toBe(400);
});

it("escapes control characters that would reverse a name", async () => {
  const { record, page } = await startAccounts({ minutes: 1 });
  await record(spotAssets, 1, [{ ...btc("1"), coin: "B\u202eCT" }]);
  expect(await page("/balances")).toContain(">B\\u202eCT<");
  expect(await page("/coin?account=main&wallet=spot&coin=B%E2%80%AECT")).toContain("<h1>B\\u202eCT, Spot, main</h1>");
});

it("escapes markup and formulas in the name of a coin", async () => {
  const { record, page, request } = await startAccounts({ minutes: 1 });
  const coin = `=1+1"><script>alert(1)</script>`;
  await record(spotAssets, 1, [{ ...btc("1"), coin }]);
  const found = await page("/balances");
  expect(found).not.toContain("<script>alert");
  expect(found).toContain("=1+1&quot;&gt;&lt;script&gt;");
  const csv = await (await request("/api/balances.csv")).text();
  expect(csv).toContain(`"'=1+1""><script>alert(1)</script>"`);
});

it.each([
  ["/?at=yesterday", 400, '"at" must be a time such as'],
  ["/?at=2027-01-01", 400, '"at" is in the future.'],
  ["/?at=2026-02-30T10:00", 400, '"at" must be a time such as'],
  ["/?account=nobody", 404, 'No account "nobody" in this database.'],
  ["/?account=main&account=main", 400, '"account" is given more than once.'],
  ["/coin", 400, '"/coin" needs account, wallet and coin.'],
  ["/coin?account=main&wallet=spot&coin=NONE", 404, "No balance of NONE in the wallet spot of main"],
  ["/collection?day=2026-11", 400, '"day" must be a date such as 2026-11-01.'],
  ["/api/slots?day=2027-11-01", 400, '"day" is in the future.'],
  ["/api/performance?span=5y", 400, '"span" must be one of 1m, 3m, 1y, all.'],
  ["/api/performance?by=week", 400, '"by" must be day or month.'],
  ["/api/nothing", 404, "No such table"],
  ["/api/coin", 400, '"coin" also needs account, wallet, coin.'],
  ["/api/curve?span=2d", 400, '"span" must be one of 1d, 1w, 1m, 3m, 1y, all.'],
  ["/api/curve?width=100000", 400, '"width" must be an integer from 50 to 4000.'],
  ["/api/curve?from=9&to=5", 400, '"from" must be an integer from 0 to 4.'],
])("rejects %s with a message", async (path, status, sentence) => {
  const { request } = await startAccounts({ minutes: 1 });
  const answer = await request(path);
  expect(answer.status).toBe(status);
  expect((await answer.text()).replaceAll('\\"', '"')).toContain(sentence);
});

it("shows the processes that record into PostgreSQL where there are any, and one that is gone as such", async () => {
  const { page, json, site } = await startAccounts({ minutes: 2 });
  expect(await page("/collection")).not.toContain("Workers");
  change(
    site.databasePath,
    `insert into worker values ('desk-1', ${start + 2 * minute}, '0.2.0', '{}', 2, null), ('desk-2', ${start}, '0.1.0', '{}', 2, null)`,
  );
  const table = part(await page("/collection"), "workers");
  expect(table).toContain("● Live");
  expect(table).toContain('<span class="state stale">▲ Gone</span>');
  expect((await json("/api/workers")).rows).toMatchObject([
    { worker: "desk-1", state: "live", running: 0, accounts: 2, paused_until: null },
    { worker: "desk-2", state: "gone", seen_at: "2026-11-01T00:00:00.000Z" },
  ]);
  expect(await page("/collection?at=2026-11-01T00:01:00")).not.toContain("Workers");
});
