/** Generates the data by which the size of a database is measured: minutes of an account with fifty coins and twenty positions. */

import type { Item, Snapshot } from "../../src/core/domain.ts";
import { snapshotDatasetNamed } from "../../src/datasets/index.ts";
import { good, item, minute, start } from "./kit.ts";

export const spotAssets = snapshotDatasetNamed("spot-assets");
export const positions = snapshotDatasetNamed("positions");
export const equity = snapshotDatasetNamed("equity");

/** The snapshots of one minute. Times are epoch ms, `spreadMs` milliseconds. */
export interface Minute {
  slot: number;
  coins: Snapshot;
  /** Of four product types, two of them without positions. */
  lines: Snapshot[];
  equity: Snapshot;
  spreadMs: number;
}

/**
 * Yields minutes from `from` on (epoch ms). In each, one coin in twenty has new amounts, every position new values in its six moving columns, and the
 * account a new equity. The digits are as long as the exchange's: amounts of 8 decimals, prices of 7 or 8 characters,
 * derived values of 8 to 16 decimals. It yields the same numbers each time.
 */
export function* accountMinutes(count: number, from = start): Generator<Minute> {
  const random = pseudoRandom(20);
  const fraction = (places: number): string => {
    let digits = "";
    while (digits.length < places) digits += random(10);
    return digits;
  };
  const equityRandom = pseudoRandom(21);

  const coinAt = (n: number): Item =>
    item(spotAssets, {
      coin: `COIN${n}`,
      available: `${random(5000)}.${fraction(8)}`,
      frozen: "0",
      locked: "0.00000000",
      updatedAt: start + random(1_000_000),
    });

  const movement = () => ({
    margin: `${random(900) + 100}.${fraction(8)}`,
    unrealizedPl: `-${random(90)}.${fraction(10)}`,
    unrealizedPlr: `-0.0${fraction(15)}`,
    liquidationPrice: `${random(9000) + 1000}.${fraction(8 + random(9))}`,
    markPrice: `${random(90_000) + 10_000}.${fraction(1 + random(2))}`,
    marginRatio: `0.0${fraction(15)}`,
  });

  const positionAt = (n: number): Item =>
    item(positions, {
      symbol: `COIN${n}USDT`,
      marginCoin: "USDT",
      holdSide: n % 2 === 0 ? "long" : "short",
      marginMode: "crossed",
      openDelegateCount: "0",
      available: `${random(50)}.${fraction(3)}`,
      locked: "0",
      total: `${random(50)}.${fraction(3)}`,
      leverage: "20",
      achievedProfits: `8.${fraction(15)}`,
      averageOpenPrice: "3050",
      keepMarginRate: "0.005",
      openedAt: start,
      ...movement(),
    });

  const value = (below: number): string => `${equityRandom(below)}.${String(equityRandom(10 ** 8)).padStart(8, "0")}`;
  const equityNow = (): Item =>
    item(equity, {
      usdtEquity: value(50_000),
      spotUsdt: value(20_000),
      futuresUsdt: value(30_000),
      otherUsdt: "0",
      complete: 1,
      fundingUsdt: "0",
      earnUsdt: "0",
      botsUsdt: "0",
      marginUsdt: "0",
    });

  let coins = Array.from({ length: 50 }, (_, n) => coinAt(n));
  let held = Array.from({ length: 20 }, (_, n) => positionAt(n));
  for (let at = 0; at < count; at += 1) {
    const slot = from + at * minute;
    const takenAt = slot + 200 + random(500);
    coins = coins.map((one, n) => (random(20) === 0 ? coinAt(n) : one));
    held = held.map(({ row, extra }) => ({ row: { ...row, ...movement() }, extra }));
    yield {
      slot,
      coins: good(coins, takenAt),
      lines: [
        good(held.slice(0, 15), takenAt, "umcbl"),
        good(held.slice(15), takenAt + random(40), "dmcbl"),
        good([], takenAt + random(40), "cmcbl"),
        good([], takenAt + random(40), "sumcbl"),
      ],
      equity: good([equityNow()], takenAt),
      spreadMs: random(60),
    };
  }
}

/** Returns a generator of whole numbers from 0 to below `below`: the same ones for the same seed. */
export function pseudoRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
