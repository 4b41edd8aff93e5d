/**
 * The entries of the exchange's ledger: each change of a balance with the balance after it, so that the entries of a coin prove each
 * other. The exchange lists them by wallet; the unified wallet by category.
 *
 * Sources: https://www.bitget.com/api-doc/spot/account/Get-Account-Bills,
 * https://www.bitget.com/api-doc/contract/account/Get-Account-Bill, https://www.bitget.com/api-doc/margin/cross/record/Get-Cross-Finflow,
 * https://www.bitget.com/api-doc/margin/isolated/record/Get-Isolated-Finflow and .../isolated/account/Get-Isolated-Assets,
 * https://www.bitget.com/api-doc/uta/account/Get-Financial-Records and .../Get-Funding-Financial-Records
 */
import { z } from "zod";
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import type { DecimalString, Scope } from "../../core/domain.ts";
import { exactCoin, item, list, millis, name, optionalDecimal, required, text, textOrEmpty } from "../fields.ts";
import { incrementalDataset, listSourceFor, partsList } from "../incremental.ts";
import { kindSql } from "./kinds.ts";
import {
  byCursor,
  listWithCursor,
  ofNinetyDays,
  ofThirtyDays,
  ofWallet,
  perLiveProductType,
  perUnifiedCategory,
  rowsOf,
} from "./lists.ts";

const columns = {
  /** The coin, as the exchange spells it. */
  coin: column.text().notNull(),
  /** The exchange's id, unique within the wallet; an unified wallet has one sequence for all categories. */
  billId: column.id().notNull(),
  /** The time of the event, by the exchange's clock. */
  at: column.millis().notNull(),
  /** The exchange's own text for what happened, unchanged; may be empty. */
  type: column.text().notNull(),
  /** The signed amount. Whether it includes the fee differs between wallets and types. Unit: coin. */
  amount: column.decimal(),
  /** The fee, negative = paid. Unit: coin. */
  fee: column.decimal(),
  /** The balance of the coin in the wallet after the entry. Unit: coin. */
  balance: column.decimal(),
  /** The instrument; NULL for an entry that belongs to none. */
  symbol: column.text(),
  /** The order that caused the entry (spot). */
  orderId: column.id(),
  /** The exchange's coarse class (spot and funding wallet). */
  groupType: column.text(),
  /** The part of the fee that a coupon paid, which does not leave the balance (futures). Unit: coin. */
  feeByCoupon: column.decimal(),
  /** `crossed` or `isolated` (unified wallet). */
  positionType: column.text(),
  /** The size of the position after the entry (unified wallet). Unit: base coin. */
  positionAmount: column.decimal(),
  /** The margin of the position after the entry (unified wallet). Unit: margin coin. */
  positionBalance: column.decimal(),
  /** The last change of the entry, by the exchange's clock (margin). */
  updatedAt: column.millis(),
};

/** Columns that most lists do not have. */
const noOthers = {
  symbol: null,
  orderId: null,
  groupType: null,
  feeByCoupon: null,
  positionType: null,
  positionAmount: null,
  positionBalance: null,
  updatedAt: null,
};

const spot = listSourceFor(columns, {
  endpoint: apiEndpoint("v2/spot-bills", {
    path: "/api/v2/spot/account/bills",
    perSecond: 10,
    params: ["coin", "groupType", "businessType", "startTime", "endTime", "limit", "idLessThan"],
    summary: "the ledger of the spot wallet",
  }),
  ...ofWallet("spot"),
  ...ofNinetyDays,
  pageSize: 500,
  data: list(
    item(
      {
        billId: name,
        cTime: required(millis),
        coin: exactCoin,
        groupType: text,
        businessType: textOrEmpty,
        size: optionalDecimal,
        fees: optionalDecimal,
        balance: optionalDecimal,
        bizOrderId: text,
      },
      ["bizOrderId"],
    ),
  ),
  rows: (data) =>
    rowsOf(data, ({ cTime, businessType, size, fees, bizOrderId, ...same }) => ({
      ...noOthers,
      ...same,
      at: cTime,
      type: businessType ?? "",
      amount: size,
      fee: fees,
      orderId: bizOrderId,
    })),
});

const futures = listSourceFor(columns, {
  endpoint: apiEndpoint("v2/mix-bills", {
    path: "/api/v2/mix/account/bill",
    perSecond: 10,
    params: ["productType*", "coin", "businessType", "onlyFunding", "startTime", "endTime", "limit", "idLessThan"],
    summary: "the ledger of a futures account",
  }),
  ...perLiveProductType("productType"),
  ...ofThirtyDays,
  pageSize: 100,
  data: z.object({
    bills: list(
      item(
        {
          billId: name,
          cTime: required(millis),
          symbol: text,
          coin: exactCoin,
          businessType: textOrEmpty,
          amount: optionalDecimal,
          fee: optionalDecimal,
          feeByCoupon: optionalDecimal,
          balance: optionalDecimal,
        },
        ["feeByCoupon"],
      ),
    ).nullable(),
  }),
  rows: (data) =>
    rowsOf(data.bills, ({ cTime, businessType, ...same }) => ({
      ...noOthers,
      ...same,
      at: cTime,
      type: businessType ?? "",
    })),
});

const marginRecord = {
  marginId: name,
  cTime: required(millis),
  uTime: millis,
  coin: exactCoin,
  marginType: textOrEmpty,
  amount: optionalDecimal,
  fee: optionalDecimal,
  balance: optionalDecimal,
};

