/**
 * Open futures positions. Rows of size zero, which v1 sent, are skipped; a closed position has no further rows.
 *
 * Sources: v1 https://bitgetlimited.github.io/apidoc/en/mix (archived), v2
 * https://www.bitget.com/api-doc/contract/position/get-all-position, v3 https://www.bitget.com/api-doc/uta/trade/Get-Position
 */
import { apiEndpoint } from "../../bitget/endpoints.ts";
import { categoryOf, isDemoProductType } from "../../bitget/product-types.ts";
import * as column from "../../core/columns.ts";
import { divide } from "../../core/decimal.ts";
import type { DecimalString, Extra } from "../../core/domain.ts";
import { dataset, perProductType, sourceFor } from "../dataset.ts";
import {
  coin,
  decimal,
  hasZero,
  holdMode,
  item,
  listed,
  marginMode,
  millis,
  name,
  optionalDecimal,
  side,
  symbol,
  text,
  v1Symbol,
} from "../fields.ts";

const columns = {
  /** The contract, without suffix: `BTCUSDT`. */
  symbol: column.text().notNull(),
  /** The coin of the margin. */
  marginCoin: column.text().notNull(),
  /** `long` or `short`; hedge mode has one row of each. */
  holdSide: column.text().notNull(),
  /** `crossed` or `isolated`. */
  marginMode: column.text().notNull(),
  /** The size of open orders: an amount, not a number of orders. Unit: base coin. */
  openDelegateCount: column.decimal(),
  /** The margin of the position. Unit: margin coin. */
  margin: column.decimal().volatile(),
  /** The part of the size that is not locked. Unit: base coin. */
  available: column.decimal(),
  /** The part of the size that is locked. Unit: base coin. */
  locked: column.decimal(),
  /** The size: `available` and `locked` together. Unit: base coin. */
  total: column.decimal(),
  /** The leverage. */
  leverage: column.decimal(),
  /** Realised profit so far, without funding and fees. Unit: margin coin. */
  achievedProfits: column.decimal(),
  /** Unrealised profit at the mark price. Unit: margin coin. */
  unrealizedPl: column.decimal().volatile(),
  /** The exchange's figure, or `unrealized_pl` / `margin` to 16 places if it sends none. Unit: share. */
  unrealizedPlr: column.decimal().volatile(),
  /** The estimated liquidation price; zero or less means none. Unit: quote coin. */
  liquidationPrice: column.decimal().volatile(),
  /** The maintenance margin rate. Unit: share. */
  keepMarginRate: column.decimal(),
  /** The mark price. Unit: quote coin. */
  markPrice: column.decimal().volatile(),
  /** The average entry price. Unit: quote coin. */
  averageOpenPrice: column.decimal(),
  /** When the position was opened, as reported by the exchange. */
  openedAt: column.millis(),
  /** The margin ratio: 0.1 is 10 %. Unit: share. */
  marginRatio: column.decimal().volatile(),
  /** The price at which the position breaks even. Unit: quote coin. */
  breakEvenPrice: column.decimal(),
  /** `hedge_mode` or `one_way_mode`. */
  holdMode: column.text(),
  /** Whether margin is added automatically, as reported by the exchange. */
  autoMargin: column.text(),
  /** Funding so far, negative = paid; unknown before the first payment. Unit: margin coin. */
  totalFunding: column.decimal(),
  /** Fees paid (v2); positive in every known sample, although the sign is not documented. Unit: margin coin. */
  deductedFee: column.decimal(),
  /** Fees of opening (v3), negative = paid. Unit: margin coin. */
  openFeeTotal: column.decimal(),
  /** Fees of closing (v3), negative = paid. Unit: margin coin. */
  closeFeeTotal: column.decimal(),
  /** The price of the take-profit order. Unit: quote coin. */
  takeProfit: column.decimal(),
  /** The price of the stop-loss order. Unit: quote coin. */
  stopLoss: column.decimal(),
  /** The id of the take-profit order. */
  takeProfitId: column.text(),
  /** The id of the stop-loss order. */
  stopLossId: column.text(),
  /** Vouchers in the margin. Unit: margin coin. */
  grant: column.decimal(),
  /** Cash dividend. Unit: USDT. */
  cashDividend: column.decimal(),
  /** The status of the position, as reported by the exchange (v3). */
  positionStatus: column.text(),
  /** `single` or `union`. */
  assetMode: column.text(),
  /** The last change of the position, by the exchange's clock. */
  updatedAt: column.millis(),
};

