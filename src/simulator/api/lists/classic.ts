/** The lists of API v2: ledgers, fills, closed positions, deposits, withdrawals and transfers of a classic account. */
import { holdModeOf } from "../../account/position.ts";
import type { AccountView } from "../../account/statement.ts";
import { groupOf, typeOf, type WalletName } from "../../ledger/entry.ts";
import type { Posted } from "../../ledger/ledger.ts";
import type { ClosedPosition, Fill, Payment, Transfer } from "../../ledger/listed.ts";
import { compareListed } from "../../list-faults.ts";
import { digits, multiply } from "../../market/amount.ts";
import { type FuturesProduct, productOfCategory } from "../../market/futures-products.ts";
import { refusals } from "../../refusal.ts";
import { type Endpoint, endpointsOf, type Query, requiredParam, type ServedResponse, unrecorded } from "../endpoint.ts";
import { isOf, type ListRules, pageOf, v2Rules } from "./paging.ts";
import { longDigits, paymentFields, paymentsOf, resultOf } from "./shared.ts";

const { signed } = endpointsOf("v2");

export const classicLists: readonly Endpoint[] = [
  signed("/api/v2/spot/account/bills", 10, spotBills),
  signed("/api/v2/mix/account/bill", 10, futuresBills),
  signed("/api/v2/margin/crossed/financial-records", 10, marginRecords),
  signed("/api/v2/margin/isolated/financial-records", 10, isolatedRecords),
  signed("/api/v2/margin/isolated/account/assets", 10, isolatedAssets),
  signed("/api/v2/spot/trade/fills", 10, spotFills),
  signed("/api/v2/mix/order/fills", 10, futuresFills({ ...v2Rules, tooLong: refusals.intervalTooLong })),
  signed("/api/v2/mix/order/fill-history", 10, futuresFills({ ...v2Rules, spanDays: 7 })),
  signed("/api/v2/mix/position/history-position", 20, closedPositions),
  signed("/api/v2/spot/wallet/deposit-records", 10, payments("deposit")),
  signed("/api/v2/spot/wallet/withdrawal-records", 10, payments("withdraw")),
  signed("/api/v2/spot/account/transferRecords", 20, transfers),
  signed("/api/v2/spot/account/sub-main-trans-record", 20, () => unrecorded([])),
];

const rowsOf = ({ state }: AccountView, wallet: WalletName): readonly Posted[] =>
  state.book.ledger("classic").rows(wallet);

function spotBills(view: AccountView, query: Query): ServedResponse {
  const { coin, groupType, businessType } = query;
  const isWanted = ({ entry }: Posted) =>
    isOf(coin, entry.coin) && isOf(groupType, groupOf(entry)) && isOf(businessType, typeOf(entry, "classic"));
  const rules = { ...v2Rules, pageSize: { default: 100, max: 500 } };
  return unrecorded(pageOf(view, { items: rowsOf(view, "spot"), isWanted, query, rules }).map(spotBill));
}

function spotBill({ id, at, balance, entry }: Posted) {
  const type = typeOf(entry, "classic");
  return {
    billId: id,
    // The exchange's names are upper case or not, with hyphens or underscores; so are the coins of its oldest type.
    coin: type === "transfer-in" ? entry.coin.toLowerCase() : entry.coin,
    groupType: groupOf(entry),
    businessType: type,
    size: longDigits(entry.amount),
    balance: longDigits(balance - (entry.frozen ?? 0n)),
    fees: longDigits(entry.fee),
    cTime: String(at),
    ...(entry.orderId === undefined ? {} : { bizOrderId: entry.orderId }),
  };
}

const futuresTypes =
  /^(open|close|force_close|adl_close|delivery)_(long|short)$|^(burst|trans_(from|to))_\w+$|^(force_)?(buy|sell)$|^contract_settle_fee$|margin$|^risk_captital_user_transfer$|^(cash_gift|bonus|tracking)_\w+$|^(user_exchange_(buy|sell)|settle_interest)$/;

/** Serves the ledger of a product type: the bills that the user of the simulator supplied, or else those of the simulated account. */
function futuresBills(view: AccountView, query: Query): ServedResponse {
  const { code, category, live } = requestedProduct(query);
  const { businessType, onlyFunding } = query;
  if (businessType !== undefined && !futuresTypes.test(businessType)) throw refusals.badBusinessType();
  const rules = { ...v2Rules, spanDays: 30, pageSize: { default: 20, max: 100 } };
  if (view.bills.length > 0) {
    const items = view.bills
      .filter((bill) => bill.category === category && isOf(businessType, bill.row.businessType ?? ""))
      .map(({ row, visibleAt = Number(row.cTime) }) => ({ id: row.billId, at: Number(row.cTime), visibleAt, row }))
      .sort(compareListed);
    return billPage(pageOf(view, { items, query, rules, now: view.now }).map(({ row }) => row));
  }
  const isWanted = ({ entry }: Posted) =>
    isOf(businessType, typeOf(entry, "classic")) && (onlyFunding !== "yes" || entry.kind !== "margin");
  const items = live ? rowsOf(view, code) : [];
  return billPage(pageOf(view, { items, isWanted, query, rules }).map(futuresBill));
}

