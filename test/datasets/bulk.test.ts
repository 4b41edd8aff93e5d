/** Responses that contain all sub-accounts, in the shapes of the exchange's documentation; the user ids of v2 are numbers. */
import { parse } from "lossless-json";
import { expect, it } from "vitest";
import type { AnyDatasetSource } from "../../src/datasets/dataset.ts";
import { contextOf, endpointOf } from "./fixtures.ts";

const spot = `[{"id": 1111, "userId": 12345678901234567890, "assetsList": [{"coin": "BTC", "available": "1.1", "limitAvailable": "12.1",
  "frozen": "0", "locked": "1.1", "uTime": "1337654897651"}]}, {"id": "2222", "userId": "2", "assetsList": []}]`;
const futures = `[{"userId": 1234567890, "assetList": [{"marginCoin": "USDT", "locked": "0", "available": "23.123",
  "crossedMaxAvailable": "23.123", "isolatedMaxAvailable": "23.123", "maxTransferOut": "23.123", "accountEquity": "23.123",
  "usdtEquity": "23.123", "btcEquity": "0.001403612744", "unrealizedPL": "0", "coupon": ""}]}]`;
const unified = `[{"subUid": "1111111111", "cursor": "5832862", "assets": [{"coin": "USDT", "equity": "1", "usdValue": "0.99996985",
  "balance": "1", "available": "1", "debt": "0", "locked": "0"}]}]`;

const bulkOf = ({ subAccounts }: AnyDatasetSource) => {
  if (!subAccounts) throw new Error("cannot be read for sub-accounts");
  return subAccounts;
};

it.each([
  {
    source: endpointOf("spot-assets", "v2"),
    json: spot,
    found: [
      ["12345678901234567890", "1111"],
      ["2", "2222"],
    ],
    row: { coin: "BTC", available: "1.1", limitAvailable: "12.1", locked: "1.1", updatedAt: 1_337_654_897_651 },
  },
  {
    source: endpointOf("mix-accounts", "v2"),
    json: futures,
    found: [["1234567890", null]],
    row: { marginCoin: "USDT", equity: "23.123", btcEquity: "0.001403612744", coupon: null, crossRiskRate: null },
  },
  {
    source: endpointOf("spot-assets", "v3"),
    json: unified,
    found: [["1111111111", "5832862"]],
    row: { coin: "USDT", equity: "1", usdValue: "0.99996985", frozen: "0", bonus: null },
  },
  {
    source: endpointOf("mix-accounts", "v3"),
    json: unified,
    found: [["1111111111", "5832862"]],
    row: { marginCoin: "USDT", equity: "1", balance: "1", debt: "0" },
  },
])(
  "$source.subAccounts.endpoint.name: each part is read like the response for one account",
  ({ source, json, found, row }) => {
    const bulk = bulkOf(source);
    const missing: string[] = [];

    const parts = bulk.rows(parse(json));
    const [first] = source.items(parts[0]?.data, contextOf(null), (field) => missing.push(field));

    expect(parts.map(({ uid, cursor }) => [uid, cursor])).toEqual(found);
    expect(first).toMatchObject({ row, extra: null });
    // Only what is not documented for sub-accounts.
    expect(missing.filter((field) => !bulk.lacks.includes(field))).toEqual([]);
  },
);

it.each([
  ["no list", "null"],
  ["a row without a user id", '[{"assetsList": []}]'],
  ["a user id that is no number", '[{"userId": "main/1", "assetsList": []}]'],
])("%s is not accepted", (_, json) => {
  const bulk = bulkOf(endpointOf("spot-assets", "v2"));

  expect(() => bulk.rows(parse(json))).toThrow(/subaccount-assets: data/);
});
