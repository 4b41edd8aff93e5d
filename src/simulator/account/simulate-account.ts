/**
 * Simulates one account: deposits, trades, and positions that open, grow, flip, close and are liquidated. The simulation runs
 * minute by minute; what happens in a minute depends only on the seed, the account's name and the prices of that minute.
 */
import { minuteMs } from "../../core/time.ts";
import { type Amount, amount, unit } from "../market/amount.ts";
import type { Market } from "../market/market.ts";
import { hash, hashText, random } from "../market/random.ts";
import type { AccountState, Holding } from "./account-state.ts";
import { liquidate, openPosition, payFunding, tradeFutures } from "./futures.ts";
import { tradeSpot } from "./spot.ts";

const minutesBetweenFundings = 480;
const minutesBetweenRiskChecks = 15;

/**
 * Returns a function that returns the state of the account at an instant, which is valid until its next call. With `shift`, the
 * state at an instant is that of `shift` ms later.
 */
export function simulateAccount(
  name: string,
  seed: number,
  from: number,
  market: Market,
  shift = 0,
): (instant: number) => AccountState {
  const own = hash(seed, hashText(name), 7, 7);
  const stepAt = (instant: number): number => Math.floor((instant + shift) / minuteMs);
  const startOf = (step: number): number => step * minuteMs - shift;
  const first = stepAt(from);
  let now = first;
  let state = initialState(own, startOf(first), market);

  function simulateMinute(step: number): void {
    const at = startOf(step);
    if (step % minutesBetweenFundings === 0) payFunding(state, hash(own, step, 0, 3), market, at);
    if (step % minutesBetweenRiskChecks === 0) liquidate(state, market, at);
    const chance = hash(own, step, 0, 1) % 1440;
    if (chance >= 30) return;
    const dice = random(hash(own, step, 0, 2));
    const moment = at - dice.integer(0, minuteMs - 1);
    if (chance < 18) tradeFutures(state, dice, market, moment);
    else tradeSpot(state, dice, market, moment);
  }

  return (instant) => {
    const target = stepAt(instant);
    if (target < now) {
      now = first;
      state = initialState(own, startOf(first), market);
    }
    while (now < target) simulateMinute(++now);
    return state;
  };
}

/** Returns the state of an account at its start. */
function initialState(own: number, at: number, market: Market): AccountState {
  const dice = random(own);
  const holding = (available: Amount): Holding => ({ available, frozen: 0n, locked: 0n, updatedAt: at });
  const used = (["dmcbl", "cmcbl", "sumcbl"] as const).filter(() => dice.integer(0, 3) > 0);
  const state: AccountState = {
    spot: new Map([
      ["USDT", holding(dice.amount(400_000, 1_200_000, 2))],
      ["BTC", holding(dice.amount(1_000, 50_000, 5))],
      ["ETH", holding(dice.amount(10_000, 300_000, 5))],
      ["USDC", holding(dice.amount(10_000, 90_000, 2))],
      ["BGB", holding(amount("0.00000031"))],
      ["AURUM", holding(dice.amount(100_000, 200_000, 2))],
    ]),
    funding: new Map([
      ["USDT", dice.amount(25_000, 100_000, 2)],
      ["BGB", dice.amount(500, 5_000, 2)],
      ["DOGE", 3n * unit(8)],
    ]),
    wallets: new Map([["umcbl", new Map([["USDT", dice.amount(500_000, 1_500_000, 3)]])]]),
    positions: [],
    productTypes: ["umcbl", ...used],
  };
  for (let count = 0; count < 3; count++) openPosition(state, "umcbl", dice, market, at);
  return state;
}
