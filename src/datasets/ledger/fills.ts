/**
 * The trades of the account, one row per fill. They have neither funding nor transfers, so they explain bills and do not replace them.
 *
 * Not collected: fills of crossed and isolated margin, whose lists need a symbol per request; their amounts are in `bills`.
 *
 * Sources: https://www.bitget.com/api-doc/spot/trade/Get-Fills, https://www.bitget.com/api-doc/contract/trade/Get-Order-Fills,
 * https://www.bitget.com/api-doc/uta/trade/Get-Fill-History
 */
import { z } from "zod";
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import { isPositive, sum } from "../../core/decimal.ts";
import type { DecimalString, Extra } from "../../core/domain.ts";
import { exactCoin, item, list, millis, name, optionalDecimal, required, text } from "../fields.ts";
import { incrementalDataset, listSourceFor } from "../incremental.ts";
import {
  byCursor,
  listWithCursor,
  ofNinetyDays,
  ofSevenDays,
  ofThirtyDays,
  ofWallet,
  perLiveProductType,
  perUnifiedCategory,
} from "./lists.ts";

const columns = {
  /** The instrument. */
  symbol: column.text().notNull(),
  /** The exchange's id, unique within the wallet. */
  tradeId: column.id().notNull(),
  /** The order that was filled. */
  orderId: column.id(),
  /** The time of the fill, by the exchange's clock. */
  at: column.millis().notNull(),
  /** `buy` or `sell`. */
  side: column.text(),
  /** What the fill did to the position, as the exchange reports it: `open`, `close`, and others (futures). */
  tradeSide: column.text(),
  /** The price. Unit: quote coin. */
  price: column.decimal(),
  /** The size. Unit: base coin. */
  size: column.decimal(),
  /** The value as reported, which unified accounts cut to a few places; `price` times `size` is exact. Unit: quote coin. */
  quote: column.decimal(),
  /** The fee, negative = paid; NULL where it was paid in several coins, which are in `extra`. Unit: `fee_coin`. */
  fee: column.decimal(),
  /** The coin of the fee. */
  feeCoin: column.text(),
  /** Realised profit of the fill before its fee (futures). Unit: margin coin. */
  profit: column.decimal(),
  /** `maker` or `taker`. */
  role: column.text(),
  /** `market`, `limit` and others. */
  orderType: column.text(),
  /** `hedge_mode` or `one_way_mode` (futures). */
  positionMode: column.text(),
  /** `yes` where the fee was paid in another coin by a setting of the account. */
  deduction: column.text(),
  /** Where the order came from, as the exchange reports it. */
  source: column.text(),
  /** The last change of the fill, by the exchange's clock. */
  updatedAt: column.millis(),
};

const classicFee = item({ deduction: text, feeCoin: text, totalDeductionFee: text, totalFee: optionalDecimal }, [
  "deduction",
  "totalDeductionFee",
]);

interface Fee {
  coin: string | null;
  fee: DecimalString | null;
  deduction: string | null;
}

/** Returns the fee and its coin; both null, and the parts as unknown fields, where several coins paid it. */
function totalFee(parts: readonly Fee[]): {
  fee: DecimalString | null;
  feeCoin: string | null;
  deduction: string | null;
  extra: Extra;
} {
  const deduction = parts[0]?.deduction ?? null;
  const coins = new Set(parts.map(({ coin }) => coin));
  const known = parts.flatMap(({ fee }) => fee ?? []);
  if (coins.size > 1) return { fee: null, feeCoin: null, deduction, extra: { feeDetail: parts } };
  const fee = known.length < parts.length ? null : parts.length === 1 ? (known[0] ?? null) : sum(known);
  return { fee: parts.length === 0 ? null : fee, feeCoin: parts[0]?.coin ?? null, deduction, extra: null };
}

/** Returns the digits with the other sign. */
const negated = (digits: DecimalString | null): DecimalString | null =>
  digits?.startsWith("-") ? digits.slice(1) : digits && `-${digits}`;

/**
 * Returns the parts of a fee of v2, negative = paid. A fee that was deducted in another coin is positive in responses, and negative in
 * the documentation.
 */
const classicParts = (
  details: readonly { fields: Record<"deduction" | "feeCoin" | "totalFee", string | null> }[],
): Fee[] =>
  details.map(({ fields: { deduction, feeCoin, totalFee } }) => {
    const isFlipped = deduction === "yes" && totalFee !== null && isPositive(totalFee);
    return { coin: feeCoin, fee: isFlipped ? negated(totalFee) : totalFee, deduction };
  });

const withFee = <Row>({ extra: feeExtra, ...fee }: ReturnType<typeof totalFee>, row: Row, extra: Extra) => ({
  row: { ...row, ...fee },
  extra: feeExtra || extra ? { ...extra, ...feeExtra } : null,
});

/** One fee of spot fills, a list of them in futures ones. */
const feeDetail = z.preprocess((value) => [value ?? []].flat(), list(classicFee));

