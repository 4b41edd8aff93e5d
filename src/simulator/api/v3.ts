/** Responses of API v3, for unified accounts. */

import { sum } from "../../core/decimal.ts";
import { holdModeOf } from "../account/position.ts";
import { type AccountView, fundingBalances, type OpenPosition, openPositions } from "../account/statement.ts";
import { type UnifiedAsset, unifiedWallet } from "../account/unified.ts";
import { type FuturesProduct, liveProducts, productOfCategory } from "../market/futures-products.ts";
import { tickers } from "../market/tickers.ts";
import { readPermissions } from "../permissions.ts";
import { fundingRows, paid, positionRows, priceRows, unifiedAccountRows, unifiedSpotRows } from "../record.ts";
import { refusals } from "../refusal.ts";
import {
  type Endpoint,
  endpointsOf,
  matching,
  type PublicView,
  type Query,
  requiredParam,
  type ServedResponse,
  selectTickers,
  unrecorded,
} from "./endpoint.ts";

const { signed, unsigned } = endpointsOf("v3");

export const endpointsV3: readonly Endpoint[] = [
  signed("/api/v3/account/assets", 20, assets),
  signed("/api/v3/account/funding-assets", 20, fundingAssets),
  signed("/api/v3/account/settings", 20, settings),
  signed("/api/v3/account/info", 5, keyInfo),
  signed("/api/v3/position/current-position", 20, positions),
  unsigned("/api/v3/market/tickers", 20, prices),
];

/** Serves the unified wallet: spot balances, futures accounts by coin, and total equity in one response. */
function assets(view: AccountView): ServedResponse {
  const wallet = unifiedWallet(view);
  return {
    data: {
      ...wallet.totals,
      assets: wallet.assets.map(assetData),
    },
    truths: [
      { dataset: "spot-assets", scope: null, rows: unifiedSpotRows(wallet.assets) },
      { dataset: "mix-accounts", scope: "unified", rows: unifiedAccountRows(wallet.assets) },
      { dataset: "equity", scope: null, rows: [{ unified_usdt: wallet.totals.usdtEquity ?? null }] },
    ],
  };
}

export const assetData = (asset: UnifiedAsset) => ({
  coin: asset.coin,
  equity: asset.equity,
  usdValue: asset.usdValue,
  balance: asset.balance,
  balanceOriginal: asset.balance,
  available: asset.available,
  debt: "0",
  locked: asset.locked,
  bonus: "0",
  interestBase: "0",
});

/** Serves funding balances; only withdrawals are ever frozen in this wallet. */
function fundingAssets(view: AccountView, { coin }: Query): ServedResponse {
  const held = matching(fundingBalances(view), coin, (balance) => balance.coin);
  const balances = held.map((balance) => ({ ...balance, frozen: balance.frozen || "0" }));
  return {
    data: balances.map(({ coin, available, frozen }) => ({
      coin,
      available,
      frozen,
      balance: sum([available, frozen]),
    })),
    truths: [{ dataset: "funding-assets", scope: null, rows: fundingRows(balances) }],
  };
}

function settings(view: AccountView): ServedResponse {
  const open = liveProducts.flatMap((product) =>
    openPositions(view, product.code).map((position) => ({ product, position })),
  );
  return unrecorded({
    uid: view.uid,
    accountMode: "unified",
    assetMode: "multi_assets",
    accountLevel: "advanced",
    holdMode: holdModeOf(view.state),
    stpMode: "none",
    symbolConfigList: open.map(({ product, position }) => ({
      category: product.category,
      symbol: position.symbol,
      marginMode: position.mode,
      leverage: position.leverage,
    })),
    coinConfigList: [],
  });
}

function keyInfo({ uid, parent, addresses, mayTrade, reads }: AccountView): ServedResponse {
  return unrecorded({
    userId: uid,
    inviterId: "",
    parentId: parent ?? "",
    channelCode: "",
    ips: addresses,
    permType: mayTrade ? "read-and-write" : "read-only",
    permissions: readPermissions.v3.filter((permission) => reads.includes(permission)),
    regisTime: "1640995200000",
  });
}

/** Returns the requested product type. API v3 has no demo product types and requires upper-case names. */
function requestedProduct(query: Query): FuturesProduct {
  const category = requiredParam(query, "category");
  const product = productOfCategory(category);
  if (!product?.live || product.category !== category) throw refusals.badParameter("category");
  return product;
}

/** Serves positions; `list` is null, not empty, if there are none. */
function positions(view: AccountView, query: Query): ServedResponse {
  const { code, category } = requestedProduct(query);
  const ofSymbol = matching(openPositions(view, code), query.symbol, (position) => position.symbol);
  const open = matching(ofSymbol, query.posSide, (position) => position.side);
  return {
    data: { list: open.length === 0 ? null : open.map((position) => positionData(category, position)) },
    truths: [{ dataset: "positions", scope: code, rows: positionRows("v3", code, open) }],
  };
}

const positionData = (category: string, position: OpenPosition) => ({
  category,
  symbol: position.symbol,
  marginCoin: position.marginCoin,
  holdMode: holdModeOf(position),
  posSide: position.side,
  marginMode: position.mode,
  positionBalance: position.margin,
  available: position.available,
  frozen: position.locked,
  total: position.total,
  leverage: position.leverage,
  curRealisedPnl: position.achieved,
  avgPrice: position.entry,
  positionStatus: "normal",
  unrealisedPnl: position.unrealized,
  liquidationPrice: position.liquidationPrice,
  mmr: position.maintenanceRate,
  profitRate: position.profitRate,
  markPrice: position.mark,
  breakEvenPrice: position.breakEven,
  totalFunding: position.funding ?? "",
  openFeeTotal: paid(position.fees),
  closeFeeTotal: "0",
  createdTime: String(position.openedAt),
  updatedTime: String(position.updatedAt),
});

/** Serves spot tickers only: the program requests no contract prices. */
function prices({ market, instant }: PublicView, query: Query): ServedResponse {
  if (requiredParam(query, "category") !== "SPOT") throw refusals.badParameter("category");
  const all = selectTickers(tickers(market, instant), query.symbol);
  const data = all.map((ticker) => ({
    category: "SPOT",
    symbol: ticker.symbol,
    lastPrice: ticker.last,
    openPrice24h: ticker.open,
    highPrice24h: ticker.high,
    lowPrice24h: ticker.low,
    ask1Price: ticker.ask,
    bid1Price: ticker.bid,
    bid1Size: ticker.bidSize,
    ask1Size: ticker.askSize,
    price24hPcnt: ticker.change,
    volume24h: ticker.baseVolume,
    turnover24h: ticker.quoteVolume,
    ts: String(ticker.at),
  }));
  return { data, truths: [{ dataset: "prices", scope: null, rows: priceRows(all) }] };
}
