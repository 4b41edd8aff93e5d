/**
 * Simulates prices. Each is a pure function of seed, coin and instant: a fractal walk, the sum of linearly interpolated noise in
 * ten time scales from ten seconds to a month, so that the price at any instant has the same small cost.
 */
import { dayMs } from "../../core/time.ts";
import { type Amount, nearest, one } from "./amount.ts";
import { hash } from "./random.ts";

export interface Coin {
  id: number;
  name: string;
  /** The price in USDT at the centre of the walk; null for a coin without a USDT pair. */
  price: number | null;
  pricePlaces: number;
  sizePlaces: number;
  /** The typical change in a day, as a fraction. */
  dailyMove: number;
}

const listed: [name: string, price: number | null, pricePlaces: number, sizePlaces: number, dailyMove: number][] = [
  ["BTC", 62_010.1, 1, 4, 0.025],
  ["USDT", null, 4, 2, 0],
  ["ETH", 3_100.25, 2, 2, 0.03],
  ["SOL", 148.213, 3, 1, 0.04],
  ["XRP", 0.6123, 4, 0, 0.04],
  ["DOGE", 0.12345, 5, 0, 0.05],
  ["ADA", 0.4521, 4, 0, 0.04],
  ["BGB", 1.1042, 4, 2, 0.03],
  ["LINK", 14.512, 3, 1, 0.04],
  ["LTC", 71.34, 2, 1, 0.03],
  ["AVAX", 27.451, 3, 1, 0.045],
  ["USDC", 0.9998, 4, 2, 0.0003],
  ["AURUM", null, 4, 2, 0.04], // a coin without a USDT pair
];

export const coins: readonly Coin[] = listed.map(([name, price, pricePlaces, sizePlaces, dailyMove], index) => ({
  id: index + 1,
  name,
  price,
  pricePlaces,
  sizePlaces,
  dailyMove,
}));

/** A share as a coin, whose name is not upper case; the exchange reports it only to those who have it. */
const share: Coin = { id: 1001, name: "rTOWN", price: null, pricePlaces: 4, sizePlaces: 4, dailyMove: 0 };

const byName = new Map([...coins, share].map((coin) => [coin.name, coin]));

export function coinNamed(name: string): Coin {
  const coin = byName.get(name);
  if (!coin) throw new Error(`the simulated market has no ${name}`);
  return coin;
}

/** The interval in which prices are constant. Milliseconds. */
export const tick = 10_000;

const scales = Array.from({ length: 10 }, (_, index) => {
  const period = tick * 4 ** index;
  return { period, strength: Math.sqrt(period / dayMs) };
});

export interface Market {
  /** Returns the last price in USDT; 1 for USDT itself, null for a coin without a USDT pair. */
  price(coin: string, instant: number): Amount | null;
  /** Returns the mark price, at which positions are valued: within a few hundredths of a percent of the last price. */
  mark(coin: string, instant: number): Amount;
}

/** Creates the market of a seed; prices at an instant are those of `shift` ms later. */
export function createMarket(seed: number, shift = 0): Market {
  const noise = (coin: number, scale: number, index: number) => hash(seed, coin, scale, index) / 2 ** 31 - 1;

  function between(coin: number, scale: number, at: number): number {
    const index = Math.floor(at);
    const before = noise(coin, scale, index);
    return before + (at - index) * (noise(coin, scale, index + 1) - before);
  }

  function walk(coin: Coin, instant: number): number {
    let sum = 0;
    for (const [index, { period, strength }] of scales.entries()) {
      sum += strength * between(coin.id, index, instant / period);
    }
    return coin.dailyMove * sum;
  }

  function value(coin: Coin, price: number, instant: number, basis: number): Amount {
    return nearest(price * Math.exp(walk(coin, instant) + basis), coin.pricePlaces);
  }

  /** Returns the start of the interval whose price applies at an instant. */
  const startOfTick = (instant: number): number => instant + shift - ((instant + shift) % tick);

  return {
    price(name, instant) {
      if (name === "USDT") return one;
      const coin = coinNamed(name);
      return coin.price === null ? null : value(coin, coin.price, startOfTick(instant), 0);
    },
    mark(name, instant) {
      const coin = coinNamed(name);
      if (coin.price === null) throw new Error(`${name} has no mark price`);
      const at = startOfTick(instant);
      return value(coin, coin.price, at, 0.0004 * between(coin.id, 99, at / (16 * tick)));
    },
  };
}
