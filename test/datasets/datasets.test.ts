import { parse } from "lossless-json";
import { describe, expect, it } from "vitest";
import { type ApiVersion, type DatasetName, productTypes } from "../../src/core/domain.ts";
import { sourcesOf } from "../../src/datasets/incremental.ts";
import { datasetNames, datasets } from "../../src/datasets/index.ts";
import { contextOf, endpointOf, fixtures, itemsOf, readFixture } from "./fixtures.ts";

const nowhere = contextOf(null);

describe("every dataset in every API version", () => {
  it("has a fixture", () => {
    const declared = datasets.flatMap(({ name, sources }) =>
      Object.keys(sources).map((version) => `${version}/${name}`),
    );
    const told = fixtures.map(({ version, dataset }) => `${version}/${dataset.name}`);
    expect([...new Set(told)].sort()).toEqual(declared.sort());
  });

  it.each(fixtures)("$title: is requested as documented", ({ endpoint, request, scope }) => {
    expect(endpoint.endpoint?.path ?? null).toBe(request?.path ?? null);
    expect(endpoint.params(scope)).toEqual(request?.params ?? {});
    expect(endpoint.scopes(productTypes)).toContain(scope);
  });

  it.each(fixtures)("$title: is mapped to the expected rows", ({ endpoint, data, context, items }) => {
    expect(itemsOf(endpoint, data, context)).toEqual(items);
  });

  it("has no missing field in any fixture except shortened ones", () => {
    const lacking = fixtures.map(({ title, endpoint, data, context }) => {
      const missing: string[] = [];
      endpoint.items(data, context, (field) => missing.push(field));
      return [title, missing] as const;
    });
    expect(lacking.filter(([, missing]) => missing.length > 0)).toEqual([
      ["v2/mix-accounts.union.json", expect.arrayContaining(["crossedRiskRate", "assetList"])],
      ["v3/positions.json", ["breakEvenPrice", "totalFunding", "openFeeTotal", "closeFeeTotal", "updatedTime"]],
    ]);
  });
});

it("dataset names are unique, and dependencies come first", () => {
  expect(new Set(datasetNames).size).toBe(datasetNames.length);
  const early = datasets.flatMap((dataset, at) =>
    sourcesOf(dataset)
      .flatMap(({ needs }) => needs)
      .filter((needed) => !datasetNames.slice(0, at).includes(needed))
      .map((needed) => `${dataset.name} needs ${needed}`),
  );
  expect(early).toEqual([]);
});

describe("product types", () => {
  it("v1 requests each by its code", () => {
    const endpoint = endpointOf("positions", "v1");
    expect(endpoint.scopes(["umcbl", "scmcbl"]).map(endpoint.params)).toEqual([
      { productType: "umcbl" },
      { productType: "scmcbl" },
    ]);
  });

  it("v2 requests each by its upper-case name", () => {
    const endpoint = endpointOf("mix-accounts", "v2");
    expect(endpoint.scopes(["dmcbl", "sumcbl"]).map(endpoint.params)).toEqual([
      { productType: "COIN-FUTURES" },
      { productType: "SUSDT-FUTURES" },
    ]);
  });

  it("demo product types are not requested for a unified account", () => {
    const endpoint = endpointOf("positions", "v3");
    expect(endpoint.scopes(productTypes)).toEqual(["umcbl", "dmcbl", "cmcbl"]);
  });

  it("a unified account has one futures account, whatever product types are configured", () => {
    expect(endpointOf("mix-accounts", "v3").scopes(["umcbl", "cmcbl"])).toEqual(["unified"]);
  });
});