const billPage = (bills: readonly { billId: string }[]): ServedResponse =>
  unrecorded({ bills, endId: bills.at(-1)?.billId ?? "" });

const futuresBill = ({ id, at, balance, entry }: Posted) => ({
  billId: id,
  symbol: entry.symbol ?? "",
  amount: digits(entry.amount),
  fee: digits(entry.fee),
  feeByCoupon: "",
  businessType: typeOf(entry, "classic"),
  coin: entry.coin,
  balance: digits(balance),
  cTime: String(at),
});

function requestedProduct(query: Query): FuturesProduct {
  const product = productOfCategory(requiredParam(query, "productType"));
  if (!product) throw refusals.badParameter("productType");
  return product;
}

/** Serves the ledger of cross margin, which the simulated account does not use. */
function marginRecords(_view: AccountView, query: Query): ServedResponse {
  requiredParam(query, "startTime");
  return unrecorded({ resultList: [], maxId: null, minId: null });
}

const marginRules: ListRules = { ...v2Rules, pageSize: { default: 100, max: 500 } };

/** Serves the ledger of one pair of isolated margin. */
function isolatedRecords(view: AccountView, query: Query): ServedResponse {
  const symbol = requiredParam(query, "symbol");
  requiredParam(query, "startTime");
  const isWanted = ({ entry }: Posted) =>
    isOf(query.coin, entry.coin) && isOf(query.marginType, typeOf(entry, "classic"));
  const items = rowsOf(view, `margin-isolated/${symbol}`);
  const page = pageOf(view, { items, isWanted, query, rules: marginRules });
  return unrecorded({
    resultList: page.map(({ id, at, balance, entry }) => ({
      marginId: id,
      amount: digits(entry.amount),
      coin: entry.coin,
      balance: digits(balance),
      fee: digits(entry.fee),
      marginType: typeOf(entry, "classic"),
      symbol,
      cTime: String(at),
      uTime: String(at),
    })),
    maxId: page[0]?.id ?? null,
    minId: page.at(-1)?.id ?? null,
  });
}

/** Serves the pairs of isolated margin that hold or owe something, a row for each coin. */
function isolatedAssets({ state }: AccountView, query: Query): ServedResponse {
  const rows = [...(state.margin ?? [])].flatMap(([name, { held, borrowed }]) => {
    const symbol = name.slice("margin-isolated/".length);
    if (![...held.values()].some((amount) => amount !== 0n) || !isOf(query.symbol, symbol)) return [];
    return [...held].map(([coin, amount]) => {
      const borrow = coin === "USDT" ? borrowed : 0n;
      const amounts = { totalAmount: digits(amount), available: digits(amount), frozen: "0" };
      const debts = { borrow: digits(borrow), interest: "0", net: digits(amount - borrow), coupon: "0" };
      return { symbol, coin, ...amounts, ...debts, cTime: "1692085312298", uTime: "1694569802151" };
    });
  });
  return unrecorded(rows);
}

const fillPages = { default: 100, max: 100 };

function spotFills(view: AccountView, query: Query): ServedResponse {
  const isWanted = ({ wallet, symbol }: Fill) => wallet === "spot" && isOf(query.symbol, symbol);
  const selection = { items: view.state.book.fills, isWanted, query, rules: { ...v2Rules, pageSize: fillPages } };
  return unrecorded(pageOf(view, selection).map((fill) => spotFill(view, fill)));
}

const spotFill = ({ uid }: AccountView, fill: Fill) => ({
  userId: uid,
  symbol: fill.symbol,
  orderId: fill.orderId,
  tradeId: fill.id,
  orderType: "market",
  side: fill.side,
  priceAvg: digits(fill.price),
  size: digits(fill.size),
  amount: digits(multiply(fill.size, fill.price)),
  feeDetail: feeDetail(fill),
  tradeScope: "taker",
  cTime: String(fill.at),
  uTime: String(fill.at + 55),
});

