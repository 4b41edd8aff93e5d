/**
 * Futures positions that were closed, with their results.
 *
 * Sources: https://www.bitget.com/api-doc/contract/position/Get-History-Position,
 * https://www.bitget.com/api-doc/uta/trade/Get-Position-History
 */
import { z } from "zod";
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import {
  coin,
  holdMode,
  item,
  list,
  marginMode,
  millis,
  name,
  optionalDecimal,
  required,
  side,
  text,
} from "../fields.ts";
import { incrementalDataset, listSourceFor } from "../incremental.ts";
import { byCursor, listWithCursor, ofNinetyDays, ofThirtyDays, perLiveProductType, rowsOf } from "./lists.ts";

const columns = {
  /** The contract: `BTCUSDT`. */
  symbol: column.text().notNull(),
  /** The coin of the margin. */
  marginCoin: column.text().notNull(),
  /** `long` or `short`. */
  holdSide: column.text().notNull(),
  /** `crossed` or `isolated`. */
  marginMode: column.text().notNull(),
  /** The exchange's id; where it sends none, symbol, side, and both times in epoch milliseconds. */
  positionId: column.text().notNull(),
  /** When the position was opened, by the exchange's clock. */
  openedAt: column.millis(),
  /** When it was closed completely, by the exchange's clock. */
  closedAt: column.millis().notNull(),
  /** The average entry price. Unit: quote coin. */
  openAveragePrice: column.decimal(),
  /** The average exit price. Unit: quote coin. */
  closeAveragePrice: column.decimal(),
  /** The size that was closed. Unit: base coin. */
  size: column.decimal(),
  /** Profit by price, before fees and funding. Unit: margin coin. */
  realizedPl: column.decimal(),
  /** Profit after fees and funding, which the exchange sums before it cuts the parts. Unit: margin coin. */
  netProfit: column.decimal(),
  /** Funding, negative = paid. Unit: margin coin. */
  funding: column.decimal(),
  /** Fees of opening, negative = paid. Unit: margin coin. */
  openFee: column.decimal(),
  /** Fees of closing, negative = paid. Unit: margin coin. */
  closeFee: column.decimal(),
  /** The size that was opened. Unit: base coin. */
  openedSize: column.decimal(),
  /** `hedge_mode` or `one_way_mode`. */
  holdMode: column.text(),
  /** Cash dividends (tokenised stocks). Unit: USDT. */
  cashDividend: column.decimal(),
};

const classic = listSourceFor(columns, {
  endpoint: apiEndpoint("v2/closed-positions", {
    path: "/api/v2/mix/position/history-position",
    perSecond: 20,
    params: ["productType", "symbol", "startTime", "endTime", "limit", "idLessThan"],
    summary: "closed positions of a product type",
  }),
  ...perLiveProductType("productType"),
  ...ofNinetyDays,
  pageSize: 100,
  data: z.object({
    list: list(
      item(
        {
          positionId: text,
          symbol: name,
          marginCoin: coin,
          holdSide: side,
          marginMode,
          openAvgPrice: optionalDecimal,
          closeAvgPrice: optionalDecimal,
          openTotalPos: optionalDecimal,
          closeTotalPos: optionalDecimal,
          pnl: optionalDecimal,
          netProfit: optionalDecimal,
          totalFunding: optionalDecimal,
          openFee: optionalDecimal,
          closeFee: optionalDecimal,
          posMode: holdMode,
          // Responses have the first spelling, the documentation the second.
          ctime: millis,
          utime: millis,
          cTime: millis,
          uTime: millis,
        },
        ["positionId", "posMode", "ctime", "utime", "cTime", "uTime"],
      ),
    ).nullable(),
    // The id of the last closing; positions have another one, or none.
    endId: text.transform((id) => id ?? null),
  }),
  cursor: ({ endId }) => endId,
  rows: (data) =>
    rowsOf(data.list, ({ positionId, openAvgPrice, closeAvgPrice, openTotalPos, closeTotalPos, ...rest }) => {
      const { pnl, totalFunding, posMode, ctime, utime, cTime, uTime, ...same } = rest;
      const openedAt = ctime ?? cTime;
      const closedAt = z.number().parse(utime ?? uTime);
      return {
        ...same,
        positionId: positionId ?? [same.symbol, same.holdSide, openedAt, closedAt].join(":"),
        openedAt,
        closedAt,
        openAveragePrice: openAvgPrice,
        closeAveragePrice: closeAvgPrice,
        size: closeTotalPos,
        realizedPl: pnl,
        funding: totalFunding,
        openedSize: openTotalPos,
        holdMode: posMode,
        cashDividend: null,
      };
    }),
});

const unified = listSourceFor(columns, {
  endpoint: apiEndpoint("v3/closed-positions", {
    path: "/api/v3/position/history-position",
    perSecond: 20,
    params: ["category*", "symbol", "startTime", "endTime", "limit", "cursor"],
    summary: "closed positions of a product type",
  }),
  ...perLiveProductType("category"),
  ...ofThirtyDays,
  pageSize: 100,
  page: byCursor,
  data: listWithCursor(
    item(
      {
        positionId: name,
        // The scope.
        category: text,
        symbol: name,
        marginCoin: coin,
        holdMode,
        posSide: side,
        marginMode,
        openPriceAvg: optionalDecimal,
        closePriceAvg: optionalDecimal,
        openTotalPos: optionalDecimal,
        closeTotalPos: optionalDecimal,
        cumRealisedPnl: optionalDecimal,
        netProfit: optionalDecimal,
        totalFunding: optionalDecimal,
        openFeeTotal: optionalDecimal,
        closeFeeTotal: optionalDecimal,
        cashDividend: optionalDecimal,
        createdTime: millis,
        updatedTime: required(millis),
      },
      ["cashDividend"],
    ),
  ),
  cursor: ({ cursor }) => cursor,
  rows: (data) =>
    rowsOf(data.list, ({ category: _, posSide, openPriceAvg, closePriceAvg, openTotalPos, closeTotalPos, ...rest }) => {
      const { cumRealisedPnl, totalFunding, openFeeTotal, closeFeeTotal, createdTime, updatedTime, ...same } = rest;
      return {
        ...same,
        holdSide: posSide,
        openedAt: createdTime,
        closedAt: updatedTime,
        openAveragePrice: openPriceAvg,
        closeAveragePrice: closePriceAvg,
        size: closeTotalPos,
        realizedPl: cumRealisedPnl,
        funding: totalFunding,
        openFee: openFeeTotal,
        closeFee: closeFeeTotal,
        openedSize: openTotalPos,
      };
    }),
});

export const closedPositions = incrementalDataset({
  name: "closed-positions",
  summary: "Closed futures positions with their results",
  schedule: "7 * * * *",
  columns,
  id: "positionId",
  at: "closedAt",
  scopeColumn: "product_type",
  endsEpisodes: true,
  stableThrough: "closeFee",
  sources: { v2: [classic], v3: [unified] },
});
