/** Responses of API v2, for classic accounts. */

import { sum } from "../../core/decimal.ts";
import { holdModeOf } from "../account/position.ts";
import {
  type AccountView,
  type FuturesAccount,
  fundingBalances,
  futuresAccounts,
  type OpenPosition,
  openPositions,
  spotBalances,
  walletValues,
} from "../account/statement.ts";
import { type FuturesProduct, productOfCategory } from "../market/futures-products.ts";
import { tickers } from "../market/tickers.ts";
import { readPermissions } from "../permissions.ts";
import { accountRows, fundingRows, positionRows, priceRows, spotRows } from "../record.ts";
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
  selectTickers,
  unrecorded,
} from "./endpoint.ts";

const { signed, unsigned } = endpointsOf("v2");

export const endpointsV2: readonly Endpoint[] = [
  signed("/api/v2/spot/account/assets", 10, assets),
  signed("/api/v2/account/funding-assets", 10, fundingAssets),
  signed("/api/v2/account/all-account-balance", 1, allBalances),
  signed("/api/v2/spot/account/info", 1, keyInfo),
  signed("/api/v2/mix/account/account", 10, account),
  signed("/api/v2/mix/account/accounts", 10, accounts),
  signed("/api/v2/mix/position/all-position", 5, positions),
  unsigned("/api/v2/public/time", 20, time),
  unsigned("/api/v2/spot/market/tickers", 20, prices),
];

/** Serves spot balances without zeros; a coin that is requested by name is included even with a zero balance. */
function assets(view: AccountView, { coin, assetType }: Query): ServedResponse {
  const all = spotBalances(view);
  const balances =
    coin || assetType === "all" ? matching(all, coin, (each) => each.coin) : all.filter((b) => !b.isZero);
  return {
    data: balances.map((balance) => ({
      coin: balance.coin,
      available: balance.available,
      limitAvailable: "0",
      frozen: balance.frozen,
      locked: balance.locked,
      uTime: String(balance.updatedAt),
    })),
    truths: [{ dataset: "spot-assets", scope: null, rows: spotRows(balances) }],
  };
}

function fundingAssets(view: AccountView, { coin }: Query): ServedResponse {
  const balances = matching(fundingBalances(view), coin, (balance) => balance.coin);
  return { data: balances, truths: [{ dataset: "funding-assets", scope: null, rows: fundingRows(balances) }] };
}

function allBalances(view: AccountView): ServedResponse {
  const data = walletValues(view);
  const of = (type: string) => data.find(({ accountType }) => accountType === type)?.usdtBalance ?? "0";
  const others = data.filter(({ accountType }) => accountType !== "spot" && accountType !== "futures");
  const row = {
    usdt_equity: sum(data.map(({ usdtBalance }) => usdtBalance)),
    spot_usdt: of("spot"),
    futures_usdt: of("futures"),
    other_usdt: sum(others.map(({ usdtBalance }) => usdtBalance)),
    complete: 1,
  };
  return { data, truths: [{ dataset: "equity", scope: null, rows: [row] }] };
}

function keyInfo({ uid, parent, addresses, mayTrade, reads }: AccountView): ServedResponse {
  const read = readPermissions.v2.filter((permission) => reads.includes(permission));
  return unrecorded({
    userId: uid,
    inviterId: "",
    channelCode: "",
    channel: "",
    ips: addresses,
    authorities: mayTrade ? [...read, "coow", "stow"] : read,
    parentId: Number(parent ?? 0),
    traderType: "not_trader",
    regisTime: "1640995200000",
  });
}

function requestedProduct(query: Query): FuturesProduct {
  const product = productOfCategory(requiredParam(query, "productType"));
  if (!product) throw refusals.badParameter("productType");
  return product;
}

