/**
 * Balances of the spot wallet, or of the single wallet of a unified account. v3's `locked` (in spot orders) is stored as
 * `frozen`, as in the other versions. Coins with a zero balance have no row.
 *
 * Sources: v1 https://bitgetlimited.github.io/apidoc/en/spot (archived), v2
 * https://www.bitget.com/api-doc/spot/account/Get-Account-Assets, v3 https://www.bitget.com/api-doc/uta/account/Get-Account; for
 * sub-accounts https://www.bitget.com/api-doc/spot/account/Get-Subaccount-Assets ("only … assets > 0")
 */
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import { bulkSource } from "../bulk.ts";
import { dataset, sourceFor } from "../dataset.ts";
import { allZero, coin, decimal, item, list, millis, namelessZero, optionalDecimal, text } from "../fields.ts";
import { unifiedAssetsEndpoint, unifiedSubAccounts, unifiedWallet } from "../unified-wallet.ts";

const columns = {
  /** The coin, in capitals. */
  coin: column.text().notNull(),
  /** The available balance. Unit: coin. */
  available: column.decimal(),
  /** Frozen in open orders. Unit: coin. */
  frozen: column.decimal(),
  /** Locked for other reasons (merchants, launchpad). Unit: coin. */
  locked: column.decimal(),
  /** Available to spot copy trading only; whether `available` contains it is not documented. Unit: coin. */
  limitAvailable: column.decimal(),
  /** v3: the balance without unrealised profit; `equity` includes it and debt. Unit: coin. */
  balance: column.decimal(),
  /** v3: as the exchange reports it. Unit: coin. */
  balanceOriginal: column.decimal(),
  /** v3: the balance with unrealised profit and debt. Unit: coin. */
  equity: column.decimal().volatile(),
  /** The value of `equity`, as valued by the exchange. Unit: USD. */
  usdValue: column.decimal().volatile(),
  /** Borrowed. Unit: coin. */
  debt: column.decimal(),
  /** Vouchers; cannot be withdrawn. Unit: coin. */
  bonus: column.decimal(),
  /** v3: the base of interest, as the exchange reports it. Unit: coin. */
  interestBase: column.decimal(),
  /** The number of the coin at the exchange (v1). */
  coinId: column.text(),
  /** The name of the coin as shown by the exchange (v1). */
  coinDisplayName: column.text(),
  /** The last change of the balance, by the exchange's clock. */
  updatedAt: column.millis(),
};

const notUnified = {
  balance: null,
  balanceOriginal: null,
  equity: null,
  usdValue: null,
  debt: null,
  bonus: null,
  interestBase: null,
};

export const spotAssets = dataset({
  name: "spot-assets",
  summary: "Spot balances per coin, or the wallet of a unified account",
  key: ["coin"],
  columns,
  stableThrough: "locked",
  onRemoval: "zeroRow",
  otherEndpoints: [
    apiEndpoint("v1/spot-assets-lite", {
      path: "/api/spot/v1/account/assets-lite",
      perSecond: 10,
      params: ["coin"],
      summary: "spot balances that are not zero",
    }),
  ],
  sources: {
    v1: sourceFor(columns, {
      endpoint: apiEndpoint("v1/spot-assets", {
        path: "/api/spot/v1/account/assets",
        perSecond: 10,
        params: ["coin"],
        summary: "spot balances",
      }),
      // v1 sent `lock`, while parts of its documentation have `locked`.
      data: list(
        item(
          {
            coinId: text,
            coinName: coin,
            coinDisplayName: text,
            available: decimal,
            frozen: optionalDecimal,
            lock: optionalDecimal,
            locked: optionalDecimal,
            uTime: millis,
          },
          ["coinDisplayName", "locked"],
        ),
        namelessZero("coinName", "available", "frozen", "lock", "locked"),
      ),
      rows: (data) =>
        data
          .map(({ fields: { coinName, lock, locked, uTime, ...same }, extra }) => ({
            row: {
              ...same,
              coin: coinName,
              locked: lock ?? locked,
              limitAvailable: null,
              updatedAt: uTime,
              ...notUnified,
            },
            extra,
          }))
          .filter(({ row }) => !allZero(row.available, row.frozen, row.locked)),
    }),
    v2: sourceFor(columns, {
      endpoint: apiEndpoint("v2/spot-assets", {
        path: "/api/v2/spot/account/assets",
        perSecond: 10,
        params: ["coin", "assetType"],
        summary: "spot balances",
      }),
      subAccounts: bulkSource({
        endpoint: apiEndpoint("v2/sub-spot-assets", {
          path: "/api/v2/spot/account/subaccount-assets",
          perSecond: 10,
          params: ["idLessThan", "limit"],
          summary: "spot balances of all sub-accounts of a main account",
        }),
        fields: { uid: "userId", cursor: "id" },
        page: { size: 50, after: "idLessThan" },
        part: ({ assetsList }) => assetsList,
        omitsEmpty: true,
      }),
      data: list(
        item({
          coin,
          available: decimal,
          limitAvailable: optionalDecimal,
          frozen: optionalDecimal,
          locked: optionalDecimal,
          uTime: millis,
        }),
        namelessZero("coin", "available", "frozen", "locked", "limitAvailable"),
      ),
      rows: (data) =>
        data
          .map(({ fields: { uTime, ...same }, extra }) => ({
            row: { ...same, coinId: null, coinDisplayName: null, updatedAt: uTime, ...notUnified },
            extra,
          }))
          .filter(({ row }) => !allZero(row.available, row.frozen, row.locked, row.limitAvailable ?? "0")),
    }),
    v3: sourceFor(columns, {
      endpoint: unifiedAssetsEndpoint,
      subAccounts: unifiedSubAccounts,
      data: unifiedWallet,
      rows: (data) =>
        data.map(({ fields: { locked, ...same }, extra }) => ({
          row: {
            ...same,
            frozen: locked,
            locked: null,
            limitAvailable: null,
            coinId: null,
            coinDisplayName: null,
            updatedAt: null,
          },
          extra,
        })),
    }),
  },
});
