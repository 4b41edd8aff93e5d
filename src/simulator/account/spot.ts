/** What an account does with its coins: buys, sells, orders, lock-ups, deposits, transfers. */
import { type Amount, amount, cut, smaller, times, unit } from "../market/amount.ts";
import { coinNamed, coins, type Market } from "../market/market.ts";
import type { Random } from "../market/random.ts";
import type { Holding, Life } from "./account-state.ts";

/** Balances have this many decimals. */
const places = 8;
const fee = amount("0.001");
const tradable = coins.filter(({ price, name }) => price !== null && name !== "USDC").map(({ name }) => name);

export function tradeSpot(life: Life, dice: Random, market: Market, at: number): void {
  const chance = dice.integer(0, 99);
  const held = tradable.filter((coin) => (life.spot.get(coin)?.available ?? 0n) > unit(4));
  if (chance < 40 || held.length === 0) buy(life, dice.pick(tradable), dice, market, at);
  else if (chance < 60) sell(life, dice.pick(held), dice, market, at);
  else if (chance < 75) order(life, dice.pick(held), at);
  else if (chance < 82) lockUp(life, dice.pick(held), at);
  else if (chance < 90) transfer(life, dice, at);
  else deposit(life, dice, at);
}

function holding(life: Life, coin: string): Holding {
  const known = life.spot.get(coin);
  if (known) return known;
  const fresh: Holding = { available: 0n, frozen: 0n, locked: 0n, updatedAt: 0 };
  life.spot.set(coin, fresh);
  return fresh;
}

function change(life: Life, coin: string, by: Amount, at: number): void {
  const changed = holding(life, coin);
  changed.available = cut(changed.available + by, places);
  changed.updatedAt = at;
}

function buy(life: Life, coin: string, dice: Random, market: Market, at: number): void {
  const price = market.price(coin, at);
  if (price === null) return;
  const spend = times(holding(life, "USDT").available, dice.amount(3, 20, 2));
  const size = cut((spend * unit(0)) / price, coinNamed(coin).sizePlaces + 2);
  if (size === 0n) return;
  change(life, "USDT", -times(size, price), at);
  change(life, coin, size - times(size, fee), at);
}

/** Half of them sell everything; some of the others all but dust. */
function sell(life: Life, coin: string, dice: Random, market: Market, at: number): void {
  const price = market.price(coin, at);
  if (price === null) return;
  const { available } = holding(life, coin);
  const chance = dice.integer(0, 3);
  const part = chance < 2 ? available : chance === 2 ? cut(available, 4) : cut(available / 3n, places);
  const proceeds = times(part, price);
  change(life, coin, -part, at);
  change(life, "USDT", proceeds - times(proceeds, fee), at);
}

/** Puts a third into an order, or takes the order back. */
function order(life: Life, coin: string, at: number): void {
  const changed = holding(life, coin);
  const move = changed.frozen > 0n ? -changed.frozen : cut(changed.available / 3n, 4);
  changed.frozen += move;
  change(life, coin, -move, at);
}

function lockUp(life: Life, coin: string, at: number): void {
  const changed = holding(life, coin);
  const move = changed.locked > 0n ? -changed.locked : cut(changed.available / 2n, 4);
  changed.locked += move;
  change(life, coin, -move, at);
}

/** Between the spot and the funding wallet, USDT. */
function transfer(life: Life, dice: Random, at: number): void {
  const parked = life.funding.get("USDT") ?? 0n;
  const wanted = dice.amount(5_000, 40_000, 2);
  const move = dice.integer(0, 1) === 0 ? smaller(wanted, parked) : -smaller(wanted, holding(life, "USDT").available);
  life.funding.set("USDT", parked - move);
  change(life, "USDT", move, at);
}

function deposit(life: Life, dice: Random, at: number): void {
  change(life, "USDT", dice.amount(10_000, 150_000, 2), at);
}
