/**
 * Simulates one account: deposits, trades, and positions that open, grow, flip, close and are liquidated. The simulation runs
 * minute by minute; what happens in a minute depends only on the seed, the account's name and the prices of that minute. Every
 * change of a balance is booked at the time at which the state has it.
 */
import { minuteMs } from "../../core/time.ts";
import { type Amount, amount, unit } from "../market/amount.ts";
import type { Market } from "../market/market.ts";
import { hash, hashText, type Random, random } from "../market/random.ts";
import { perform } from "../plan/perform.ts";
import type { Plan } from "../plan/plan.ts";
import { type AccountState, emptyState, type Holding } from "./account-state.ts";
import { moveMoney, useMargin } from "./cash-flows.ts";
import { liquidate, openPosition, payFunding, tradeFutures } from "./futures.ts";
import { tradeSpot } from "./spot.ts";

const minutesBetweenFundings = 480;
const minutesBetweenRiskChecks = 15;
const cashFlowsADay = 2;
const marginStepsADay = 240;

export interface Life {
  name: string;
  seed: number;
  /** The start, epoch ms. */
  from: number;
  market: Market;
  /** The state at an instant is that of so much later. Milliseconds. Default 0. */
  shift?: number;
  /** How many times as many trades as usual, 1 to 48. Default 1. */
  activity?: number;
  /** Decimal places of balances. Default 8, as in responses. */
  places?: number;
  /** Whether the account also withdraws, moves money between wallets, converts, and pays fees in BGB. Default: no. */
  hasCashFlows?: boolean;
  /** Whether the account holds at most one position per contract (one-way mode). Default: both sides (hedge mode). */
  isOneWay?: boolean;
  /** Whether the account also trades with isolated margin. Default: no. */
  usesMargin?: boolean;
  /** Whether the balances in the spot ledger of a classic account leave out what is frozen or locked. Default: no. */
  leavesOutFrozen?: boolean;
  /** Default: the account owns what chance gives it, and also deposits by chance. */
  plan?: Plan | undefined;
}

interface Happening {
  at: number;
  run(): void;
}

/** Returns a function that returns the state of the account at an instant, which is valid until its next call. */
export function simulateAccount(life: Life): (instant: number) => AccountState {
  const { name, seed, from, market, shift = 0, activity = 1 } = life;
  const own = hash(seed, hashText(name), 7, 7);
  const stepAt = (instant: number): number => Math.floor((instant + shift) / minuteMs);
  const startOf = (step: number): number => step * minuteMs - shift;
  const first = stepAt(from);
  /** The last minute whose happenings are known; those that are due later are in `upcoming`. */
  let step: number;
  let upcoming: Happening[];
  let last: number;
  let state: AccountState;
  start();

  function start(): void {
    step = first;
    upcoming = [];
    last = Number.NEGATIVE_INFINITY;
    state = initialState(own, startOf(first), life);
  }

  /** Returns what happens in the minute before a step, in the order of time. A trade in the minute of a check comes after it. */
  function happeningsOf(next: number): Happening[] {
    const at = startOf(next);
    const isCheck = next % minutesBetweenRiskChecks === 0;
    const happenings: Happening[] = isCheck ? [{ at, run: () => check(next, at) }] : [];
    const chance = hash(own, next, 0, 1) % 1440;
    if (chance < 30 * activity) {
      const dice = random(hash(own, next, 0, 2));
      const moment = at - dice.integer(0, minuteMs - 1);
      const trade = chance % 30 < 18 ? tradeFutures : tradeSpot;
      happenings.push({ at: isCheck ? at : moment, run: () => trade(state, dice, market, moment) });
    }
    if (state.hasCashFlows && hash(own, next, 0, 8) % 1440 < cashFlowsADay) {
      const dice = random(hash(own, next, 0, 9));
      const moment = isCheck ? at : at - dice.integer(0, minuteMs - 1);
      happenings.push({ at: moment, run: () => moveMoney(state, dice, market, moment) });
    }
    if (state.margin && hash(own, next, 0, 10) % 1440 < marginStepsADay) {
      const dice = random(hash(own, next, 0, 11));
      const moment = isCheck ? at : at - dice.integer(0, minuteMs - 1);
      happenings.push({ at: moment, run: () => useMargin(state, dice, market, moment) });
    }
    return happenings.length > 1 ? happenings.sort((one, other) => one.at - other.at) : happenings;
  }

  function check(next: number, at: number): void {
    if (next % minutesBetweenFundings === 0) payFunding(state, hash(own, next, 0, 3), market, at);
    liquidate(state, market, at);
    state.passing = state.passing.filter(({ until }) => until > at);
    state.book.forget(at);
  }

  /** Removes and returns what happens next, if that is not after `instant`. */
  function nextUntil(instant: number): Happening | null {
    const [planned] = upcoming;
    const [later] = state.later.sort((one, other) => one.at - other.at);
    const isLater = later !== undefined && (planned === undefined || later.at <= planned.at);
    const next = isLater ? later : planned;
    if (!next || next.at > instant) return null;
    (isLater ? state.later : upcoming).shift();
    return next;
  }

  return (instant) => {
    if (instant < last) start();
    const final = stepAt(instant) + 1;
    for (;;) {
      while (upcoming.length === 0 && step < final) upcoming = happeningsOf(++step);
      const next = nextUntil(instant);
      if (!next) return state;
      last = next.at;
      state.book.applyAt(last);
      next.run();
    }
  };
}

