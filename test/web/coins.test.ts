/** The page of balances by coin: changes of quantity apart from those of value. */
import { expect, it } from "vitest";
import { prices } from "../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { startAccounts } from "./account.ts";

const part = (page: string, id: string): string => new RegExp(`id="${id}"[\\s\\S]*?</section>`).exec(page)?.[0] ?? "";
const held = (coin: string, available: string) => ({ coin, available, frozen: "0", locked: "0" });
const priceOf = (coin: string, price: string | null) => ({ coin, quote: "USDT", price, source: "last" });

/** Starts the pages after a swap of 6,000 USDT, with a fee of 6, for BTC, of which some were held, at the price `now`. */
async function startSwap(now: string) {
  const site = await startAccounts({ minutes: 1441 });
  await site.record(prices, 1439, [priceOf("BTC", "60000"), priceOf("DUST", "0.5")]);
  await site.record(spotAssets, 1439, [held("USDT", "10006"), held("BTC", "1"), held("DUST", "1")]);
  await site.record(prices, 1441, [priceOf("BTC", now), priceOf("DUST", "0.5"), priceOf("AURUM", null)]);
  await site.record(spotAssets, 1441, [
    held("USDT", "4000"),
    held("BTC", "1.1"),
    held("DUST", "1"),
    held("AURUM", "3"),
  ]);
  return site;
}

it("a swap changes the value by its fee alone, and is no gain or loss", async () => {
  const { json, page } = await startSwap("60000");
  const { rows } = await json("/api/coins");
  expect(rows.map((row: { coin: string }) => row.coin)).toEqual(["BTC", "USDT", "DUST", "AURUM"]);
  const [btc, usdt, , aurum] = rows;
  expect(btc).toMatchObject({
    total: "1.1",
    usdt_value: "66000",
    change: "0.1",
    usdt_change: "6000",
    usdt_result: "0",
  });
  expect(usdt).toMatchObject({ total: "4000", change: "-6006", usdt_change: "-6006", usdt_result: "0" });
  expect(aurum).toMatchObject({ total: "3", usdt_value: null, share: null, change: "3", usdt_result: "0" });
  const shown = part(await page("/balances"), "coins");
  expect(shown).toContain('<small>worth <data value="-6" title="-6">−6.00</data> USDT</small>');
  expect(shown).not.toMatch(/class="change (up|down)"/);
  // Other columns than of money are never green or red.
  expect(part(await page("/balances?by=wallet"), "balances")).not.toMatch(/class="change (up|down)"/);
});

it("a price changes the value of what was held, in colour", async () => {
  const { json, page, goTo } = await startSwap("61000");
  const [btc] = (await json("/api/coins")).rows;
  expect(btc).toMatchObject({ price_change: "0.0166666666666667", usdt_result: "1000", usdt_change: "6100" });
  const shown = part(await page("/balances"), "coins");
  expect(shown).toMatch(/class="change up" value="1000"/);
  expect(shown).toMatch(/\+<data [^>]*>1.66 %</);
  // Old values are neither gains nor losses now, nor is their sum.
  goTo(1461);
  expect(part(await page("/balances"), "coins")).toContain(
    '<span class="last-known"><data class="change up" value="1000"',
  );
});

it("hides what is worth little and says how much, and finds a coin by its name", async () => {
  const { page, json } = await startSwap("60000");
  const few = part(await page("/balances"), "coins");
  expect(few).toMatch(/1 coin under 1 USDT hidden, <data value="0.5"[^>]*>0.50<\/data> USDT together/);
  expect(few).not.toContain(">DUST<");
  expect(few).toContain("Without a price, and in no total: AURUM");
  expect(/<tfoot[\s\S]*<\/tfoot>/.exec(few)?.[0]).toContain("4 coins <small>1 coin without price</small>");
  expect(part(await page("/balances?show=all"), "coins")).toContain(">DUST<");
  for (const [by, id] of [
    ["coin", "coins"],
    ["wallet", "balances"],
  ]) {
    const found = part(await page(`/balances?by=${by}&q=aur`), String(id));
    expect(found).toContain(">AURUM<");
    expect(found).not.toContain(">BTC<");
    expect(found).toContain(`href="api/${id}.csv?q=aur"`);
    const coins = async (query: string) =>
      (await json(`/api/${id}${query}`)).rows.flatMap(({ coin }: { coin: string | null }) => coin ?? []);
    expect(await coins("?q=aur")).toEqual(["AURUM"]);
    expect(await coins("")).toContain("BTC");
    expect(await page(`/api/${id}.csv?q=aur`)).not.toContain("BTC");
  }
});

