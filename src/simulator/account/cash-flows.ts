/** Moves money between wallets and in and out of the account, which the simulated account does only if it is requested. */

import type { IsolatedPair } from "../../core/domain.ts";
import { bookTransfer, bookWithdrawal, type Withdrawal } from "../ledger/payments.ts";
import { type Amount, amount, divide, min, multiply, truncate, unit } from "../market/amount.ts";
import type { Market } from "../market/market.ts";
import type { Random } from "../market/random.ts";
import type { AccountState, MarginPair } from "./account-state.ts";
import { pay } from "./futures.ts";
import { change, holding } from "./spot.ts";

/** Withdrawals and their network fees, by coin. */
const networkFees: [coin: string, fee: Amount][] = [
  ["USDT", amount("1.5")],
  ["BTC", amount("0.00000236")],
  ["AVAX", amount("0.0064")],
];
/** How long a withdrawal is pending. Milliseconds. */
const withdrawalMs = 150_000;
const convertFee = amount("0.001");

/** Moves money by chance. What leaves or enters the account is planned, where it has a plan. */
export function moveMoney(state: AccountState, dice: Random, market: Market, at: number): void {
  const chance = dice.integer(0, 99);
  if (chance < 45) transferToFutures(state, dice, at);
  else if (state.planned && (chance < 65 || chance >= 80)) return;
  else if (chance < 65) withdraw(state, dice, at);
  else if (chance < 80) convert(state, dice, market, at);
  else if (chance < 90) receive(state, "reward", "rTOWN", dice.amount(1_000, 9_999, 4), at);
  else receive(state, "unknown", "USDT", dice.amount(100, 2_000, 2), at);
}

/** Transfers USDT between the spot wallet and the futures account, whose entry is some milliseconds later. */
function transferToFutures(state: AccountState, dice: Random, at: number): void {
  const wanted = dice.amount(1_000, 4_000, 0);
  const lag = dice.integer(16, 54);
  const inFutures = state.wallets.get("umcbl")?.get("USDT") ?? 0n;
  const available = holding(state, "USDT").available;
  const move = dice.integer(0, 1) === 0 ? min(wanted, available / 4n) : -min(wanted, inFutures / 4n);
  const size = truncate(move, 8);
  if (size === 0n) return;
  change(state, "USDT", -size, at);
  state.book.add({ wallet: "spot", kind: "transfer", coin: "USDT", amount: -size, at });
  bookTransfer(state.book, size > 0n ? ["spot", "umcbl"] : ["umcbl", "spot"], {
    coin: "USDT",
    size: size < 0n ? -size : size,
    at,
  });
  const later = at + lag;
  const arrive = () => pay(state, "umcbl", "USDT", size);
  state.later.push({ at: later, run: arrive });
  state.book.add({ wallet: "umcbl", kind: "exchangeTransfer", coin: "USDT", amount: size, at: later });
}

/** Withdraws; one of six withdrawals fails. */
function withdraw(state: AccountState, dice: Random, at: number): void {
  const [coin, fee] = dice.pick(networkFees);
  const size = truncate(multiply(holding(state, coin).available, dice.amount(5, 30, 2)), 6);
  const outcome = dice.integer(0, 5) === 0 ? "fail" : "success";
  if (size <= fee) return;
  settleLater(state, { coin, size, fee, at, outcome, settledAt: at + withdrawalMs + dice.integer(0, 20_000) });
}

/** Withdraws an amount, which succeeds. */
export function withdrawOf(state: AccountState, withdrawal: Pick<Withdrawal, "coin" | "size" | "at">): void {
  const fee = networkFees.find(([coin]) => coin === withdrawal.coin)?.[1] ?? 0n;
  settleLater(state, { ...withdrawal, fee, outcome: "success", settledAt: withdrawal.at + withdrawalMs });
}