const shared = (account: FuturesAccount) => ({
  marginCoin: account.marginCoin,
  locked: account.locked,
  available: account.available,
  crossedMaxAvailable: account.openable,
  isolatedMaxAvailable: account.openable,
  maxTransferOut: account.transferable,
  accountEquity: account.equity,
  usdtEquity: account.usdtEquity,
  btcEquity: account.btcEquity,
  crossedRiskRate: account.riskRate,
  unrealizedPL: account.unrealized ?? "",
  coupon: "0",
  isolatedMargin: account.isolatedMargin,
  crossedMargin: account.crossedMargin,
  crossedUnrealizedPL: account.crossedUnrealized,
  isolatedUnrealizedPL: account.isolatedUnrealized ?? "",
  grant: "",
  assetMode: "single",
});

function accounts(view: AccountView, query: Query): ServedResponse {
  const { code } = requestedProduct(query);
  const all = futuresAccounts(view, code);
  return {
    data: all.map((each) => ({
      ...shared(each),
      unionTotalMargin: null,
      unionAvailable: null,
      unionMm: null,
      assetList: null,
    })),
    truths: [{ dataset: "mix-accounts", scope: code, rows: accountRows(code, all) }],
  };
}

function account(view: AccountView, query: Query): ServedResponse {
  const product = requestedProduct(query);
  const symbol = requiredParam(query, "symbol").toUpperCase();
  if (!product.contracts.some((contract) => contract.symbol === symbol)) throw refusals.unknownParameter(symbol);
  return unrecorded({
    ...shared(requestedAccount(view, product, query)),
    crossedMarginLeverage: 10,
    isolatedLongLever: 20,
    isolatedShortLever: 20,
    marginMode: "crossed",
    posMode: holdModeOf(view.state),
  });
}

function positions(view: AccountView, query: Query): ServedResponse {
  const { code } = requestedProduct(query);
  const open = matching(openPositions(view, code), query.marginCoin, (position) => position.marginCoin);
  return {
    data: open.map(positionData),
    truths: [{ dataset: "positions", scope: code, rows: positionRows("v2", code, open) }],
  };
}

const positionData = (position: OpenPosition) => ({
  marginCoin: position.marginCoin,
  symbol: position.symbol,
  holdSide: position.side,
  openDelegateSize: position.opening,
  marginSize: position.margin,
  available: position.available,
  locked: position.locked,
  total: position.total,
  leverage: position.leverage,
  achievedProfits: position.achieved,
  openPriceAvg: position.entry,
  marginMode: position.mode,
  posMode: holdModeOf(position),
  unrealizedPL: position.unrealized,
  liquidationPrice: position.liquidationPrice,
  keepMarginRate: position.maintenanceRate,
  markPrice: position.mark,
  marginRatio: position.marginRatio,
  breakEvenPrice: position.breakEven,
  totalFee: position.funding ?? "",
  deductedFee: position.fees,
  grant: "",
  assetMode: "single",
  autoMargin: "off",
  takeProfit: position.takeProfit ?? "",
  stopLoss: "",
  takeProfitId: position.takeProfitId ?? "",
  stopLossId: "",
  cashDividend: "",
  cTime: String(position.openedAt),
  uTime: String(position.updatedAt),
});

function time({ now }: PublicView): ServedResponse {
  return unrecorded({ serverTime: String(now) });
}

function prices({ market, instant }: PublicView, { symbol }: Query): ServedResponse {
  const all = selectTickers(tickers(market, instant), symbol);
  const data = all.map((ticker) => ({
    symbol: ticker.symbol,
    open: ticker.open,
    high24h: ticker.high,
    low24h: ticker.low,
    lastPr: ticker.last,
    quoteVolume: ticker.quoteVolume,
    baseVolume: ticker.baseVolume,
    usdtVolume: ticker.quoteVolume,
    ts: String(ticker.at),
    bidPr: ticker.bid,
    askPr: ticker.ask,
    bidSz: ticker.bidSize,
    askSz: ticker.askSize,
    openUtc: ticker.openUtc,
    changeUtc24h: ticker.changeUtc,
    change24h: ticker.change,
  }));
  return { data, truths: [{ dataset: "prices", scope: null, rows: priceRows(all) }] };
}
