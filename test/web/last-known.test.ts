import { parse } from "csv-parse/sync";
import { expect, it } from "vitest";
import type { Row } from "../../src/core/domain.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { fundingAssets } from "../../src/datasets/snapshots/funding-assets.ts";
import { mixAccounts } from "../../src/datasets/snapshots/mix-accounts.ts";
import { positions } from "../../src/datasets/snapshots/positions.ts";
import { prices } from "../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { btc, equityRow } from "../reports/kit.ts";
import { collect, good, item, minute, start } from "../store/kit.ts";
import { startAccounts } from "./account.ts";

const part = (page: string, id: string): string => new RegExp(`id="${id}"[\\s\\S]*?</section>`).exec(page)?.[0] ?? "";

const held = {
  ...{ symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "0.5", leverage: "5" },
  ...{ averageOpenPrice: "98", unrealizedPl: "1", unrealizedPlr: "0.1", margin: "10", achievedProfits: "0" },
};
const bitcoin = { coin: "BTC", quote: "USDT", price: "60000", source: "last" };

/** Starts the pages of an account that was collected at the end of a day, one minute into the next, and for the last time then. */
async function startStopped(minutes: number) {
  const site = await startAccounts({ minutes: 1441 });
  for (const at of [1439, 1441]) {
    await site.record(prices, at, [bitcoin]);
    await site.record(spotAssets, at, [btc(at === 1439 ? "1" : "1.25")]);
    await site.record(fundingAssets, at, []);
    await site.record(mixAccounts, at, [], "main", "umcbl");
    await site.record(positions, at, [{ ...held, markPrice: "100", liquidationPrice: "95" }], "main", "umcbl");
    await site.record(equity, at, [equityRow(at === 1439 ? "900" : "1000.5")]);
  }
  site.goTo(1441 + minutes);
  return site;
}

it("shows the last known values with their age, and nothing else, once data is older than two periods", async () => {
  const { page } = await startStopped(14);
  const headline = part(await page("/"), "headline");
  expect(headline).toMatch(
    /class="last-known"><data value="1000.5"[^<]*>1,000.50<\/data> <small class="age"[^>]*>14 min ago/,
  );
  expect(headline).toMatch(/class="last-known"><data class="change up" value="100.5"/);
  const pages = { "/": "equity", "/balances": "coins", "/balances?by=wallet": "balances", "/positions": "positions" };
  for (const [path, id] of Object.entries(pages)) {
    const table = part(await page(path), id);
    expect(table).toContain("14 min ago</small>");
    expect(table.match(/class="unknown"/g) ?? []).toEqual([]);
    expect(table).not.toContain('<td role="cell" data-label="Updated"><time');
  }
  expect(part(await page("/positions"), "positions")).toContain("5.00 %");
});

it("leaves today's change unknown where the last known values are of another day", async () => {
  const { page, json } = await startStopped(1440);
  expect(part(await page("/"), "headline")).toContain('value="1000.5"');
  expect((await json("/api/equity")).rows[0]).toMatchObject({ yesterday: null, last_known: { change: null } });
  expect((await json("/api/balances")).rows[0]).toMatchObject({ coin: "BTC", last_known: { change: null } });
});

it("keeps null in JSON and CSV, and adds the last known values with their time", async () => {
  const { json, request } = await startStopped(14);
  const at = new Date(start + 1441 * minute).toISOString();
  const [whole] = (await json("/api/equity")).rows;
  expect(whole).toMatchObject({ account: "main", state: "unknown", usdt_equity: null, yesterday: "900", change: null });
  expect(whole).toMatchObject({ taken_at: null, last_known_at: at });
  expect(whole.last_known).toMatchObject({ usdt_equity: "1000.5", change: "100.5", taken_at: at });
  const [open] = (await json("/api/positions")).rows;
  expect(open).toMatchObject({ symbol: "BTCUSDT", state: "unknown", total: null, liquidation_distance: null });
  expect(open.last_known).toMatchObject({ total: "0.5", liquidation_distance: "0.05", leverage: "5" });
  const csv: Record<string, string>[] = parse(await (await request("/api/balances.csv")).text(), { columns: true });
  expect(csv[0]).toMatchObject({ wallet: "spot", coin: "BTC", total: "", usdt_value: "", last_known_at: at });
  expect(JSON.parse(csv[0]?.last_known ?? "")).toMatchObject({ total: "1.25", usdt_value: "75000", change: "0.25" });
});

