/** Responses of API v1: suffixed symbols, `fixed` margin, some JSON numbers, rows of size zero. */
import { LosslessNumber } from "lossless-json";
import type { ProductType } from "../../core/domain.ts";
import {
  type AccountView,
  type Balance,
  type FuturesAccount,
  futuresAccounts,
  type OpenPosition,
  openPositions,
  spotBalances,
} from "../account/statement.ts";
import { type FuturesProduct, productOfCode, suffixed } from "../market/futures-products.ts";
import { tickers } from "../market/tickers.ts";
import { accountRows, positionRows, priceRows, spotRows } from "../record.ts";
import { refusals } from "../refusal.ts";
import {
  type Endpoint,
  endpointsOf,
  matching,
  type PublicView,
  type Query,
  requestedAccount,
  requiredParam,
  type ServedResponse,
  unrecorded,
} from "./endpoint.ts";

const { signed, unsigned } = endpointsOf("v1");

export const endpointsV1: readonly Endpoint[] = [
  signed("/api/spot/v1/account/assets", 10, assets),
  signed("/api/spot/v1/account/assets-lite", 10, assetsLite),
  signed("/api/spot/v1/account/getInfo", 1, keyInfo),
  signed("/api/mix/v1/account/account", 10, account),
  signed("/api/mix/v1/account/accounts", 10, accounts),
  signed("/api/mix/v1/position/allPosition", 5, positions),
  signed("/api/mix/v1/position/allPosition-v2", 5, positions),
  unsigned("/api/spot/v1/public/time", 20, time),
  unsigned("/api/spot/v1/market/tickers", 20, prices),
];

const spotData = (balances: Balance[]): ServedResponse => ({
  data: balances.map((balance) => ({
    coinId: balance.coinId,
    coinName: balance.coin,
    available: balance.available,
    frozen: balance.frozen,
    lock: balance.locked,
    uTime: String(balance.updatedAt),
  })),
  truths: [{ dataset: "spot-assets", scope: null, rows: spotRows(balances) }],
});

function assets(view: AccountView, { coin }: Query): ServedResponse {
  return spotData(matching(spotBalances(view), coin, (balance) => balance.coin));
}

function assetsLite(view: AccountView, { coin }: Query): ServedResponse {
  const held = spotBalances(view).filter(({ isZero }) => !isZero);
  return spotData(matching(held, coin, (balance) => balance.coin));
}

function keyInfo({ uid, mayTrade }: AccountView): ServedResponse {
  const authorities = mayTrade ? ["trade", "readonly"] : ["readonly"];
  return unrecorded({ user_id: uid, inviter_id: "", ips: "", authorities, parentId: null, trader: false });
}

function requestedProduct(query: Query): FuturesProduct {
  const product = productOfCode(requiredParam(query, "productType"));
  if (!product) throw refusals.badParameter("productType");
  return product;
}

const shared = (account: FuturesAccount) => ({
  marginCoin: account.marginCoin,
  locked: account.locked,
  available: account.available,
  crossMaxAvailable: account.openable,
  fixedMaxAvailable: account.openable,
  maxTransferOut: account.transferable,
  equity: account.equity,
  usdtEquity: account.usdtEquity,
  btcEquity: account.btcEquity,
  crossRiskRate: account.riskRate,
});

function accounts(view: AccountView, query: Query): ServedResponse {
  const { code } = requestedProduct(query);
  const all = futuresAccounts(view, code);
  return {
    data: all.map((each) => ({ ...shared(each), unrealizedPL: each.unrealized, bonus: "0" })),
    truths: [{ dataset: "mix-accounts", scope: code, rows: accountRows(code, all) }],
  };
}

/** Serves one futures account, the only response whose amounts are JSON numbers. */
function account(view: AccountView, query: Query): ServedResponse {
  const symbol = requiredParam(query, "symbol");
  const product = productOfCode(symbol.split("_")[1] ?? "");
  if (!product) throw refusals.unknownParameter(symbol);
  const { marginCoin, ...amounts } = shared(requestedAccount(view, product, query));
  const numbers = Object.fromEntries(Object.entries(amounts).map(([name, text]) => [name, new LosslessNumber(text)]));
  return unrecorded({
    marginCoin,
    ...numbers,
    crossMarginLeverage: 10,
    fixedLongLeverage: 20,
    fixedShortLeverage: 20,
    marginMode: "crossed",
    holdMode: view.state.isOneWay ? "single_hold" : "double_hold",
    unrealizedPL: null,
    bonus: "0",
  });
}

/** Serves positions; the empty opposite side of a position is a row of zeros and nulls after it. */
function positions(view: AccountView, query: Query): ServedResponse {
  const { code } = requestedProduct(query);
  const open = matching(openPositions(view, code), query.marginCoin, (position) => position.marginCoin);
  const isOpen = new Set(open.map(({ symbol, side }) => symbol + side));
  const data = open.flatMap((position) => {
    const side = position.side === "long" ? "short" : "long";
    return isOpen.has(position.symbol + side)
      ? [positionData(code, position)]
      : [positionData(code, position), { ...positionData(code, position), ...emptySide, holdSide: side }];
  });
  return { data, truths: [{ dataset: "positions", scope: code, rows: positionRows("v1", code, open) }] };
}

const positionData = (code: ProductType, position: OpenPosition) => ({
  marginCoin: position.marginCoin,
  symbol: suffixed(position.symbol, code),
  holdSide: position.side,
  openDelegateCount: position.opening,
  margin: position.margin,
  autoMargin: "off",
  available: position.available,
  locked: position.locked,
  total: position.total,
  leverage: new LosslessNumber(position.leverage),
  achievedProfits: position.achieved,
  averageOpenPrice: position.entry,
  marginMode: position.mode === "isolated" ? "fixed" : "crossed",
  holdMode: position.isOneWay ? "single_hold" : "double_hold",
  unrealizedPL: position.unrealized,
  liquidationPrice: position.liquidationPrice,
  keepMarginRate: position.maintenanceRate,
  marketPrice: position.mark,
  marginRatio: null,
  cTime: String(position.openedAt),
});

const emptySide = {
  openDelegateCount: "0",
  margin: "0",
  available: "0",
  locked: "0",
  total: "0",
  achievedProfits: null,
  averageOpenPrice: null,
  unrealizedPL: null,
  liquidationPrice: null,
  keepMarginRate: null,
  marketPrice: null,
  cTime: null,
};

function time({ now }: PublicView): ServedResponse {
  return unrecorded(String(now));
}

function prices({ market, instant }: PublicView): ServedResponse {
  const all = tickers(market, instant);
  const data = all.map((ticker) => ({
    symbol: ticker.symbol,
    high24h: ticker.high,
    low24h: ticker.low,
    close: ticker.last,
    quoteVol: ticker.quoteVolume,
    baseVol: ticker.baseVolume,
    usdtVol: ticker.quoteVolume,
    ts: String(ticker.at),
    buyOne: ticker.bid,
    sellOne: ticker.ask,
    bidSz: ticker.bidSize,
    askSz: ticker.askSize,
    openUtc0: ticker.openUtc,
    changeUtc: ticker.changeUtc,
    change: ticker.change,
  }));
  return { data, truths: [{ dataset: "prices", scope: null, rows: priceRows(all) }] };
}