describe("one account in three API versions", () => {
  const told = (version: ApiVersion, file: string, columns: string[]) => {
    const { endpoint, data, context } = readFixture(version, file);
    return itemsOf(endpoint, data, context).map(({ row }) => columns.map((column) => row[column]));
  };

  it("has the same positions", () => {
    const shared = [
      "symbol",
      "marginCoin",
      "holdSide",
      "marginMode",
      "margin",
      "available",
      "locked",
      "total",
      "leverage",
      "achievedProfits",
      "unrealizedPl",
      "liquidationPrice",
      "keepMarginRate",
      "markPrice",
      "averageOpenPrice",
      "openedAt",
      "holdMode",
    ];
    const expected = [
      [
        "BTCUSDT",
        "USDT",
        "long",
        "crossed",
        "306.252",
        "0.04",
        "0.01",
        "0.05",
        "10",
        "0",
        "37.985",
        "0",
        "0.004",
        "62010.1",
        "61250.4",
        1789800000000,
        "hedge_mode",
      ],
      [
        "ETHUSDT",
        "USDT",
        "short",
        "isolated",
        "183",
        "1.2",
        "0",
        "1.2",
        "20",
        "8.605233333333333",
        "-60.3",
        "3189.4412338061769778",
        "0.005",
        "3100.25",
        "3050",
        1789900000000,
        "hedge_mode",
      ],
    ];
    expect(told("v1", "positions.json", shared)).toEqual(expected);
    expect(told("v2", "positions.json", shared)).toEqual(expected);
    expect(told("v3", "positions.json", shared)).toEqual(expected);
  });

  it("has the same futures account", () => {
    const shared = ["marginCoin", "available", "locked", "equity"];
    const expected = ["USDT", "2523.375", "0", "2684.06"];
    expect(told("v1", "mix-accounts.json", shared)).toEqual([expected]);
    expect(told("v2", "mix-accounts.json", shared)).toEqual([expected]);
    expect(told("v3", "mix-accounts.json", shared)[0]).toEqual(expected);
  });

  it("has the same spot balances in the versions with a spot wallet", () => {
    const shared = ["coin", "available", "frozen", "locked"];
    const expected = [
      ["USDT", "125.40000000", "10.00000000", "0.00000000"],
      ["BGB", "0.00000031", "0.00000000", "0.00000000"],
    ];
    expect(told("v1", "spot-assets.json", shared)).toEqual(expected);
    expect(told("v2", "spot-assets.json", shared)).toEqual(expected);
  });
});

describe("empty rows", () => {
  const cases: [Parameters<typeof readFixture>[0], string, Record<string, unknown>][] = [
    ["v1", "positions.json", { total: "0" }],
    ["v2", "positions.json", { total: "0", holdSide: "", marginMode: null }],
    ["v3", "positions.json", { total: "0" }],
    ["v1", "spot-assets.json", { coinName: "", available: "0", frozen: null }],
    ["v2", "spot-assets.json", { coin: null, available: "0.0" }],
    ["v3", "spot-assets.json", { coin: "", available: "0" }],
    ["v2", "funding-assets.json", { available: "0", usdtValue: "" }],
    ["v3", "funding-assets.json", { coin: "", available: "0", balance: "0" }],
    ["v1", "mix-accounts.json", { marginCoin: "", available: "0" }],
    ["v2", "mix-accounts.json", { marginCoin: "", available: "0", accountEquity: "0" }],
    ["v3", "mix-accounts.json", { coin: "", available: "0" }],
    ["v2", "prices.json", { symbol: "", lastPr: "1" }],
    ["v2", "equity.json", { accountType: "", usdtBalance: "0" }],
  ];
  it.each(cases)("%s %s: %j is skipped, and the other rows are kept", (version, file, row) => {
    const { endpoint, data, context, items } = readFixture(version, file);
    const usual: string[] = [];
    endpoint.items(data, context, (field) => usual.push(field));
    const lists = [data, (data as { list?: unknown }).list, (data as { assets?: unknown }).assets];
    (lists.find(Array.isArray) as unknown[]).push(row);
    const missing: string[] = [];
    expect(endpoint.items(data, context, (field) => missing.push(field))).toEqual(items);
    // What a row of nothing lacks is not reported as left out.
    expect(missing).toEqual(usual);
  });
});

