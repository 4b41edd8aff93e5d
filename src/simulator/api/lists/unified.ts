/** The lists of API v3: ledgers, fills, closed positions, deposits and withdrawals of a unified account. */
import { holdModeOf } from "../../account/position.ts";
import type { AccountView } from "../../account/statement.ts";
import { categoryOf, type Entry, groupOf, isUnified, typeOf } from "../../ledger/entry.ts";
import type { Posted } from "../../ledger/ledger.ts";
import type { ClosedPosition, Fill, Payment } from "../../ledger/listed.ts";
import type { Listed } from "../../list-faults.ts";
import { digits, multiply, truncate } from "../../market/amount.ts";
import { liveProducts, productOfCode } from "../../market/futures-products.ts";
import { refusals } from "../../refusal.ts";
import { type Endpoint, endpointsOf, type Query, requiredParam, type ServedResponse, unrecorded } from "../endpoint.ts";
import { isOf, type ListRules, pageOf, type Selection, v3Rules } from "./paging.ts";
import { longDigits, paymentFields, paymentsOf, resultOf } from "./shared.ts";

const { signed } = endpointsOf("v3");

/** Windows of 90 days are accepted: for transfers as documented, for the ledger as observed. */
const longWindows: ListRules = { ...v3Rules, spanDays: 90 };

/** Serves the transfers from and to sub-accounts, of which there are none. */
const subTransfers = (view: AccountView, query: Query): ServedResponse =>
  page(view, { items: [], query, rules: longWindows }, () => ({}));

export const unifiedLists: readonly Endpoint[] = [
  signed("/api/v3/account/financial-records", 20, financialRecords),
  signed("/api/v3/account/funding-financial-records", 10, fundingRecords),
  signed("/api/v3/trade/fills", 20, fills),
  signed("/api/v3/position/history-position", 20, closedPositions),
  signed("/api/v3/account/deposit-records", 10, payments("deposit")),
  signed("/api/v3/account/withdrawal-records", 10, payments("withdraw")),
  signed("/api/v3/account/sub-transfer-record", 5, subTransfers),
];

/** Serves a page; `list` and `cursor` are null if it is empty, and `cursor` is the last id on every other page, also the last one. */
function page<Item extends Listed>(
  view: AccountView,
  { rules = v3Rules, isWanted, ...selection }: Omit<Selection<Item>, "rules"> & { rules?: ListRules },
  row: (item: Item) => object,
): ServedResponse {
  // A unified account does not list what it did as a classic one.
  const isOwn = (item: Item) => item.at >= view.since && (isWanted?.(item) ?? true);
  const found = pageOf(view, { ...selection, rules, isWanted: isOwn });
  return unrecorded({ list: found.length === 0 ? null : found.map(row), cursor: found.at(-1)?.id ?? null });
}

const categories = ["SPOT", "MARGIN", "OTHER", ...liveProducts.map(({ category }) => category)];

function requestedCategory(query: Query, known: readonly string[] = categories): string {
  const category = requiredParam(query, "category");
  if (!known.includes(category)) throw refusals.badParameter("category");
  return category;
}

/** Serves the ledger of one category. */
function financialRecords(view: AccountView, query: Query): ServedResponse {
  const category = requestedCategory(query);
  const items = view.state.book.ledger("unified").rows("unified");
  const isWanted = ({ entry }: Posted) => isOf(category, categoryOf(entry)) && isSelected(entry, query);
  return page(view, { items, isWanted, query, rules: longWindows }, financialRecord);
}

const isSelected = (entry: Entry, { coin, type }: Query): boolean =>
  isOf(coin, entry.coin) && isOf(type, typeOf(entry, "unified"));

/** Spot rows contain the fee in `amount`; in those of futures it is to be added. */
function financialRecord({ id, at, balance, entry }: Posted) {
  const isSpot = entry.wallet === "spot";
  return {
    category: categoryOf(entry),
    id,
    ...(entry.symbol === undefined ? {} : { symbol: entry.symbol }),
    coin: entry.coin,
    type: typeOf(entry, "unified"),
    positionType: entry.position?.isIsolated ? "isolated" : "crossed",
    amount: digits(isSpot ? entry.change : entry.amount),
    fee: digits(entry.fee),
    positionAmount: "0",
    positionBalance: "0",
    balance: digits(balance),
    ts: String(at),
  };
}

