/**
 * Futures accounts: one row per margin coin of a product type, zero balances included, because an empty account still exists.
 * A unified account (v3) has one scope, `unified`, with one row per held coin.
 *
 * `equity` already contains `unrealizedPl`. In union mode (v2) the figures of a coin can be negative although the account has
 * funds; `unionTotalMargin` and `assetList` contain the total.
 *
 * Sources: v1 https://bitgetlimited.github.io/apidoc/en/mix (archived), v2
 * https://www.bitget.com/api-doc/contract/account/Get-Account-List, v3 https://www.bitget.com/api-doc/uta/account/Get-Account; for
 * sub-accounts https://www.bitget.com/api-doc/contract/account/Get-Sub-Account-Contract-Assets
 */
import { apiEndpoint } from "../../bitget/endpoints.ts";
import { categoryOf } from "../../bitget/product-types.ts";
import * as column from "../../core/columns.ts";
import { bulkSource } from "../bulk.ts";
import { dataset, perProductType, sourceFor } from "../dataset.ts";
import { coin, decimal, item, json, list, namelessZero, optionalDecimal, text } from "../fields.ts";
import { unifiedAssetsEndpoint, unifiedSubAccounts, unifiedWallet } from "../unified-wallet.ts";

const columns = {
  /** The margin coin of the account. */
  marginCoin: column.text().notNull(),
  /** The available balance, without isolated margin; can be negative in union mode. Unit: margin coin. */
  available: column.decimal(),
  /** Locked. Unit: margin coin. */
  locked: column.decimal(),
  /** The equity of the account with unrealised profit at mark price. Unit: margin coin. */
  equity: column.decimal().volatile(),
  /** The same in USDT, as valued by the exchange. Unit: USDT. */
  usdtEquity: column.decimal().volatile(),
  /** The same in BTC, as valued by the exchange. Unit: BTC. */
  btcEquity: column.decimal().volatile(),
  /** Unrealised profit, already part of `equity`. Unit: margin coin. */
  unrealizedPl: column.decimal().volatile(),
  /** The risk rate of crossed positions: 0.0421 is 4.21 %; at 100 % they are liquidated. Unit: share. */
  crossRiskRate: column.decimal().volatile(),
  /** The amount available to open crossed positions. Unit: margin coin. */
  crossMaxAvailable: column.decimal().volatile(),
  /** The amount available to open isolated positions. Unit: margin coin. */
  fixedMaxAvailable: column.decimal().volatile(),
  /** The amount that can be transferred out. Unit: margin coin. */
  maxTransferOut: column.decimal().volatile(),
  /** The margin of crossed positions. Unit: margin coin. */
  crossedMargin: column.decimal().volatile(),
  /** The margin of isolated positions. Unit: margin coin. */
  isolatedMargin: column.decimal().volatile(),
  /** Unrealised profit of crossed positions. Unit: margin coin. */
  crossedUnrealizedPl: column.decimal().volatile(),
  /** Unrealised profit of isolated positions. Unit: margin coin. */
  isolatedUnrealizedPl: column.decimal().volatile(),
  /** Vouchers (only in v1 and v3); cannot be withdrawn. Unit: margin coin. */
  bonus: column.decimal(),
  /** Vouchers of the kind coupon (v2). Unit: margin coin. */
  coupon: column.decimal(),
  /** Vouchers of the kind grant (v2). Unit: margin coin. */
  grant: column.decimal(),
  /** `single` or `union` (v2). */
  assetMode: column.text(),
  /** The total margin of the union, over all of its coins (v2). */
  unionTotalMargin: column.decimal().volatile(),
  /** The available balance of the union (v2). */
  unionAvailable: column.decimal().volatile(),
  /** The maintenance margin of the union (v2). */
  unionMm: column.decimal().volatile(),
  /** The coins of a union account: JSON, as received. */
  assetList: column.text().volatile(),
  /** v3: the wallet without unrealised profit. Unit: coin. */
  balance: column.decimal(),
  /** v3: as the exchange reports it. Unit: coin. */
  balanceOriginal: column.decimal(),
  /** Borrowed (v3). Unit: coin. */
  debt: column.decimal(),
  /** v3: the base of interest, as the exchange reports it. Unit: coin. */
  interestBase: column.decimal(),
  /** The value of `equity`, as valued by the exchange (v3). Unit: USD. */
  usdValue: column.decimal().volatile(),
};

const notUnion = { assetMode: null, unionTotalMargin: null, unionAvailable: null, unionMm: null, assetList: null };
const notUnified = { balance: null, balanceOriginal: null, debt: null, interestBase: null, usdValue: null };
const notByMode = { crossedMargin: null, isolatedMargin: null, crossedUnrealizedPl: null, isolatedUnrealizedPl: null };

