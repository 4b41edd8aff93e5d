/** The spot pairs, and their tickers of the last 24 hours. */
import { dayMs, startOfDay } from "../../core/time.ts";
import { type Amount, amount, digits, divide, max, min, multiply, truncate, unit } from "./amount.ts";
import { coins, type Market, tick } from "./market.ts";
import { hash } from "./random.ts";

export interface Ticker {
  symbol: string;
  last: string;
  open: string;
  high: string;
  low: string;
  bid: string;
  ask: string;
  bidSize: string;
  askSize: string;
  baseVolume: string;
  quoteVolume: string;
  openUtc: string;
  /** The change in 24 hours, as a fraction of the price then. */
  change: string;
  changeUtc: string;
  at: number;
}

interface Pair {
  symbol: string;
  places: number;
  price(instant: number): Amount;
}

const samplesADay = 8;

function spotPairs(market: Market): Pair[] {
  const price = (coin: string, instant: number) => market.price(coin, instant) ?? 0n;
  const inUsdt = coins
    .filter((coin) => coin.price !== null)
    .map(({ name, pricePlaces }) => ({
      symbol: `${name}USDT`,
      places: pricePlaces,
      price: (instant: number) => price(name, instant),
    }));
  const crossed = (base: string, quote: string, places: number): Pair => ({
    symbol: base + quote,
    places,
    price: (instant) => truncate(divide(price(base, instant), price(quote, instant)), places),
  });
  const aurum: Pair = { symbol: "AURUMUSDC", places: 4, price: (instant) => truncate(price("ADA", instant) / 3n, 4) };
  return [...inUsdt, crossed("BTC", "USDC", 1), crossed("ETH", "BTC", 6), aurum];
}

/** Returns the tickers of all spot pairs. */
export function tickers(market: Market, instant: number): Ticker[] {
  const at = instant - (instant % tick);
  return spotPairs(market).map((pair) => ticker(pair, at));
}

function ticker({ symbol, places, price }: Pair, at: number): Ticker {
  const last = price(at);
  const open = price(at - dayMs);
  const openUtc = price(startOfDay(at));
  const path = Array.from({ length: samplesADay }, (_, index) => price(at - (index * dayMs) / samplesADay));
  const volume = BigInt(50_000 + (hash(places, Math.floor(at / dayMs), symbol.length, 5) % 50_000)) * unit(0);
  return {
    symbol,
    last: digits(last),
    open: digits(open),
    high: digits(path.reduce(max, open)),
    low: digits(path.reduce(min, open)),
    bid: digits(last - unit(places)),
    ask: digits(last + unit(places)),
    bidSize: "1.25",
    askSize: "0.8",
    baseVolume: digits(volume),
    quoteVolume: digits(truncate(multiply(volume, multiply(last + open, amount("0.5"))), 8)),
    openUtc: digits(openUtc),
    change: digits(truncate(divide(last - open, open), 5)),
    changeUtc: digits(truncate(divide(last - openUtc, openUtc), 5)),
    at,
  };
}
