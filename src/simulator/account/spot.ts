/** Simulates the spot wallet: purchases, sales, orders, staking, deposits and transfers. */
import { bookDeposit, bookTransfer } from "../ledger/payments.ts";
import { bookSpotTrade } from "../ledger/trades.ts";
import { type Amount, amount, divide, min, multiply, truncate, unit } from "../market/amount.ts";
import { coinNamed, coins, type Market } from "../market/market.ts";
import type { Random } from "../market/random.ts";
import type { AccountState, Holding } from "./account-state.ts";

const fee = amount("0.001");
const tradable = coins.filter(({ price, name }) => price !== null && name !== "USDC").map(({ name }) => name);

export function tradeSpot(state: AccountState, dice: Random, market: Market, at: number): void {
  const chance = dice.integer(0, 99);
  const held = tradable.filter((coin) => (state.spot.get(coin)?.available ?? 0n) > unit(4));
  if (chance < 40 || held.length === 0) buy(state, dice.pick(tradable), dice, market, at);
  else if (chance < 60) sell(state, dice.pick(held), dice, market, at);
  else if (chance < 75) order(state, dice.pick(held), at);
  else if (chance < 82) lockUp(state, dice.pick(held), at);
  else if (chance < 90) transfer(state, dice, at);
  else if (!state.planned) deposit(state, dice, at);
}

export function holding(state: AccountState, coin: string): Holding {
  const known = state.spot.get(coin);
  if (known) return known;
  const fresh: Holding = { available: 0n, frozen: 0n, locked: 0n, updatedAt: 0 };
  state.spot.set(coin, fresh);
  return fresh;
}

/** Changes the available balance; returns what it changed by. */
export function change(state: AccountState, coin: string, by: Amount, at: number): Amount {
  const changed = holding(state, coin);
  const before = changed.available;
  changed.available = truncate(before + by, state.places);
  changed.updatedAt = at;
  return changed.available - before;
}

function buy(state: AccountState, coin: string, dice: Random, market: Market, at: number): void {
  const price = market.price(coin, at);
  if (price === null) return;
  const spend = multiply(holding(state, "USDT").available, dice.amount(3, 20, 2));
  const places = coinNamed(coin).sizePlaces + 2;
  const size = truncate((spend * unit(0)) / price, places);
  if (size === 0n) return;
  const feeInBgb = payInBgb(state, coin, multiply(multiply(size, fee), price), market, at);
  const usdt = change(state, "USDT", -multiply(size, price), at);
  const received = change(state, coin, feeInBgb > 0n ? size : size - multiply(size, fee), at);
  bookSpotTrade(state.book, {
    side: "buy",
    coin,
    price,
    size,
    changes: { coin: received, usdt },
    feeInBgb,
    places,
    at,
  });
}

/** Sells everything in half of the cases; otherwise a part, or all except dust. */
function sell(state: AccountState, coin: string, dice: Random, market: Market, at: number): void {
  const price = market.price(coin, at);
  if (price === null) return;
  const { available } = holding(state, coin);
  const chance = dice.integer(0, 3);
  const part = chance < 2 ? available : chance === 2 ? truncate(available, 4) : truncate(available / 3n, 8);
  const proceeds = multiply(part, price);
  const feeInBgb = payInBgb(state, coin, multiply(proceeds, fee), market, at);
  const sold = change(state, coin, -part, at);
  const usdt = change(state, "USDT", feeInBgb > 0n ? proceeds : proceeds - multiply(proceeds, fee), at);
  bookSpotTrade(state.book, {
    side: "sell",
    coin,
    price,
    size: part,
    changes: { coin: sold, usdt },
    feeInBgb,
    places: 8,
    at,
  });
}

/** Pays a fee in BGB, if the account does so and has enough; returns the amount of BGB, or zero. */
function payInBgb(state: AccountState, coin: string, usdt: Amount, market: Market, at: number): Amount {
  const price = market.price("BGB", at);
  if (!state.hasCashFlows || coin === "BGB" || price === null) return 0n;
  const due = truncate(divide(usdt, price), state.places);
  return holding(state, "BGB").available < due ? 0n : -change(state, "BGB", -due, at);
}

/** Places an order with a third of the balance, or cancels it. */
function order(state: AccountState, coin: string, at: number): void {
  const changed = holding(state, coin);
  const move = changed.frozen > 0n ? -changed.frozen : truncate(changed.available / 3n, 4);
  changed.frozen += move;
  change(state, coin, -move, at);
}

function lockUp(state: AccountState, coin: string, at: number): void {
  const changed = holding(state, coin);
  const move = changed.locked > 0n ? -changed.locked : truncate(changed.available / 2n, 4);
  changed.locked += move;
  change(state, coin, -move, at);
}

/** Transfers USDT between the spot and the funding wallet. */
function transfer(state: AccountState, dice: Random, at: number): void {
  const parked = state.funding.get("USDT") ?? 0n;
  const wanted = dice.amount(5_000, 40_000, 2);
  const move = dice.integer(0, 1) === 0 ? min(wanted, parked) : -min(wanted, holding(state, "USDT").available);
  state.funding.set("USDT", parked - move);
  change(state, "USDT", move, at);
  if (move === 0n) return;
  const facts = { coin: "USDT", at } as const;
  state.book.add({ wallet: "funding", kind: "fundingTransfer", amount: -move, ...facts });
  state.book.add({ wallet: "spot", kind: "transfer", amount: move, ...facts });
  bookTransfer(state.book, move > 0n ? ["funding", "spot"] : ["spot", "funding"], { size: absolute(move), ...facts });
}

const absolute = (value: Amount): Amount => (value < 0n ? -value : value);

function deposit(state: AccountState, dice: Random, at: number): void {
  const size = change(state, "USDT", dice.amount(10_000, 150_000, 2), at);
  bookDeposit(state, "USDT", size, at);
}