/** Returns the state of an account at its start. */
function initialState(own: number, at: number, life: Life): AccountState {
  const { market, places, hasCashFlows, usesMargin, isOneWay, plan } = life;
  const dice = random(own);
  if (plan) return plannedState(plan, dice, at, life);
  const holding = (available: Amount): Holding => ({ available, frozen: 0n, locked: 0n, updatedAt: at });
  const used = (["dmcbl", "cmcbl", "sumcbl"] as const).filter(() => dice.integer(0, 3) > 0);
  const state: AccountState = {
    ...emptyState({ places, hasCashFlows, usesMargin, isOneWay }),
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
    productTypes: ["umcbl", ...used],
  };
  openBooks(state);
  if (life.leavesOutFrozen)
    state.book.frozenOf = (coin) => {
      const { frozen = 0n, locked = 0n } = state.spot.get(coin) ?? {};
      return frozen + locked;
    };
  for (let count = 0; count < 3; count++) openPosition(state, "umcbl", dice, market, at);
  return state;
}

/** Returns the state of an account with a plan, whose steps are to come. */
function plannedState(
  plan: Plan,
  dice: Random,
  at: number,
  { market, places, hasCashFlows, usesMargin }: Life,
): AccountState {
  const { spot = {}, funding = {}, ...futures } = plan.start;
  const amounts = (held: Readonly<Record<string, string>>) =>
    Object.entries(held).map(([coin, digits]): [string, Amount] => [coin, amount(digits)]);
  const productTypes = (Object.keys(futures) as (keyof typeof futures)[]).filter((code) => futures[code]);
  const state: AccountState = {
    ...emptyState({ places, hasCashFlows, usesMargin }),
    spot: new Map(
      amounts(spot).map(([coin, available]) => [coin, { available, frozen: 0n, locked: 0n, updatedAt: at }]),
    ),
    funding: new Map(amounts(funding)),
    wallets: new Map(productTypes.map((code) => [code, new Map(amounts(futures[code] ?? {}))])),
    productTypes,
    planned: new Set(plan.contracts),
    later: [],
  };
  openBooks(state);
  for (const { after, ...action } of plan.steps)
    state.later.push({ at: at + after, run: () => perform(action, state, market, at + after) });
  for (let count = 0; count < 2; count++) openPosition(state, "umcbl", dice, market, at);
  return state;
}

/** Books what an account has at its start. */
function openBooks({ book, spot, funding, wallets }: AccountState): void {
  for (const [coin, { available }] of spot) book.open("spot", coin, available);
  for (const [coin, held] of funding) book.open("funding", coin, held);
  for (const [code, held] of wallets) for (const [coin, balance] of held) book.open(code, coin, balance);
}
