import { parse } from "lossless-json";
import { describe, expect, it } from "vitest";
import { divide } from "../../src/core/decimal.ts";
import type { TrueRow } from "../../src/simulator/simulator.ts";
import { classic, unified } from "../support/settings.ts";
import { ask, noon, send, simulator } from "./support.ts";

type Sent = Record<string, string>;
const picked = (rows: readonly TrueRow[] | undefined, columns: string[]) =>
  rows?.map((row) => columns.map((column) => row[column]));

/** A moment of an account with open orders on its positions. */
const busy = { seed: 35, v1: true };

describe("the record holds what was sent", () => {
  it("of v2 spot balances", async () => {
    const exchange = await simulator();

    const { body } = await ask(exchange, classic, "/api/v2/spot/account/assets");

    const [entry] = exchange.record;
    expect(entry).toMatchObject({ account: "main", dataset: "spot-assets", scope: null, takenAt: noon });
    expect(picked(entry?.rows, ["coin", "available", "frozen", "locked"])).toEqual(
      body.data.map((row: Sent) => [row.coin, row.available, row.frozen, row.locked]),
    );
    expect(body.data[0].available).toMatch(/^\d+\.\d{8}$/);
  });

  it("of v2 positions, scope by scope, with the ratio computed", async () => {
    const exchange = await simulator(busy);

    const { body } = await ask(exchange, classic, "/api/v2/mix/position/all-position?productType=USDT-FUTURES");

    const [entry] = exchange.record;
    expect(entry).toMatchObject({ dataset: "positions", scope: "umcbl" });
    expect(body.data.some(({ locked }: Sent) => locked !== "0")).toBe(true);
    expect(body.data.some(({ openDelegateSize }: Sent) => openDelegateSize !== "0")).toBe(true);
    expect(entry?.rows).toEqual(
      body.data.map((p: Sent) => ({
        product_type: "umcbl",
        symbol: p.symbol,
        margin_coin: p.marginCoin,
        hold_side: p.holdSide,
        margin_mode: p.marginMode,
        open_delegate_count: p.openDelegateSize,
        margin: p.marginSize,
        available: p.available,
        locked: p.locked,
        total: p.total,
        leverage: p.leverage,
        achieved_profits: p.achievedProfits,
        unrealized_pl: p.unrealizedPL,
        unrealized_plr: divide(p.unrealizedPL ?? "", p.marginSize ?? ""),
        liquidation_price: p.liquidationPrice,
        keep_margin_rate: p.keepMarginRate,
        mark_price: p.markPrice,
        average_open_price: p.openPriceAvg,
        opened_at: Number(p.cTime),
        total_funding: p.totalFee || null,
        deducted_fee: p.deductedFee,
        open_fee_total: null,
        close_fee_total: null,
      })),
    );
  });

  it("of v3 positions, with the exchange's own ratio and without pending sizes", async () => {
    const exchange = await simulator({ ...busy, accounts: [{ ...classic, mode: "unified" }] });

    const { body } = await ask(exchange, classic, "/api/v3/position/current-position?category=USDT-FUTURES");

    expect(exchange.record[0]?.rows).toEqual(
      body.data.list.map((p: Sent) => ({
        product_type: "umcbl",
        symbol: p.symbol,
        margin_coin: p.marginCoin,
        hold_side: p.posSide,
        margin_mode: p.marginMode,
        open_delegate_count: null,
        margin: p.positionBalance,
        available: p.available,
        locked: p.frozen,
        total: p.total,
        leverage: p.leverage,
        achieved_profits: p.curRealisedPnl,
        unrealized_pl: p.unrealisedPnl,
        unrealized_plr: p.profitRate,
        liquidation_price: p.liquidationPrice,
        keep_margin_rate: p.mmr,
        mark_price: p.markPrice,
        average_open_price: p.avgPrice,
        opened_at: Number(p.createdTime),
        total_funding: p.totalFunding || null,
        deducted_fee: null,
        open_fee_total: p.openFeeTotal,
        close_fee_total: p.closeFeeTotal,
      })),
    );
  });

  it("of v1 positions, with symbols without suffix, isolated for fixed and no rows of size zero", async () => {
    const exchange = await simulator(busy);

    const { body } = await ask(exchange, classic, "/api/mix/v1/position/allPosition?productType=umcbl");

    const empty: Sent[] = body.data.filter((p: Sent) => p.total === "0");
    expect(empty.length).toBeGreaterThan(0);
    expect(empty[0]).toMatchObject({ margin: "0", averageOpenPrice: null, marketPrice: null, cTime: null });
    expect(exchange.record[0]?.rows).toEqual(
      body.data
        .filter((p: Sent) => p.total !== "0")
        .map((p: Sent) => ({
          product_type: "umcbl",
          symbol: p.symbol?.replace("_UMCBL", ""),
          margin_coin: p.marginCoin,
          hold_side: p.holdSide,
          margin_mode: p.marginMode === "fixed" ? "isolated" : "crossed",
          open_delegate_count: p.openDelegateCount,
          margin: p.margin,
          available: p.available,
          locked: p.locked,
          total: p.total,
          leverage: String(p.leverage),
          achieved_profits: p.achievedProfits,
          unrealized_pl: p.unrealizedPL,
          unrealized_plr: divide(p.unrealizedPL ?? "", p.margin ?? ""),
          liquidation_price: p.liquidationPrice,
          keep_margin_rate: p.keepMarginRate,
          mark_price: p.marketPrice,
          average_open_price: p.averageOpenPrice,
          opened_at: Number(p.cTime),
          total_funding: null,
          deducted_fee: null,
          open_fee_total: null,
          close_fee_total: null,
        })),
    );
  });

  it("of v1 balances, without rows of zero", async () => {
    const exchange = await simulator({ v1: true, from: noon });

    const { body } = await ask(exchange, classic, "/api/spot/v1/account/assets");

    const held = body.data.filter(({ available }: Sent) => available !== "0.00000000");
    expect(body.data.length).toBeGreaterThan(held.length);
    expect(picked(exchange.record[0]?.rows, ["coin", "available", "frozen", "locked"])).toEqual(
      held.map((row: Sent) => [row.coinName, row.available, row.frozen, row.lock]),
    );
  });

  it.each([
    ["/api/v2/mix/account/accounts?productType=USDT-FUTURES", "accountEquity", "crossedRiskRate"],
    ["/api/mix/v1/account/accounts?productType=umcbl", "equity", "crossRiskRate"],
  ])("of the futures accounts of %s", async (target, equity, riskRate) => {
    const exchange = await simulator(busy);

    const { body } = await ask(exchange, classic, target);

    expect(exchange.record[0]?.rows).toEqual(
      body.data.map((account: Sent) => ({
        product_type: "umcbl",
        margin_coin: account.marginCoin,
        available: account.available,
        locked: account.locked,
        equity: account[equity],
        usdt_equity: account.usdtEquity,
        btc_equity: account.btcEquity,
        unrealized_pl: account.unrealizedPL,
        cross_risk_rate: account[riskRate],
      })),
    );
  });

  it("of an empty unrealized profit, as unknown and not zero", async () => {
    const exchange = await simulator(busy);

    const { body } = await ask(exchange, classic, "/api/v2/mix/account/accounts?productType=COIN-FUTURES");

    const idle = body.data.findIndex(({ unrealizedPL }: Sent) => unrealizedPL === "");
    expect(exchange.record[0]?.rows[idle]?.unrealized_pl).toBe(null);
  });

  it("of a product type that was never used, as an empty snapshot", async () => {
    const exchange = await simulator();

    const { body } = await ask(exchange, classic, "/api/v2/mix/account/accounts?productType=SCOIN-FUTURES");

    expect(body.data).toEqual([]);
    expect(exchange.record[0]).toMatchObject({ dataset: "mix-accounts", scope: "sdmcbl", rows: [] });
  });

  it("of the unified wallet, as three datasets of one instant", async () => {
    const exchange = await simulator();

    const { body } = await ask(exchange, unified, "/api/v3/account/assets");

    const [spot, mix, equity] = exchange.record;
    expect([spot?.dataset, spot?.scope, mix?.dataset, mix?.scope]).toEqual([
      "spot-assets",
      null,
      "mix-accounts",
      "unified",
    ]);
    expect(equity).toMatchObject({ dataset: "equity", rows: [{ unified_usdt: body.data.usdtEquity }] });
    expect(picked(spot?.rows, ["coin", "available", "frozen", "locked"])).toEqual(
      body.data.assets.map((a: Sent) => [a.coin, a.available, a.locked, null]),
    );
    expect(picked(mix?.rows, ["margin_coin", "equity", "usdt_equity"])).toEqual(
      body.data.assets.map((a: Sent) => [a.coin, a.equity, null]),
    );
  });

  it("of the valuation, its parts and their exact sum", async () => {
    const exchange = await simulator();

    const { body } = await ask(exchange, classic, "/api/v2/account/all-account-balance");

    const of = (type: string) => body.data.find((each: Sent) => each.accountType === type).usdtBalance;
    expect(exchange.record[0]?.rows).toMatchObject([
      { spot_usdt: of("spot"), futures_usdt: of("futures"), other_usdt: of("funding"), complete: 1 },
    ]);
  });

  it("of funding balances, with an empty `frozen` as unknown", async () => {
    const exchange = await simulator({ from: noon });

    const { body } = await ask(exchange, classic, "/api/v2/account/funding-assets");

    expect(body.data.find(({ coin }: Sent) => coin === "BGB").frozen).toBe("");
    expect(picked(exchange.record[0]?.rows, ["coin", "available", "frozen"])).toEqual(
      body.data.map((row: Sent) => [row.coin, row.available, row.frozen || null]),
    );
  });

  it.each([
    ["/api/spot/v1/market/tickers", "close"],
    ["/api/v2/spot/market/tickers", "lastPr"],
    ["/api/v3/market/tickers?category=SPOT", "lastPrice"],
  ])("of the prices of %s, under the public account", async (target, last) => {
    const exchange = await simulator({ v1: true });

    const { body } = await send(exchange.url + target);

    expect(exchange.record[0]).toMatchObject({ account: "public", dataset: "prices", scope: null });
    expect(picked(exchange.record[0]?.rows, ["coin", "quote", "price"])).toEqual(
      body.data
        .filter(({ symbol = "" }: Sent) => symbol.endsWith("USDT"))
        .map((row: Sent) => [row.symbol?.replace(/USDT$/, ""), "USDT", row[last]]),
    );
  });
});

it("a single v1 account is sent as JSON numbers, exact to the last digit, and not recorded", async () => {
  const exchange = await simulator({ v1: true });

  const { text } = await ask(exchange, classic, "/api/mix/v1/account/account?marginCoin=USDT&symbol=BTCUSDT_UMCBL");
  const { body } = await ask(exchange, classic, "/api/mix/v1/account/accounts?productType=umcbl");

  const { data } = parse(text) as { data: Record<string, unknown> };
  const amounts = ["available", "equity", "usdtEquity", "btcEquity"];
  expect(text).toMatch(/"btcEquity":0\.\d{12,16},/);
  expect(amounts.map((name) => String(data[name]))).toEqual(amounts.map((name) => body.data[0][name]));
  expect(exchange.record).toHaveLength(1);
});

it("a record with a maximum length drops the oldest responses", async () => {
  const exchange = await simulator({ recordLimit: 1 });

  await ask(exchange, classic, "/api/v2/spot/account/assets");
  await ask(exchange, classic, "/api/v2/account/funding-assets");

  expect(exchange.record.map(({ dataset }) => dataset)).toEqual(["funding-assets"]);
});