export const mixAccounts = dataset({
  name: "mix-accounts",
  summary: "Futures accounts per product type and margin coin",
  key: ["marginCoin"],
  columns,
  stableThrough: "crossRiskRate",
  onRemoval: "zeroRow",
  otherEndpoints: [
    apiEndpoint("v1/mix-account", {
      path: "/api/mix/v1/account/account",
      perSecond: 10,
      params: ["symbol*", "marginCoin*"],
      summary: "one futures account",
    }),
    apiEndpoint("v2/mix-account", {
      path: "/api/v2/mix/account/account",
      perSecond: 10,
      params: ["symbol*", "productType*", "marginCoin*"],
      summary: "one futures account",
    }),
  ],
  sources: {
    v1: sourceFor(columns, {
      endpoint: apiEndpoint("v1/mix-accounts", {
        path: "/api/mix/v1/account/accounts",
        perSecond: 10,
        params: ["productType*"],
        summary: "the futures accounts of a product type",
      }),
      ...perProductType("productType", String),
      data: list(
        item({
          marginCoin: coin,
          available: decimal,
          locked: optionalDecimal,
          equity: optionalDecimal,
          usdtEquity: optionalDecimal,
          btcEquity: optionalDecimal,
          unrealizedPL: optionalDecimal,
          crossRiskRate: optionalDecimal,
          crossMaxAvailable: optionalDecimal,
          fixedMaxAvailable: optionalDecimal,
          maxTransferOut: optionalDecimal,
          bonus: optionalDecimal,
        }),
        namelessZero("marginCoin", "available", "locked", "equity", "unrealizedPL"),
      ),
      rows: (data) =>
        data.map(({ fields: { unrealizedPL, ...same }, extra }) => ({
          row: {
            ...same,
            unrealizedPl: unrealizedPL,
            coupon: null,
            grant: null,
            ...notByMode,
            ...notUnion,
            ...notUnified,
          },
          extra,
        })),
    }),
    v2: sourceFor(columns, {
      endpoint: apiEndpoint("v2/mix-accounts", {
        path: "/api/v2/mix/account/accounts",
        perSecond: 10,
        params: ["productType*"],
        summary: "the futures accounts of a product type",
      }),
      subAccounts: bulkSource({
        endpoint: apiEndpoint("v2/sub-mix-accounts", {
          path: "/api/v2/mix/account/sub-account-assets",
          perSecond: 0.1,
          params: ["productType*"],
          summary: "the futures accounts of all sub-accounts of a main account",
        }),
        fields: { uid: "userId" },
        part: ({ assetList }) => assetList,
        lacks: [
          "crossedRiskRate",
          "crossedMargin",
          "isolatedMargin",
          "crossedUnrealizedPL",
          "isolatedUnrealizedPL",
          "grant",
          "unionTotalMargin",
          "unionAvailable",
          "unionMm",
          "assetList",
        ],
      }),
      ...perProductType("productType", categoryOf),
      data: list(
        item(
          {
            marginCoin: coin,
            available: decimal,
            locked: optionalDecimal,
            accountEquity: optionalDecimal,
            usdtEquity: optionalDecimal,
            btcEquity: optionalDecimal,
            unrealizedPL: optionalDecimal,
            crossedRiskRate: optionalDecimal,
            crossedMaxAvailable: optionalDecimal,
            isolatedMaxAvailable: optionalDecimal,
            maxTransferOut: optionalDecimal,
            crossedMargin: optionalDecimal,
            isolatedMargin: optionalDecimal,
            crossedUnrealizedPL: optionalDecimal,
            isolatedUnrealizedPL: optionalDecimal,
            coupon: optionalDecimal,
            grant: optionalDecimal,
            assetMode: text,
            unionTotalMargin: optionalDecimal,
            unionAvailable: optionalDecimal,
            unionMm: optionalDecimal,
            assetList: json,
          },
          ["assetMode"],
        ),
        namelessZero("marginCoin", "available", "locked", "accountEquity", "unrealizedPL", "unionTotalMargin"),
      ),
      rows: (data) =>
        data.map(({ fields: a, extra }) => {
          const { accountEquity, unrealizedPL, crossedRiskRate, crossedMaxAvailable, isolatedMaxAvailable, ...rest } =
            a;
          const { crossedUnrealizedPL, isolatedUnrealizedPL, ...same } = rest;
          const row = {
            ...same,
            equity: accountEquity,
            unrealizedPl: unrealizedPL,
            crossRiskRate: crossedRiskRate,
            crossMaxAvailable: crossedMaxAvailable,
            fixedMaxAvailable: isolatedMaxAvailable,
            crossedUnrealizedPl: crossedUnrealizedPL,
            isolatedUnrealizedPl: isolatedUnrealizedPL,
            bonus: null,
            ...notUnified,
          };
          return { row, extra };
        }),
    }),
    v3: sourceFor(columns, {
      endpoint: unifiedAssetsEndpoint,
      subAccounts: unifiedSubAccounts,
      scopes: () => ["unified"],
      data: unifiedWallet,
      rows: (data) =>
        data.map(({ fields: { coin, ...same }, extra }) => ({
          row: {
            marginCoin: coin,
            ...same,
            // Reported only for the whole account, in the dataset `equity`.
            usdtEquity: null,
            btcEquity: null,
            unrealizedPl: null,
            crossRiskRate: null,
            crossMaxAvailable: null,
            fixedMaxAvailable: null,
            maxTransferOut: null,
            coupon: null,
            grant: null,
            ...notByMode,
            ...notUnion,
          },
          extra,
        })),
    }),
  },
});