function settleLater(state: AccountState, withdrawal: Withdrawal): void {
  const { coin, size, at, settledAt, outcome } = withdrawal;
  const held = holding(state, coin);
  change(state, coin, -size, at);
  held.frozen += size;
  bookWithdrawal(state, withdrawal);
  const settle = () => {
    held.frozen -= size;
    held.updatedAt = settledAt;
    if (outcome === "fail") change(state, coin, size, settledAt);
  };
  state.later.push({ at: settledAt, run: settle });
}

function convert(state: AccountState, dice: Random, market: Market, at: number): void {
  const coin = dice.pick(["ETH", "SOL", "BGB"]);
  const price = market.price(coin, at) ?? unit(0);
  const paid = truncate(multiply(holding(state, "USDT").available, dice.amount(1, 5, 2)), 8);
  if (paid === 0n) return;
  const received = divide(paid - multiply(paid, convertFee), price);
  const orderId = state.book.idAt(at);
  const usdt = change(state, "USDT", -paid, at);
  state.book.add({ wallet: "spot", kind: "convert", coin: "USDT", amount: usdt, orderId, at });
  state.book.add({ wallet: "spot", kind: "convert", coin, amount: change(state, coin, received, at), orderId, at });
}

function receive(state: AccountState, kind: "reward" | "unknown", coin: string, size: Amount, at: number): void {
  state.book.add({ wallet: "spot", kind, coin, amount: change(state, coin, size, at), at });
}

const marginCoins = ["BTC", "ETH"];
const marginFee = amount("0.001");

/**
 * Takes the next step of a pair of isolated margin: money comes in, as much is borrowed, all of it buys the coin, and later the coin is
 * sold, the debt repaid, and the rest taken out, so that the pair holds nothing.
 */
export function useMargin(state: AccountState, dice: Random, market: Market, at: number): void {
  const coin = dice.pick(marginCoins);
  const price = market.price(coin, at);
  if (!state.margin || price === null) return;
  const name: IsolatedPair = `margin-isolated/${coin}USDT`;
  const pair: MarginPair = state.margin.get(name) ?? { held: new Map(), borrowed: 0n };
  state.margin.set(name, pair);
  const book = (kind: "marginTransfer" | "borrow" | "repay" | "marginDeal", of: string, size: Amount, fee = 0n) => {
    pair.held.set(of, (pair.held.get(of) ?? 0n) + size + fee);
    state.book.add({ wallet: name, kind, coin: of, amount: size, fee, symbol: `${coin}USDT`, at });
  };
  const [quote, base] = [pair.held.get("USDT") ?? 0n, pair.held.get(coin) ?? 0n];
  if (base > 0n) {
    const proceeds = truncate(multiply(base, price), 8);
    book("marginDeal", coin, -base);
    book("marginDeal", "USDT", proceeds, -truncate(multiply(proceeds, marginFee), 8));
    book("repay", "USDT", -pair.borrowed);
    pair.borrowed = 0n;
    const rest = pair.held.get("USDT") ?? 0n;
    book("marginTransfer", "USDT", -rest);
    moveToSpot(state, rest, at);
  } else if (pair.borrowed > 0n) {
    const size = truncate(divide(quote, price), 6);
    book("marginDeal", "USDT", -multiply(size, price));
    book("marginDeal", coin, size, -truncate(multiply(size, marginFee), 8));
  } else if (quote > 0n) {
    pair.borrowed = quote;
    book("borrow", "USDT", quote);
  } else {
    const size = truncate(min(dice.amount(100, 400, 0), holding(state, "USDT").available / 4n), 2);
    if (size === 0n) return;
    moveToSpot(state, -size, at);
    book("marginTransfer", "USDT", size);
  }
}

/** Books what a pair of isolated margin pays to the spot wallet, negative for what it receives. */
function moveToSpot(state: AccountState, size: Amount, at: number): void {
  const moved = change(state, "USDT", size, at);
  state.book.add({ wallet: "spot", kind: "transfer", coin: "USDT", amount: moved, at });
}
