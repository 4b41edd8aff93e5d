/** The futures product types and their contracts, under their names in every API version. */
import type { ProductType } from "../../core/domain.ts";

export interface Contract {
  symbol: string;
  /** The underlying coin. */
  coin: string;
  marginCoin: string;
  /** True if margin and profit are in the underlying coin. */
  inverse: boolean;
}

export interface FuturesProduct {
  code: ProductType;
  category: string;
  /** False for demo product types. */
  live: boolean;
  contracts: readonly Contract[];
}

const product = (code: ProductType, category: string, live: boolean, contracts: Contract[]): FuturesProduct => ({
  code,
  category,
  live,
  contracts,
});

const usdtMargined = (coin: string): Contract => ({ symbol: `${coin}USDT`, coin, marginCoin: "USDT", inverse: false });
const usdcMargined = (coin: string): Contract => ({ symbol: `${coin}PERP`, coin, marginCoin: "USDC", inverse: false });
const coinMargined = (coin: string): Contract => ({ symbol: `${coin}USD`, coin, marginCoin: coin, inverse: true });
const demoContract = (coin: string): Contract => ({
  symbol: `S${coin}SUSDT`,
  coin,
  marginCoin: "SUSDT",
  inverse: false,
});

export const futuresProducts: readonly FuturesProduct[] = [
  product(
    "umcbl",
    "USDT-FUTURES",
    true,
    ["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LINK", "LTC", "AVAX"].map(usdtMargined),
  ),
  product("dmcbl", "COIN-FUTURES", true, ["BTC", "ETH"].map(coinMargined)),
  product("cmcbl", "USDC-FUTURES", true, ["BTC", "ETH", "SOL"].map(usdcMargined)),
  product("sumcbl", "SUSDT-FUTURES", false, ["BTC", "ETH"].map(demoContract)),
  product("sdmcbl", "SCOIN-FUTURES", false, []),
  product("scmcbl", "SUSDC-FUTURES", false, []),
];

export const liveProducts = futuresProducts.filter(({ live }) => live);

/** Returns the product type with a v1 code, in either case. */
export const productOfCode = (code: string): FuturesProduct | undefined =>
  futuresProducts.find((each) => each.code === code.toLowerCase());

export const productOfCategory = (category: string): FuturesProduct | undefined =>
  futuresProducts.find((each) => each.category === category.toUpperCase());

/** Returns a symbol in the spelling of v1: `BTCUSDT` of umcbl becomes `BTCUSDT_UMCBL`. */
export const suffixed = (symbol: string, code: ProductType): string => `${symbol}_${code.toUpperCase()}`;
