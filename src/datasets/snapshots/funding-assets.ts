/**
 * Balances of the funding wallet (transfers, P2P, payments). v1 has no endpoint for it. Coins with a zero balance have no row.
 *
 * Sources: https://www.bitget.com/api-doc/common/account/Funding-Assets,
 * https://www.bitget.com/api-doc/uta/account/Get-Account-Funding-Assets
 */
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import { dataset, sourceFor } from "../dataset.ts";
import { allZero, coin, decimal, item, list, namelessZero, optionalDecimal } from "../fields.ts";

const columns = {
  /** The coin, in capitals. */
  coin: column.text().notNull(),
  /** The available balance. Unit: coin. */
  available: column.decimal(),
  /** Frozen. Unit: coin. */
  frozen: column.decimal(),
  /** v3: available and frozen together. Unit: coin. */
  balance: column.decimal(),
  /** v2: the exchange's own valuation. Unit: USDT. */
  usdtValue: column.decimal().volatile(),
};

export const fundingAssets = dataset({
  name: "funding-assets",
  summary: "Funding balances per coin",
  key: ["coin"],
  columns,
  stableThrough: "frozen",
  onRemoval: "zeroRow",
  sources: {
    v2: sourceFor(columns, {
      endpoint: apiEndpoint("v2/funding-assets", {
        path: "/api/v2/account/funding-assets",
        perSecond: 10,
        params: ["coin"],
        summary: "funding balances",
      }),
      data: list(
        item({ coin, available: decimal, frozen: optionalDecimal, usdtValue: optionalDecimal }),
        namelessZero("coin", "available", "frozen"),
      ),
      rows: (data) =>
        data
          .map(({ fields: { coin, available, frozen, usdtValue }, extra }) => ({
            row: { coin, available, frozen, balance: null, usdtValue },
            extra,
          }))
          .filter(({ row }) => !allZero(row.available, row.frozen)),
    }),
    v3: sourceFor(columns, {
      endpoint: apiEndpoint("v3/funding-assets", {
        path: "/api/v3/account/funding-assets",
        perSecond: 20,
        params: ["coin"],
        summary: "funding balances",
      }),
      data: list(
        item({ coin, available: decimal, frozen: optionalDecimal, balance: optionalDecimal }),
        namelessZero("coin", "available", "frozen", "balance"),
      ),
      rows: (data) =>
        data
          .map(({ fields: { coin, available, frozen, balance }, extra }) => ({
            row: { coin, available, frozen, balance, usdtValue: null },
            extra,
          }))
          .filter(({ row }) => !allZero(row.available, row.frozen, row.balance ?? "0")),
    }),
  },
});
