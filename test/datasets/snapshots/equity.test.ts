import { expect, it } from "vitest";
import type { DatasetName, Row } from "../../../src/core/domain.ts";
import { contextOf, endpointOf, itemsOf } from "../fixtures.ts";

const whole = (rows: Row[]) => [{ scope: null, rows }];
const usdt = { coin: "USDT", available: "1.50", frozen: "0", locked: "0" };
const bitcoin = { coin: "BTC", available: "0.5", frozen: "0", locked: "0" };
const price = { coin: "BTC", quote: "USDT", price: "60000" };
const futures = [{ scope: "umcbl" as const, rows: [{ marginCoin: "USDT", usdtEquity: "10" }] }];

/** usdtEquity, spot, futures, other, complete, priced, unpriced, missing */
function parts(version: "v1" | "v2" | "v3", data: unknown, context: ReturnType<typeof contextOf>) {
  const [item] = itemsOf(endpointOf("equity", version), data, context);
  const columns = [
    "usdtEquity",
    "spotUsdt",
    "futuresUsdt",
    "otherUsdt",
    "complete",
    "pricedUsdt",
    "unpriced",
    "missing",
  ];
  return columns.map((column) => item?.row[column]);
}

const v1 = (known: Parameters<typeof contextOf>[1], incomplete: DatasetName[] = []) =>
  parts("v1", undefined, contextOf(null, known, incomplete));

it("v1 adds the value of spot coins and the reported futures equity", () => {
  const known = { "spot-assets": whole([usdt, bitcoin]), "mix-accounts": futures, prices: whole([price]) };
  expect(v1(known)).toEqual(["30011.5", "30001.5", "10", null, 1, "30011.5", null, null]);
});

it("v1: a coin without a price makes the total unknown, and is listed with the priced part", () => {
  const known = { "spot-assets": whole([usdt, bitcoin]), "mix-accounts": futures };
  const withoutPrice = (value: string | null) => v1({ ...known, prices: whole([{ ...price, price: value }]) });
  const said = [null, null, "10", null, 0, "11.5", '{"BTC":"0.5"}', null];
  expect(withoutPrice(null)).toEqual(said);
  // What was stored of a coin that was never traded, before a price of zero was none.
  expect(withoutPrice("0.000")).toEqual(said);
});

it("v1: a coin whose price was not requested does not count as a coin without a price", () => {
  const known = { "spot-assets": whole([usdt, bitcoin]), "mix-accounts": futures, prices: whole([]) };
  expect(v1(known)).toEqual([null, null, "10", null, 0, "11.5", null, '["prices"]']);
});

it("v1: a coin with a zero balance needs no price", () => {
  const known = { "spot-assets": whole([usdt, { ...bitcoin, available: "0.000" }]), "mix-accounts": futures };
  expect(v1(known)).toEqual(["11.5", "1.5", "10", null, 1, "11.5", null, null]);
});

it("v1: an unknown amount makes its part unknown", () => {
  const spot = { "spot-assets": whole([{ ...usdt, locked: null }]), "mix-accounts": futures };
  const mix = {
    "spot-assets": whole([usdt]),
    "mix-accounts": [{ scope: "umcbl" as const, rows: [{ usdtEquity: null }] }],
  };
  expect(v1(spot)).toEqual([null, null, "10", null, 0, "11.5", null, '["spot-assets"]']);
  expect(v1(mix)).toEqual([null, "1.5", null, null, 0, "1.5", null, '["mix-accounts"]']);
});

it("v1: a product type that could not be read makes the futures part unknown", () => {
  const known = { "spot-assets": whole([usdt]), "mix-accounts": futures };
  expect(v1(known, ["mix-accounts"])).toEqual([null, "1.5", null, null, 0, "11.5", null, '["mix-accounts"]']);
});

it("v1: without known rows everything is unknown", () => {
  expect(v1({})).toEqual([null, null, null, null, 0, null, null, '["spot-assets","mix-accounts"]']);
});

it("v2: a wallet without a balance makes its part unknown", () => {
  const data = [
    { accountType: "spot", usdtBalance: "1" },
    { accountType: "futures", usdtBalance: "" },
    { accountType: "earn", usdtBalance: "3" },
    { accountType: "bots", usdtBalance: null },
  ];
  expect(parts("v2", data, contextOf(null))).toEqual([null, "1", null, null, 0, "4", null, '["futures","bots"]']);
});

it("v2: no wallets at all is no total, not a total of zero", () => {
  expect(parts("v2", [], contextOf(null))).toEqual([
    ...[null, null, null, null, 0, null, null],
    '["spot","futures","other"]',
  ]);
});

it("v3 adds the funding wallet to the exchange's own total", () => {
  const known = { "funding-assets": whole([usdt, bitcoin]), prices: whole([price]) };
  expect(parts("v3", { usdtEquity: "100.10" }, contextOf(null, known))).toEqual([
    "30101.6",
    null,
    null,
    "30001.5",
    1,
    "30101.6",
    null,
    null,
  ]);
});

it("v3: a funding wallet that could not be read leaves the exchange's own total, marked incomplete", () => {
  const known = { "funding-assets": whole([usdt]) };
  expect(parts("v3", { usdtEquity: "100.1" }, contextOf(null, known, ["funding-assets"]))).toEqual([
    ...[null, null, null, null, 0, "100.1", null],
    '["funding-assets"]',
  ]);
});

it("v3: a funding wallet of coins without a price is listed, in the order of their names", () => {
  const dust = { ...usdt, available: "0.00000001", frozen: "0" };
  const coins = [
    { ...dust, coin: "B" },
    { ...dust, coin: "A" },
    { ...usdt, available: "2" },
  ];
  const known = {
    "funding-assets": whole(coins),
    prices: whole(["A", "B"].map((coin) => ({ coin, quote: "USDT", price: null }))),
  };
  expect(parts("v3", { usdtEquity: "100.1" }, contextOf(null, known))).toEqual([
    ...[null, null, null, null, 0, "102.1"],
    '{"A":"0.00000001","B":"0.00000001"}',
    null,
  ]);
});

it("v3: the value of an empty funding wallet is zero", () => {
  const known = { "funding-assets": whole([]) };
  expect(parts("v3", { usdtEquity: "100.1" }, contextOf(null, known))).toEqual([
    "100.1",
    null,
    null,
    "0",
    1,
    "100.1",
    null,
    null,
  ]);
});