it("shows one table at a time, by coin or by wallet, with the same totals, search and address", async () => {
  const { page } = await startSwap("60000");
  const [coins, wallets] = [await page("/balances"), await page("/balances?by=wallet")];
  expect([part(coins, "balances"), part(wallets, "coins")]).toEqual(["", ""]);
  for (const shown of [coins, wallets]) {
    expect(shown).toMatch(/1 (coin|balance) under 1 USDT hidden, <data value="0.5"/);
    expect(shown).not.toContain(">DUST<");
    const totals = /<tfoot[\s\S]*<\/tfoot>/.exec(shown)?.[0];
    expect(totals).toContain("4 coins <small>1 coin without price</small>");
    expect(totals).toContain('value="70000.5"');
    expect(shown).toContain("No recent data, and in no total: Funding of main, ");
  }
  expect(coins).toContain('href="api/coins.csv"');
  expect(wallets).toContain('href="api/balances.csv"');
  // Switching keeps what was searched for, and searching the table that is shown.
  expect(await page("/balances?q=aur&show=all")).toContain(
    'href="balances?show=all&amp;q=aur&amp;by=wallet">By wallet<',
  );
  expect(await page("/balances?q=aur&by=wallet")).toContain('<input type="hidden" name="by" value="wallet">');
});

it("hides a coin that is held in one account and borrowed in another only as their sum", async () => {
  const { page, record } = await startAccounts({ minutes: 1, accounts: ["main", "hedge"] });
  await record(prices, 1, [priceOf("BTC", "60000")]);
  await record(spotAssets, 1, [held("BTC", "2")]);
  await record(spotAssets, 1, [held("BTC", "-2.00001")], "hedge");
  expect(part(await page("/balances"), "coins")).toContain("1 coin under 1 USDT hidden");
  const wallets = part(await page("/balances?by=wallet"), "balances");
  expect(wallets).not.toContain("hidden");
  for (const account of ["main", "hedge"]) expect(wallets).toContain(`<small>${account}</small>`);
  for (const value of ["120000", "-120000.6"]) expect(wallets).toContain(`value="${value}"`);
});

it("a coin that has no price is apart from one whose price is unknown, the same in every place", async () => {
  const { json, page, record, goTo } = await startAccounts({ minutes: 2 });
  await record(prices, 1, [priceOf("BTC", "60000"), priceOf("AURUM", null)]);
  // NOVUM came after the prices were read.
  await record(
    spotAssets,
    2,
    ["BTC", "AURUM", "NOVUM"].map((coin) => held(coin, "3")),
  );
  const dash = '<span class="none" title="no price in USDT">–</span>';
  const unknown = '<span class="unknown"';
  const states = async () => {
    const found: Record<string, unknown> = {};
    for (const [table, path, cells] of [
      ["coins", "/balances", ["Value, USDT", "Share", "Price, USDT"]],
      ["balances", "/balances?by=wallet", ["Value, USDT", "Price, USDT"]],
    ] as const) {
      const rows = part(await page(path), table).split("<tr ");
      const csv = await page(`/api/${table}.csv`);
      const names = csv.split("\r\n")[0]?.split(",") ?? [];
      for (const { coin, usdt_price, usdt_value, price_state } of (await json(`/api/${table}`)).rows) {
        if (coin === null) continue;
        const row = rows.find((one) => one.includes(`>${coin}</a>`)) ?? "";
        const shown = cells.map((label) => {
          const cell = row.split("<td ").find((one) => one.includes(`data-label="${label}"`)) ?? "";
          return cell.includes(dash) ? "–" : cell.includes(unknown) ? "?" : "value";
        });
        const line =
          csv
            .split("\r\n")
            .find((one) => one.includes(`${coin},`))
            ?.split(",") ?? [];
        const inCsv = ["usdt_price", "usdt_value", "price_state"].map((name) => line[names.indexOf(name)] || null);
        expect(inCsv).toEqual([usdt_price, usdt_value, price_state]);
        found[`${table} ${coin}`] = [price_state, ...new Set(shown)];
      }
    }
    return found;
  };
  expect(await states()).toEqual({
    ...{ "coins BTC": ["known", "value"], "coins AURUM": ["none", "–"], "coins NOVUM": [null, "?"] },
    ...{ "balances BTC": ["known", "value"], "balances AURUM": ["none", "–"], "balances NOVUM": [null, "?"] },
  });
  for (const path of ["/balances", "/balances?by=wallet"]) {
    expect(await page(path)).toContain("Without a price, and in no total: AURUM<");
    expect(await page(path)).toContain("Price not known, and in no total: NOVUM<");
  }
  const overview = await page("/");
  for (const text of ["Without a price: AURUM<", "Price not known: NOVUM<"]) expect(overview).toContain(text);
  expect(overview).toMatch(/>No price<\/a> for AURUM[\s\S]*>Price not known<\/a> for NOVUM/);
  // The absence of a price is as old as the prices.
  goTo(4);
  await record(spotAssets, 4, [held("AURUM", "3")]);
  const old = (await json("/api/balances")).rows.find(({ coin }: { coin: string }) => coin === "AURUM");
  expect(old).toMatchObject({ coin: "AURUM", price_state: null, usdt_value: null, total: "3" });
  expect(old.last_known).toEqual({ usdt_price: null, price_state: "none", usdt_value: null });
});