/** Serves the ledger of the funding wallet, which has no fees: the balance after a withdrawal is lower by its fee. */
function fundingRecords(view: AccountView, query: Query): ServedResponse {
  const items = view.state.book.ledger("unified").rows("funding");
  return page(view, { items, isWanted: ({ entry }) => isSelected(entry, query), query }, fundingRecord);
}

const fundingRecord = ({ id, at, balance, entry }: Posted) => ({
  id,
  coin: entry.coin,
  groupType: groupOf(entry),
  type: typeOf(entry, "unified"),
  amount: longDigits(entry.amount),
  balance: longDigits(balance),
  ts: String(at),
});

function fills(view: AccountView, query: Query): ServedResponse {
  const category = query.category === undefined ? undefined : requestedCategory(query);
  const isWanted = (fill: Fill) => isUnified(fill.wallet) && isOf(category, categoryOfFill(fill));
  return page(view, { items: view.state.book.fills, isWanted, query }, fillData);
}

const categoryOfFill = ({ wallet, symbol }: Fill): string => categoryOf({ wallet, symbol, kind: "buy" });

/** Fees are positive and cut to eight places here, the value to four. */
const fillData = (fill: Fill) => ({
  execId: fill.id,
  orderId: fill.orderId,
  category: categoryOfFill(fill).toUpperCase(),
  symbol: fill.symbol,
  orderType: "market",
  side: fill.side,
  execPrice: digits(fill.price),
  execQty: digits(fill.size),
  execValue: digits(truncate(multiply(fill.size, fill.price), 4)),
  tradeScope: "taker",
  feeDetail: [{ feeCoin: fill.feeCoin, fee: digits(truncate(-fill.fee, 8)) }],
  createdTime: String(fill.at),
  updatedTime: String(fill.at + 7),
  ...(fill.trade ? { tradeSide: fill.trade.side, posSide: fill.trade.position } : {}),
  execPnl: digits(fill.profit ?? 0n),
});

function closedPositions(view: AccountView, query: Query): ServedResponse {
  const category = requestedCategory(
    query,
    liveProducts.map((product) => product.category),
  );
  const isWanted = ({ wallet, position }: ClosedPosition) =>
    productOfCode(wallet)?.category === category && isOf(query.symbol, position.contract.symbol);
  return page(view, { items: view.state.book.closed, isWanted, query }, (closed) => closedPosition(category, closed));
}

function closedPosition(category: string, closed: ClosedPosition) {
  const { position } = closed;
  const { opened, closed: size, profit, funding, openFees, closeFees, net } = resultOf(closed);
  return {
    positionId: position.id,
    category,
    symbol: position.contract.symbol,
    marginCoin: position.contract.marginCoin,
    holdMode: holdModeOf(position),
    posSide: position.side,
    marginMode: position.mode,
    openPriceAvg: digits(position.entry),
    closePriceAvg: digits(closed.closePrice),
    openTotalPos: opened,
    closeTotalPos: size,
    cumRealisedPnl: profit,
    netProfit: net,
    totalFunding: funding,
    openFeeTotal: openFees,
    closeFeeTotal: closeFees,
    createdTime: String(position.openedAt),
    updatedTime: String(closed.at),
  };
}

/** Serves deposits or withdrawals as a bare list without a cursor. */
function payments(type: Payment["type"]) {
  const rules: ListRules = {
    ...v3Rules,
    retentionDays: null,
    needsTimes: true,
    pageSize: { default: 20, max: 100 },
  };
  return (view: AccountView, query: Query): ServedResponse =>
    unrecorded(paymentsOf(view, type, query, rules).map((payment) => paymentData(payment, view.instant)));
}

function paymentData(payment: Payment, instant: number) {
  const { chainId, ...rest } = paymentFields(payment, instant);
  return { ...rest, recordId: chainId };
}
