/**
 * Every address this program can ask, with its documented limit. The one place where these facts stand.
 *
 * Sources: v1 https://bitgetlimited.github.io/apidoc/en/spot and /en/mix (archived; the host answers 30032 since
 * 2025-11-28); v2 https://www.bitget.com/api-doc/ (spot/account, contract/account, contract/position, common/account);
 * v3 https://www.bitget.com/api-doc/uta/ (account, trade). Limits as in the headers of those pages.
 */
import type { Address } from "../core/domain.ts";

type Facts = Omit<Address, "name" | "version" | "signed" | "per"> & { signed?: boolean };

const facts = {
  "v1/spot-assets": {
    path: "/api/spot/v1/account/assets",
    perSecond: 10,
    params: ["coin"],
    summary: "spot balances",
  },
  "v1/spot-assets-lite": {
    path: "/api/spot/v1/account/assets-lite",
    perSecond: 10,
    params: ["coin"],
    summary: "spot balances that are not zero",
  },
  "v1/mix-account": {
    path: "/api/mix/v1/account/account",
    perSecond: 10,
    params: ["symbol*", "marginCoin*"],
    summary: "one futures account",
  },
  "v1/mix-accounts": {
    path: "/api/mix/v1/account/accounts",
    perSecond: 10,
    params: ["productType*"],
    summary: "the futures accounts of a product type",
  },
  "v1/positions": {
    path: "/api/mix/v1/position/allPosition",
    perSecond: 5,
    params: ["productType*", "marginCoin"],
    summary: "open positions of a product type",
  },
  "v1/positions-v2": {
    path: "/api/mix/v1/position/allPosition-v2",
    perSecond: 5,
    params: ["productType*", "marginCoin"],
    summary: "open positions of a product type, newer form",
  },
  "v1/key": {
    path: "/api/spot/v1/account/getInfo",
    perSecond: 1,
    params: [],
    summary: "what the key may do",
  },
  "v1/tickers": {
    path: "/api/spot/v1/market/tickers",
    perSecond: 20,
    params: [],
    signed: false,
    summary: "spot prices",
  },
  "v1/time": {
    path: "/api/spot/v1/public/time",
    perSecond: 20,
    params: [],
    signed: false,
    summary: "the exchange's clock",
  },
  "v2/spot-assets": {
    path: "/api/v2/spot/account/assets",
    perSecond: 10,
    params: ["coin", "assetType"],
    summary: "spot balances",
  },
  "v2/funding-assets": {
    path: "/api/v2/account/funding-assets",
    perSecond: 10,
    params: ["coin"],
    summary: "funding balances",
  },
  "v2/mix-account": {
    path: "/api/v2/mix/account/account",
    perSecond: 10,
    params: ["symbol*", "productType*", "marginCoin*"],
    summary: "one futures account",
  },
  "v2/mix-accounts": {
    path: "/api/v2/mix/account/accounts",
    perSecond: 10,
    params: ["productType*"],
    summary: "the futures accounts of a product type",
  },
  "v2/positions": {
    path: "/api/v2/mix/position/all-position",
    perSecond: 5,
    params: ["productType*", "marginCoin"],
    summary: "open positions of a product type",
  },
  "v2/equity": {
    path: "/api/v2/account/all-account-balance",
    perSecond: 1,
    params: [],
    summary: "the exchange's own valuation of every wallet",
  },
  "v2/key": {
    path: "/api/v2/spot/account/info",
    perSecond: 1,
    params: [],
    summary: "what the key may do",
  },
  "v2/tickers": {
    path: "/api/v2/spot/market/tickers",
    perSecond: 20,
    params: ["symbol"],
    signed: false,
    summary: "spot prices",
  },
  "v2/time": {
    path: "/api/v2/public/time",
    perSecond: 20,
    params: [],
    signed: false,
    summary: "the exchange's clock",
  },
  "v3/assets": {
    path: "/api/v3/account/assets",
    perSecond: 20,
    params: [],
    summary: "the unified wallet and its totals",
  },
  "v3/funding-assets": {
    path: "/api/v3/account/funding-assets",
    perSecond: 20,
    params: ["coin"],
    summary: "funding balances",
  },
  "v3/positions": {
    path: "/api/v3/position/current-position",
    perSecond: 20,
    params: ["category*", "symbol", "posSide"],
    summary: "open positions of a product type",
  },
  "v3/settings": {
    path: "/api/v3/account/settings",
    perSecond: 20,
    params: [],
    summary: "the mode of a unified account",
  },
  "v3/key": {
    path: "/api/v3/account/info",
    perSecond: 5,
    params: [],
    summary: "what the key may do",
  },
  "v3/tickers": {
    path: "/api/v3/market/tickers",
    perSecond: 20,
    params: ["category*", "symbol"],
    signed: false,
    summary: "prices",
  },
} as const satisfies Record<string, Facts>;

type AddressName = keyof typeof facts;

/** Signed addresses are limited per user, public ones per internet address. */
function address(name: AddressName): Address {
  const { signed = true, ...rest }: Facts = facts[name];
  return { name, version: name.slice(0, 2) as Address["version"], signed, per: signed ? "uid" : "ip", ...rest };
}

export const addresses = Object.fromEntries(
  (Object.keys(facts) as AddressName[]).map((name) => [name, address(name)]),
) as Record<AddressName, Address>;

/** Requests a minute from one internet address, all addresses together (https://www.bitget.com/api-doc/, FAQ). */
export const perMinutePerAddress = 6000;