const spot = listSourceFor(columns, {
  endpoint: apiEndpoint("v2/spot-fills", {
    path: "/api/v2/spot/trade/fills",
    perSecond: 10,
    params: ["symbol", "orderId", "startTime", "endTime", "limit", "idLessThan"],
    summary: "fills of spot orders",
  }),
  ...ofWallet("spot"),
  ...ofNinetyDays,
  pageSize: 100,
  data: list(
    item({
      // The same in every row.
      userId: text,
      symbol: name,
      orderId: text,
      tradeId: name,
      orderType: text,
      side: text,
      priceAvg: optionalDecimal,
      size: optionalDecimal,
      amount: optionalDecimal,
      feeDetail,
      tradeScope: text,
      cTime: required(millis),
      uTime: millis,
    }),
  ),
  rows: (data) =>
    data.map(({ fields: { userId: _, priceAvg, amount, feeDetail, tradeScope, cTime, uTime, ...same }, extra }) =>
      withFee(
        totalFee(classicParts(feeDetail)),
        {
          ...same,
          at: cTime,
          tradeSide: null,
          price: priceAvg,
          quote: amount,
          profit: null,
          role: tradeScope,
          positionMode: null,
          source: null,
          updatedAt: uTime,
        },
        extra,
      ),
    ),
});

const futures = listSourceFor(columns, {
  endpoint: apiEndpoint("v2/mix-fills", {
    path: "/api/v2/mix/order/fills",
    perSecond: 10,
    params: ["productType*", "symbol", "orderId", "startTime", "endTime", "limit", "idLessThan"],
    summary: "fills of futures orders",
  }),
  ...perLiveProductType("productType"),
  // The newest pages limit a query to a week; older ones to three months.
  ...ofSevenDays,
  pageSize: 100,
  data: z.object({
    fillList: list(
      item({
        tradeId: name,
        symbol: name,
        orderId: text,
        price: optionalDecimal,
        baseVolume: optionalDecimal,
        feeDetail,
        side: text,
        quoteVolume: optionalDecimal,
        profit: optionalDecimal,
        enterPointSource: text,
        tradeSide: text,
        posMode: text,
        tradeScope: text,
        cTime: required(millis),
      }),
    ).nullable(),
    endId: text.transform((id) => id ?? null),
  }),
  cursor: ({ endId }) => endId,
  rows: (data) =>
    (data.fillList ?? []).map(({ fields, extra }) => {
      const { baseVolume, quoteVolume, feeDetail, enterPointSource, posMode, tradeScope, cTime, ...same } = fields;
      return withFee(
        totalFee(classicParts(feeDetail)),
        {
          ...same,
          at: cTime,
          size: baseVolume,
          quote: quoteVolume,
          role: tradeScope,
          orderType: null,
          positionMode: posMode,
          source: enterPointSource,
          updatedAt: null,
        },
        extra,
      );
    }),
});

const unified = listSourceFor(columns, {
  endpoint: apiEndpoint("v3/fills", {
    path: "/api/v3/trade/fills",
    perSecond: 20,
    params: ["category", "orderId", "startTime", "endTime", "limit", "cursor"],
    summary: "fills of a unified account",
  }),
  ...perUnifiedCategory(["SPOT", "MARGIN", "USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"]),
  ...ofThirtyDays,
  pageSize: 100,
  page: byCursor,
  data: listWithCursor(
    item(
      {
        execId: name,
        orderId: text,
        // The scope.
        category: text,
        symbol: name,
        orderType: text,
        side: text,
        tradeSide: text,
        execPrice: optionalDecimal,
        execQty: optionalDecimal,
        execValue: optionalDecimal,
        tradeScope: text,
        feeDetail: list(item({ feeCoin: exactCoin, fee: optionalDecimal })).nullish(),
        createdTime: required(millis),
        updatedTime: millis,
        execPnl: optionalDecimal,
      },
      ["tradeSide", "execPnl"],
    ),
  ),
  cursor: ({ cursor }) => cursor,
  rows: (data) =>
    (data.list ?? []).map(({ fields, extra }) => {
      const { category: _, execId, execPrice, execQty, execValue, tradeScope, feeDetail, execPnl, ...rest } = fields;
      const { createdTime, updatedTime, tradeSide, ...same } = rest;
      // Positive = paid here.
      const parts = (feeDetail ?? []).map(({ fields: part }) => ({
        coin: part.feeCoin,
        fee: negated(part.fee),
        deduction: null,
      }));
      return withFee(
        totalFee(parts),
        {
          ...same,
          tradeId: execId,
          at: createdTime,
          tradeSide,
          price: execPrice,
          size: execQty,
          quote: execValue,
          profit: execPnl,
          role: tradeScope,
          positionMode: null,
          source: null,
          updatedAt: updatedTime,
        },
        extra,
      );
    }),
});

export const fills = incrementalDataset({
  name: "fills",
  summary: "Every fill of an order",
  columns,
  id: "tradeId",
  at: "at",
  scopeColumn: "wallet",
  stableThrough: "role",
  sources: { v2: [spot, futures], v3: [unified] },
});