it("a coin held by several accounts and wallets has one price", () => {
  const wallet = { scope: null, rows: [{ coin: "BTC", available: "0.5", frozen: "0", locked: "0" }] };
  const known = { "spot-assets": [wallet, wallet], "funding-assets": [wallet] };
  const data = [{ symbol: "BTCUSDT", lastPr: "60000" }];
  const items = itemsOf(endpointOf("prices", "v2"), data, contextOf(null, known));
  expect(items.map(({ row }) => [row.coin, row.price])).toEqual([["BTC", "60000"]]);
});

it.each([
  ["v1", { symbol: "NEWUSDT", close: "0", buyOne: "0.0", sellOne: "1.5" }],
  ["v2", { symbol: "NEWUSDT", lastPr: "0", bidPr: "0", askPr: "1.5" }],
  ["v3", { symbol: "NEWUSDT", lastPrice: "0.000", bid1Price: "0", ask1Price: "1.5" }],
] as const)("%s: a price of 0, of a pair that was never traded, is none", (version, ticker) => {
  const known = { "spot-assets": [{ scope: null, rows: [{ coin: "NEW", available: "1" }] }] };
  const items = itemsOf(endpointOf("prices", version), [ticker], contextOf(null, known));
  expect(items.map(({ row }) => [row.coin, row.price, row.bid, row.ask])).toEqual([["NEW", null, null, "1.5"]]);
});

describe("a ticker with an invalid price", () => {
  const data = [
    { symbol: "BTCUSDT", lastPr: "60000" },
    { symbol: "DOGEUSDT", lastPr: "-.-" },
  ];
  const pricesOf = (coin: string) => {
    const rows = [{ coin, available: "0.5", frozen: "0", locked: "0" }];
    return itemsOf(endpointOf("prices", "v2"), data, contextOf(null, { "spot-assets": [{ scope: null, rows }] }));
  };

  it("has no effect if no account holds its coin", () => {
    expect(pricesOf("BTC").map(({ row }) => [row.coin, row.price])).toEqual([["BTC", "60000"]]);
  });

  it("fails with its position if the coin is held", () => {
    expect(() => pricesOf("DOGE")).toThrow(
      '/api/v2/spot/market/tickers: data.DOGEUSDT.lastPr: "-.-" is not a decimal number',
    );
  });
});