const ratio = (profit: DecimalString | null, margin: DecimalString | null) =>
  profit === null || margin === null ? null : divide(profit, margin);

const rowsOf = <Fields, R>(list: readonly { fields: Fields; extra: Extra }[], row: (position: Fields) => R) =>
  list.map(({ fields, extra }) => ({ row: row(fields), extra }));

/** Matches rows of size zero, which sometimes have neither side nor mode. */
const noPosition = hasZero("total");

/** The fields that v1 and v2 have in common. */
const classic = {
  marginCoin: coin,
  holdSide: side,
  marginMode,
  available: optionalDecimal,
  locked: optionalDecimal,
  total: decimal,
  leverage: optionalDecimal,
  achievedProfits: optionalDecimal,
  unrealizedPL: optionalDecimal,
  unrealizedPLR: optionalDecimal,
  liquidationPrice: optionalDecimal,
  keepMarginRate: optionalDecimal,
  markPrice: optionalDecimal,
  cTime: millis,
  marginRatio: optionalDecimal,
  autoMargin: text,
  uTime: millis,
};

const onlyInV2 = {
  takeProfit: null,
  stopLoss: null,
  takeProfitId: null,
  stopLossId: null,
  grant: null,
  cashDividend: null,
};
const onlyInV3 = { openFeeTotal: null, closeFeeTotal: null, positionStatus: null };

