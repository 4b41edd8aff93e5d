/**
 * The exchange's tax records of a classic account, which reach back about two years. They repeat what bills, fills, deposits and
 * withdrawals say, so they are a second witness, never added to bills, and the only one for the time before the first bill.
 *
 * The key needs the permission for tax records, so the dataset is off unless it has a schedule. A unified account has another list, of
 * which it is not known how far back it reaches; it is not collected.
 *
 * Source: https://www.bitget.com/api-doc/common/tax/Get-Spot-Account-Record and the three pages beside it. That the oldest row is the first
 * one of a page is from responses.
 */
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import type { Scope } from "../../core/domain.ts";
import { dayMs } from "../../core/time.ts";
import { exactCoin, item, list, millis, name, optionalDecimal, required, text, textOrEmpty } from "../fields.ts";
import { incrementalDataset, listSourceFor } from "../incremental.ts";
import { ofWallet, perLiveProductType, rowsOf } from "./lists.ts";

const columns = {
  /** The coin, as the exchange spells it. */
  coin: column.text().notNull(),
  /** The exchange's id, unique within the wallet. It is not the id of a bill. */
  recordId: column.text().notNull(),
  /** The time of the record, by the exchange's clock. */
  at: column.millis().notNull(),
  /** What happened, in the exchange's own words; may be empty. */
  type: column.text().notNull(),
  /** The amount, signed, without the fee; null for P2P records. Unit: coin. */
  amount: column.decimal(),
  /** The fee, negative where it was paid. Unit: coin. */
  fee: column.decimal(),
  /** The balance after it; null for futures. Unit: coin. */
  balance: column.decimal(),
  /** The contract or pair. */
  symbol: column.text(),
  /** The order that it belongs to (spot). */
  orderId: column.text(),
};

const limits = { spanMs: 30 * dayMs, retentionMs: 730 * dayMs, pageSize: 500 };

const endpoint = (wallet: string, params: readonly string[], summary: string) =>
  apiEndpoint(`v2/tax-${wallet}`, {
    path: `/api/v2/tax/${wallet}-record`,
    perSecond: 1,
    params: [...params, "startTime*", "endTime*", "limit", "idLessThan"],
    summary,
  });

const common = { id: name, ts: required(millis), coin: exactCoin, amount: optionalDecimal, fee: optionalDecimal };

const noOthers = { amount: null, fee: null, balance: null, symbol: null, orderId: null };

const spot = listSourceFor(columns, {
  endpoint: endpoint("spot", ["coin"], "the tax records of the spot wallet"),
  ...ofWallet("spot"),
  ...limits,
  data: list(item({ ...common, spotTaxType: textOrEmpty, balance: optionalDecimal, bizOrderId: text }, ["bizOrderId"])),
  rows: (data) =>
    rowsOf(data, ({ id, ts, spotTaxType, bizOrderId, ...same }) => ({
      ...noOthers,
      ...same,
      recordId: id,
      at: ts,
      type: spotTaxType ?? "",
      orderId: bizOrderId,
    })),
});

const { coin: marginCoin, ...withoutCoin } = common;

const futures = listSourceFor(columns, {
  endpoint: endpoint("future", ["productType", "marginCoin"], "the tax records of a futures account"),
  ...perLiveProductType("productType"),
  ...limits,
  data: list(item({ ...withoutCoin, marginCoin, futureTaxType: textOrEmpty, symbol: text })),
  rows: (data) =>
    rowsOf(data, ({ id, ts, marginCoin, futureTaxType, ...same }) => ({
      ...noOthers,
      ...same,
      coin: marginCoin,
      recordId: id,
      at: ts,
      type: futureTaxType ?? "",
    })),
});

/** Clients of the exchange differ in the name of the balance. */
const total = { total: optionalDecimal, balance: optionalDecimal };

const margin = listSourceFor(columns, {
  endpoint: endpoint("margin", ["marginType", "coin"], "the tax records of a margin account"),
  scopes: (): Scope[] => ["margin-crossed", "margin-isolated"],
  params: (scope) => ({ marginType: String(scope).slice("margin-".length) }),
  ...limits,
  data: list(item({ ...common, ...total, marginTaxType: textOrEmpty, symbol: text }, ["total", "balance", "symbol"])),
  rows: (data) =>
    rowsOf(data, ({ id, ts, marginTaxType, total, balance, ...same }) => ({
      ...noOthers,
      ...same,
      recordId: id,
      at: ts,
      type: marginTaxType ?? "",
      balance: total ?? balance,
    })),
});

const peerToPeer = listSourceFor(columns, {
  endpoint: endpoint("p2p", ["coin"], "the tax records of P2P trades in the funding wallet"),
  ...ofWallet("funding"),
  ...limits,
  data: list(
    item({ id: name, ts: required(millis), coin: exactCoin, ...total, p2pTaxType: textOrEmpty }, ["total", "balance"]),
  ),
  rows: (data) =>
    rowsOf(data, ({ id, ts, coin, p2pTaxType, total, balance }) => ({
      ...noOthers,
      coin,
      recordId: id,
      at: ts,
      type: p2pTaxType ?? "",
      balance: total ?? balance,
    })),
});

export const taxRecords = incrementalDataset({
  name: "tax-records",
  summary: "Tax records, about two years; off unless it has a schedule, and for keys that may read them",
  schedule: "",
  scopeColumn: "wallet",
  columns,
  id: "recordId",
  at: "at",
  stableThrough: "orderId",
  sources: { v2: [spot, futures, margin, peerToPeer] },
});