it("has no last known values while data is fresh, and for a chosen instant", async () => {
  const { json, page } = await startStopped(1);
  for (const name of ["equity", "balances", "positions"])
    for (const row of (await json(`/api/${name}`)).rows.filter((row: { coin?: string }) => row.coin !== null))
      expect([row.last_known, row.last_known_at], name).toEqual([null, null]);
  const { json: later, page: pageLater } = await startStopped(30);
  expect((await later("/api/positions?at=2026-11-02T00:20")).rows).toMatchObject([
    { symbol: null, state: "unknown", last_known: null, last_known_at: null },
  ]);
  expect(await pageLater("/balances?at=2026-11-02T00:20")).not.toContain("last-known");
  expect(await page("/balances")).not.toContain("1 min ago</small></td>");
});

it("values last known balances at the prices of the same slot, which were taken a moment later", async () => {
  const { store, record, goTo, json } = await startAccounts({ minutes: 60 });
  // As at the beginning of the live part of the demo: the prices before are of an hourly schedule.
  await store.setSchedule("public", "prices", "0 * * * *", start - 60 * minute);
  await record(prices, 0, [bitcoin]);
  await store.setSchedule("public", "prices", "* * * * *", start + 59 * minute);
  const slot = start + 60 * minute;
  const taken = (dataset: Dataset, row: Row, ms: number, account: string, at = slot) =>
    collect(store, dataset, at, { snapshots: [good([item(dataset, row)], at + ms)] }, account);
  await taken(spotAssets, btc("2"), 100, "main");
  await taken(prices, { ...bitcoin, price: "61000" }, 300, "public");
  goTo(75);
  const last = async () => {
    const [balance, coin] = [(await json("/api/balances")).rows[0], (await json("/api/coins")).rows[0]];
    return [balance.last_known.usdt_price, balance.last_known.usdt_value, coin.last_known.usdt_value];
  };
  expect(await last()).toEqual(["61000", "122000", "122000"]);
  // Without prices of its slot those before it count, within their age.
  await taken(spotAssets, btc("3"), 100, "main", slot + minute);
  expect(await last()).toEqual(["61000", "183000", "183000"]);
  await taken(spotAssets, btc("4"), 100, "main", slot + 3 * minute);
  await taken(prices, { ...bitcoin, price: "62000" }, 0, "public", slot + 4 * minute);
  expect(await last()).toEqual([null, null, null]);
});

it("shows one failed feed as of its last snapshot, beside the others of the present", async () => {
  const { record, goTo, json, page } = await startStopped(14);
  await record(spotAssets, 1455, [btc("2")]);
  const priced = (await json("/api/balances")).rows[0];
  expect(priced).toMatchObject({ total: "2", usdt_price: null, usdt_value: null, change: "1" });
  expect(priced.last_known).toEqual({ usdt_price: "60000", price_state: "known", usdt_value: "120000" });
  const [, row = ""] = part(await page("/balances?by=wallet"), "balances")
    .split("<tr")
    .slice(1);
  expect(row).toMatch(/<td role="cell" data-label="Total" class="number more"><data value="2"/);
  expect(row).toMatch(
    /data-label="Value, USDT" class="number figure last-known"><data value="120000"[^<]*<\/data> <small class="age"/,
  );
  goTo(1456);
  expect(part(await page("/balances?by=wallet"), "balances").match(/class="age"/g)).toHaveLength(1);
});

it("keeps a sum incomplete while its parts have different ages, and shows the last complete one", async () => {
  const { record, goTo, page } = await startAccounts({ minutes: 2, accounts: ["main", "hedge"] });
  for (const at of [1, 2]) await record(equity, at, [equityRow("5")]);
  await record(equity, 2, [equityRow("7")], "hedge");
  goTo(5);
  await record(equity, 5, [equityRow("6")]);
  const headline = part(await page("/"), "headline");
  expect(headline).toContain('<span class="unknown">incomplete</span>');
  expect(headline).toMatch(/Partial equity<\/span> <data value="6"/);
  expect(headline).toMatch(/Last complete<\/span> <span class="last-known"><data value="12"/);
  expect(headline).toContain("hedge: no recent data");
});

it("does not show what an account had that was removed from the settings, unless it is selected", async () => {
  const { record, store, goTo, json } = await startAccounts({ minutes: 2, accounts: ["main", "hedge"] });
  for (const account of ["main", "hedge"]) await record(positions, 2, [held], account, "umcbl");
  for (const name of ["spot-assets", "funding-assets", "mix-accounts", "positions", "equity"] as const)
    await store.setSchedule("hedge", name, null, start + 2.5 * minute);
  goTo(1442);
  const shown = async (path: string) =>
    (await json(path)).rows.map((row: Record<string, unknown>) => `${row.account} ${row.symbol}`);
  expect(await shown("/api/positions")).toEqual(["main BTCUSDT", "hedge null"]);
  expect(await shown("/api/positions?account=hedge")).toEqual(["hedge BTCUSDT"]);
});