export const positions = dataset({
  name: "positions",
  summary: "Every open futures position of every product type",
  key: ["symbol", "marginCoin", "holdSide", "marginMode"],
  columns,
  stableThrough: "openedAt",
  onRemoval: "end",
  episodes: true,
  otherEndpoints: [
    // Returns the same rows as the newer endpoint.
    apiEndpoint("v1/positions", {
      path: "/api/mix/v1/position/allPosition",
      perSecond: 5,
      params: ["productType*", "marginCoin"],
      summary: "open positions of a product type",
    }),
  ],
  sources: {
    v1: sourceFor(columns, {
      endpoint: apiEndpoint("v1/positions-v2", {
        path: "/api/mix/v1/position/allPosition-v2",
        perSecond: 5,
        params: ["productType*", "marginCoin"],
        summary: "open positions of a product type, newer endpoint",
      }),
      ...perProductType("productType", String),
      // v1 sent `marketPrice`, while parts of its documentation have `markPrice`; the documented `unrealizedPLR` was observed
      // in its WebSocket channel only.
      data: listed(
        item(
          {
            ...classic,
            symbol: v1Symbol,
            openDelegateCount: optionalDecimal,
            margin: optionalDecimal,
            averageOpenPrice: optionalDecimal,
            marketPrice: optionalDecimal,
            holdMode,
          },
          ["unrealizedPLR", "markPrice", "marketPrice", "marginRatio", "autoMargin", "uTime"],
        ),
        noPosition,
      ),
      rows: (data) =>
        rowsOf(data, ({ unrealizedPL, unrealizedPLR, marketPrice, markPrice, cTime, uTime, ...same }) => ({
          ...same,
          unrealizedPl: unrealizedPL,
          unrealizedPlr: unrealizedPLR ?? ratio(unrealizedPL, same.margin),
          markPrice: marketPrice ?? markPrice,
          openedAt: cTime,
          breakEvenPrice: null,
          totalFunding: null,
          deductedFee: null,
          assetMode: null,
          updatedAt: uTime,
          ...onlyInV2,
          ...onlyInV3,
        })),
    }),
    v2: sourceFor(columns, {
      endpoint: apiEndpoint("v2/positions", {
        path: "/api/v2/mix/position/all-position",
        perSecond: 5,
        params: ["productType*", "marginCoin"],
        summary: "open positions of a product type",
      }),
      ...perProductType("productType", categoryOf),
      data: listed(
        item(
          {
            ...classic,
            symbol,
            openDelegateSize: optionalDecimal,
            marginSize: optionalDecimal,
            openPriceAvg: optionalDecimal,
            breakEvenPrice: optionalDecimal,
            posMode: holdMode,
            totalFee: optionalDecimal,
            deductedFee: optionalDecimal,
            takeProfit: optionalDecimal,
            stopLoss: optionalDecimal,
            takeProfitId: text,
            stopLossId: text,
            grant: optionalDecimal,
            cashDividend: optionalDecimal,
            assetMode: text,
          },
          ["unrealizedPLR", "cashDividend"],
        ),
        noPosition,
      ),
      rows: (data) =>
        rowsOf(data, ({ openDelegateSize, marginSize, unrealizedPL, unrealizedPLR, openPriceAvg, ...rest }) => {
          const { cTime, uTime, posMode, totalFee, ...same } = rest;
          return {
            ...same,
            openDelegateCount: openDelegateSize,
            margin: marginSize,
            unrealizedPl: unrealizedPL,
            unrealizedPlr: unrealizedPLR ?? ratio(unrealizedPL, marginSize),
            averageOpenPrice: openPriceAvg,
            openedAt: cTime,
            holdMode: posMode,
            totalFunding: totalFee,
            updatedAt: uTime,
            ...onlyInV3,
          };
        }),
    }),
    v3: sourceFor(columns, {
      endpoint: apiEndpoint("v3/positions", {
        path: "/api/v3/position/current-position",
        perSecond: 20,
        params: ["category*", "symbol", "posSide"],
        summary: "open positions of a product type",
      }),
      ...perProductType("category", categoryOf),
      // Unified accounts have no demo product types: they use a demo key instead.
      scopes: (productTypes) => productTypes.filter((type) => !isDemoProductType(type)),
      data: listed(
        item({
          // The scope in the spelling of v3.
          category: name,
          symbol,
          marginCoin: coin,
          posSide: side,
          marginMode,
          positionBalance: optionalDecimal,
          available: optionalDecimal,
          frozen: optionalDecimal,
          total: decimal,
          leverage: optionalDecimal,
          curRealisedPnl: optionalDecimal,
          unrealisedPnl: optionalDecimal,
          profitRate: optionalDecimal,
          liquidationPrice: optionalDecimal,
          mmr: optionalDecimal,
          markPrice: optionalDecimal,
          avgPrice: optionalDecimal,
          createdTime: millis,
          breakEvenPrice: optionalDecimal,
          holdMode,
          totalFunding: optionalDecimal,
          openFeeTotal: optionalDecimal,
          closeFeeTotal: optionalDecimal,
          positionStatus: text,
          updatedTime: millis,
        }),
        noPosition,
      ),
      rows: (data) =>
        rowsOf(data, ({ category, posSide, positionBalance, frozen, curRealisedPnl, unrealisedPnl, ...rest }) => {
          const { profitRate, mmr, avgPrice, createdTime, updatedTime, ...same } = rest;
          return {
            ...same,
            holdSide: posSide,
            openDelegateCount: null,
            margin: positionBalance,
            locked: frozen,
            achievedProfits: curRealisedPnl,
            unrealizedPl: unrealisedPnl,
            unrealizedPlr: profitRate ?? ratio(unrealisedPnl, positionBalance),
            keepMarginRate: mmr,
            averageOpenPrice: avgPrice,
            openedAt: createdTime,
            marginRatio: null,
            autoMargin: null,
            deductedFee: null,
            assetMode: null,
            updatedAt: updatedTime,
            ...onlyInV2,
          };
        }),
    }),
  },
});