describe("an undocumented response", () => {
  const spot = endpointOf("spot-assets", "v2");

  it("keeps unknown fields exactly as received", () => {
    const data = parse(
      '[{"coin":"BTC","available":"1","frozen":"0","locked":"0","uTime":"","tier":{"level":3.10},"id":1300000000000000001}]',
    );
    const [item] = itemsOf(spot, data, nowhere);
    expect(item?.extra).toEqual(parse('{"tier":{"level":3.10},"id":1300000000000000001}'));
  });

  it("treats a key named __proto__ or extra as a field", () => {
    const data = parse('[{"coin":"BTC","available":"1","extra":"x","__proto__":{"available":"9"}}]');
    const [item] = itemsOf(spot, data, nowhere);
    expect(item?.row.available).toBe("1");
    expect(item?.extra?.extra).toBe("x");
    expect(Object.getPrototypeOf(item?.extra)).toBe(Object.prototype);
  });

  it("leaves a missing, null or empty amount unknown", () => {
    const data = parse('[{"coin":"BTC","available":"1","frozen":null,"locked":""}]');
    const [item] = itemsOf(spot, data, nowhere);
    expect(item?.row).toEqual({
      ...item?.row,
      available: "1",
      frozen: null,
      locked: null,
      limitAvailable: null,
      updatedAt: null,
    });
  });

  it("keeps a renamed field under its new name and leaves the old column unknown", () => {
    const data = parse('[{"coin":"BTC","available":"1","inOrders":"0.5"}]');
    const [item] = itemsOf(spot, data, nowhere);
    expect(item?.row.frozen).toBeNull();
    expect(item?.extra).toEqual({ inOrders: "0.5" });
  });

  it("keeps a row whose known amounts are zero while another is unknown", () => {
    const data = parse('[{"coin":"BTC","available":"0","frozen":"","locked":"0"}]');
    expect(itemsOf(spot, data, nowhere)).toHaveLength(1);
  });

  it("keeps an unknown enumeration value", () => {
    const { endpoint, data, context } = readFixture("v2", "positions.json");
    const [first] = data as Record<string, unknown>[];
    const [item] = itemsOf(endpoint, [{ ...first, marginMode: "hybrid", holdSide: "net" }], context);
    expect([item?.row.marginMode, item?.row.holdSide]).toEqual(["hybrid", "net"]);
  });

  it.each<[DatasetName, ApiVersion, string, string]>([
    [
      "spot-assets",
      "v1",
      '[{"coinName":"BTC","frozen":"0"}]',
      "/api/spot/v1/account/assets: data[0].available: is missing",
    ],
    [
      "spot-assets",
      "v2",
      '[{"coin":"BTC","available":""}]',
      "/api/v2/spot/account/assets: data[0].available: is missing",
    ],
    [
      "spot-assets",
      "v3",
      '{"assets":[{"coin":"","available":"1"}]}',
      "/api/v3/account/assets: data.assets[0].coin: is missing",
    ],
    [
      "funding-assets",
      "v2",
      '[{"coin":"BTC","available":null}]',
      "/api/v2/account/funding-assets: data[0].available: is missing",
    ],
    ["mix-accounts", "v2", '[{"marginCoin":"USDT"}]', "/api/v2/mix/account/accounts: data[0].available: is missing"],
    [
      "mix-accounts",
      "v2",
      '[{"marginCoin":"USDT","available":"1"},{"marginCoin":"USDC","available":"1","unionTotalMargin":"111,1"}]',
      '/api/v2/mix/account/accounts: data[1].unionTotalMargin: "111,1" is not a decimal number',
    ],
    [
      "positions",
      "v2",
      '[{"symbol":"BTCUSDT","marginCoin":"USDT","holdSide":"long","marginMode":"crossed"}]',
      "/api/v2/mix/position/all-position: data[0].total: is missing",
    ],
    ["equity", "v3", '{"assets":[]}', "/api/v3/account/assets: data.usdtEquity: is missing"],
  ])("%s %s: %s fails with its position", (name, version, data, message) => {
    expect(() => itemsOf(endpointOf(name, version), parse(data), nowhere)).toThrow(message);
  });

  it.each<[DatasetName, ApiVersion]>([
    ["spot-assets", "v2"],
    ["funding-assets", "v3"],
    ["mix-accounts", "v1"],
    ["positions", "v2"],
    ["positions", "v3"],
    ["prices", "v2"],
    ["equity", "v2"],
    ["equity", "v3"],
  ])("%s %s: null instead of data fails, because it does not mean empty", (name, version) => {
    const endpoint = endpointOf(name, version);
    expect(() => itemsOf(endpoint, null, nowhere)).toThrow(/^\/api\/\S+: data: /);
    expect(() => itemsOf(endpoint, undefined, nowhere)).toThrow(/^\/api\/\S+: data: /);
    expect(() => itemsOf(endpoint, "", nowhere)).toThrow(/^\/api\/\S+: data: /);
  });

  it("an object without a list fails; an empty or null list means no positions", () => {
    const endpoint = endpointOf("positions", "v3");
    expect(() => itemsOf(endpoint, {}, nowhere)).toThrow(/current-position: data: /);
    expect(itemsOf(endpoint, [], nowhere)).toEqual([]);
    expect(itemsOf(endpoint, { list: [] }, nowhere)).toEqual([]);
    expect(itemsOf(endpoint, { list: null }, nowhere)).toEqual([]);
  });
});