/** Fees are negative when paid, but positive when paid in BGB. */
const feeDetail = ({ isDeduction, fee, feeCoin }: Fill) => ({
  deduction: isDeduction ? "yes" : "no",
  feeCoin,
  totalDeductionFee: isDeduction ? "0" : "",
  totalFee: digits(isDeduction ? -fee : fee),
});

function futuresFills(rules: Omit<ListRules, "pageSize">) {
  return (view: AccountView, query: Query): ServedResponse => {
    const { code } = requestedProduct(query);
    const isWanted = ({ wallet, symbol }: Fill) => wallet === code && isOf(query.symbol, symbol);
    const items = view.state.book.fills;
    const page = pageOf(view, { items, isWanted, query, rules: { ...rules, pageSize: fillPages } });
    return unrecorded({ fillList: page.map(futuresFill), endId: page.at(-1)?.id ?? "" });
  };
}

const futuresFill = (fill: Fill) => ({
  tradeId: fill.id,
  symbol: fill.symbol,
  orderId: fill.orderId,
  price: digits(fill.price),
  baseVolume: digits(fill.size),
  feeDetail: [feeDetail(fill)],
  side: fill.side,
  quoteVolume: digits(multiply(fill.size, fill.price)),
  profit: digits(fill.profit ?? 0n),
  enterPointSource: "web",
  tradeSide: fill.isOneWay ? `${fill.side}_single` : (fill.trade?.side ?? ""),
  posMode: holdModeOf(fill),
  tradeScope: "taker",
  cTime: String(fill.at),
});

/** Serves the closed positions of a product type, which a symbol replaces. */
function closedPositions(view: AccountView, query: Query): ServedResponse {
  const { code } = requestedProduct({ productType: "USDT-FUTURES", ...query });
  const isWanted = ({ wallet, position }: ClosedPosition) =>
    query.symbol ? isOf(query.symbol, position.contract.symbol) : wallet === code;
  const rules = { ...v2Rules, pageSize: { default: 20, max: 100 } };
  const page = pageOf(view, { items: view.state.book.closed, isWanted, query, rules });
  return unrecorded({ list: page.map(closedPosition), endId: page.at(-1)?.id ?? "" });
}

function closedPosition(closed: ClosedPosition) {
  const { position } = closed;
  const { opened, closed: size, profit, funding, openFees, closeFees, net } = resultOf(closed);
  return {
    positionId: position.id,
    symbol: position.contract.symbol,
    marginCoin: position.contract.marginCoin,
    holdSide: position.side,
    openAvgPrice: digits(position.entry),
    closeAvgPrice: digits(closed.closePrice),
    marginMode: position.mode,
    posMode: holdModeOf(position),
    openTotalPos: opened,
    closeTotalPos: size,
    pnl: profit,
    netProfit: net,
    totalFunding: funding,
    openFee: openFees,
    closeFee: closeFees,
    ctime: String(position.openedAt),
    utime: String(closed.at),
  };
}

function payments(type: Payment["type"]) {
  const rules: ListRules = { ...v2Rules, retentionDays: null, needsTimes: true, pageSize: { default: 20, max: 100 } };
  return (view: AccountView, query: Query): ServedResponse =>
    unrecorded(paymentsOf(view, type, query, rules).map((payment) => paymentData(payment, view.instant)));
}

function paymentData(payment: Payment, instant: number) {
  const { chainId, createdTime, updatedTime, ...rest } = paymentFields(payment, instant);
  return { ...rest, tradeId: chainId, cTime: createdTime, uTime: updatedTime };
}

const transferTypes: Partial<Record<WalletName, string>> = {
  spot: "spot",
  funding: "p2p",
  umcbl: "usdt_futures",
  dmcbl: "coin_futures",
  cmcbl: "usdc_futures",
};

function transfers(view: AccountView, query: Query): ServedResponse {
  const coin = requiredParam(query, "coin");
  const isWanted = (transfer: Transfer) =>
    isOf(coin, transfer.coin) && isOf(query.fromType, transferTypes[transfer.from] ?? "");
  const rules = { ...v2Rules, pageSize: { default: 100, max: 500 } };
  return unrecorded(pageOf(view, { items: view.state.book.transfers, isWanted, query, rules }).map(transferData));
}

const transferData = (transfer: Transfer) => ({
  coin: transfer.coin,
  status: "Successful",
  toType: transferTypes[transfer.to] ?? "",
  toSymbol: "",
  fromType: transferTypes[transfer.from] ?? "",
  fromSymbol: "",
  size: digits(transfer.size),
  ts: String(transfer.at),
  clientOid: transfer.clientId,
  transferId: transfer.id,
});