const marginRow = ({
  marginId,
  cTime,
  uTime,
  marginType,
  ...same
}: Record<"marginId" | "coin", string> & {
  cTime: number;
  uTime: number | null;
  marginType: string | null;
  amount: DecimalString | null;
  fee: DecimalString | null;
  balance: DecimalString | null;
}) => ({ ...noOthers, ...same, billId: marginId, at: cTime, type: marginType ?? "", updatedAt: uTime });

const crossedMargin = listSourceFor(columns, {
  endpoint: apiEndpoint("v2/margin-bills", {
    path: "/api/v2/margin/crossed/financial-records",
    perSecond: 10,
    params: ["marginType", "coin", "startTime*", "endTime", "limit", "idLessThan"],
    summary: "the ledger of the crossed margin account",
  }),
  ...ofWallet("margin-crossed"),
  ...ofNinetyDays,
  pageSize: 500,
  data: z.object({ resultList: list(item(marginRecord)).nullable() }),
  rows: (data) => rowsOf(data.resultList, marginRow),
});

const pairPrefix = "margin-isolated/";

/** Each pair has balances of its own. The list of assets names those that the account has used; its amounts are not stored. */
const isolatedMargin = listSourceFor(columns, {
  endpoint: apiEndpoint("v2/isolated-margin-bills", {
    path: "/api/v2/margin/isolated/financial-records",
    perSecond: 10,
    params: ["symbol*", "marginType", "coin", "startTime*", "endTime", "limit", "idLessThan"],
    summary: "the ledger of a pair of isolated margin",
  }),
  ...ofWallet("margin-isolated"),
  parts: partsList(
    apiEndpoint("v2/isolated-margin-assets", {
      path: "/api/v2/margin/isolated/account/assets",
      perSecond: 10,
      params: ["symbol"],
      summary: "the pairs of isolated margin",
    }),
    z.array(z.object({ symbol: name })),
    (assets) => assets.map(({ symbol }): Scope => `${pairPrefix}${symbol}`),
  ),
  params: (scope) => ({ symbol: String(scope).slice(pairPrefix.length) }),
  ...ofNinetyDays,
  pageSize: 500,
  data: z.object({ resultList: list(item({ ...marginRecord, symbol: text })).nullable() }),
  rows: (data, scope) =>
    rowsOf(data.resultList, ({ symbol, ...record }) => ({
      ...marginRow(record),
      symbol: symbol ?? String(scope).slice(pairPrefix.length),
    })),
});

const unified = listSourceFor(columns, {
  endpoint: apiEndpoint("v3/bills", {
    path: "/api/v3/account/financial-records",
    perSecond: 20,
    params: ["category*", "coin", "type", "startTime", "endTime", "limit", "cursor"],
    summary: "the ledger of the unified wallet",
  }),
  ...perUnifiedCategory(),
  ...ofThirtyDays,
  pageSize: 100,
  page: byCursor,
  data: listWithCursor(
    item(
      {
        // The scope, in varying case.
        category: text,
        id: name,
        ts: required(millis),
        symbol: text,
        coin: exactCoin,
        type: textOrEmpty,
        amount: optionalDecimal,
        fee: optionalDecimal,
        balance: optionalDecimal,
        positionType: text,
        positionAmount: optionalDecimal,
        positionBalance: optionalDecimal,
      },
      ["symbol", "positionType", "positionAmount", "positionBalance"],
    ),
  ),
  cursor: ({ cursor }) => cursor,
  rows: (data) =>
    rowsOf(data.list, ({ category: _, id, ts, type, ...same }) => ({
      ...noOthers,
      ...same,
      billId: id,
      at: ts,
      type: type ?? "",
    })),
});

const funding = listSourceFor(columns, {
  endpoint: apiEndpoint("v3/funding-bills", {
    path: "/api/v3/account/funding-financial-records",
    perSecond: 10,
    params: ["coin", "type", "startTime", "endTime", "limit", "cursor"],
    summary: "the ledger of the funding wallet of a unified account",
  }),
  ...ofWallet("funding"),
  ...ofThirtyDays,
  pageSize: 100,
  page: byCursor,
  data: listWithCursor(
    item({
      id: name,
      ts: required(millis),
      coin: exactCoin,
      groupType: text,
      type: textOrEmpty,
      amount: optionalDecimal,
      balance: optionalDecimal,
    }),
  ),
  cursor: ({ cursor }) => cursor,
  rows: (data) =>
    rowsOf(data.list, ({ id, ts, type, ...same }) => ({
      ...noOthers,
      ...same,
      billId: id,
      at: ts,
      type: type ?? "",
      fee: null,
    })),
});

export const bills = incrementalDataset({
  name: "bills",
  summary: "The exchange's ledger: every change of a balance, with the balance after it",
  columns,
  id: "billId",
  at: "at",
  scopeColumn: "wallet",
  isLedger: true,
  stableThrough: "orderId",
  computed: {
    type: {
      name: "kind",
      type: "text",
      text: "Our class of `type`: `trade`, `fee`, `funding`, `transfer`, `deposit`, `withdrawal`, `interest`, `borrow`, `repay`, `liquidation`, `reward`, `conversion`, `margin` or `other`.",
      sql: (column) => kindSql(column("type"), column("groupType")),
    },
    fee: {
      name: "change",
      type: "decimal",
      text: "What the entry changed the balance by, as the balances show; NULL where its balance does not follow from the one before, where nothing shows whether its fee is in its amount, and before the ledger was reconciled. Unit: coin.",
      sql: (_, change) => change,
    },
  },
  sources: { v2: [spot, futures, crossedMargin, isolatedMargin], v3: [unified, funding] },
});
