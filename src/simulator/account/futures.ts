/** Simulates futures: trades, funding payments and liquidations. */
import type { ProductType } from "../../core/domain.ts";
import { classicFundingAt } from "../ledger/ledger.ts";
import { bookClosed, bookFuturesTrade, bookOfPosition, type FuturesTrade } from "../ledger/trades.ts";
import { type Amount, amount, divide, max, multiply, truncate, unit } from "../market/amount.ts";
import { type Contract, futuresProducts } from "../market/futures-products.ts";
import { coinNamed, type Market } from "../market/market.ts";
import { hash, type Random } from "../market/random.ts";
import type { AccountState } from "./account-state.ts";
import { nothingBooked, notionalValue, type Position, profit } from "./position.ts";
import { walletsOf } from "./wallet.ts";

const takerFee = amount("0.0006");
const fundingRate = amount("0.0001");
const maxPositions = 6;

/** The payment from a trading bot when a product type is first used, repeated whenever half of it is lost. */
const stake: Record<string, Amount> = {
  USDT: amount("8000"),
  USDC: amount("4000"),
  SUSDT: amount("5000"),
  BTC: amount("0.15"),
  ETH: amount("2.5"),
};

export function tradeFutures(state: AccountState, dice: Random, market: Market, at: number): void {
  const productType = dice.integer(0, 9) < 6 ? "umcbl" : dice.pick(state.productTypes);
  const own = state.positions.filter(({ contract }) => !state.planned?.has(contract.symbol));
  const open = own.filter((position) => position.productType === productType);
  if (own.length > maxPositions) closePosition(state, dice.pick(own), market, at);
  else if (open.length === 0 || own.length < 3) openPosition(state, productType, dice, market, at);
  else manage(state, dice.pick(open), dice, market, at);
}

function manage(state: AccountState, position: Position, dice: Random, market: Market, at: number): void {
  const chance = dice.integer(0, 99);
  if (chance < 25) openPosition(state, position.productType, dice, market, at);
  else if (chance < 35) hedge(state, position, dice, market, at);
  else if (chance < 45) add(state, position, truncate(position.size / 2n, sizePlaces(position.contract)), market, at);
  else if (chance < 58) reduce(state, position, dice, market, at);
  else if (chance < 64) flip(state, position, market, at);
  else if (chance < 84) order(position, dice, at);
  else closePosition(state, position, market, at);
}

const sizePlaces = (contract: Contract): number => coinNamed(contract.coin).sizePlaces;

/** Changes a futures balance; returns what it changed by. */
export function pay(state: AccountState, productType: ProductType, coin: string, by: Amount): Amount {
  const wallets = state.wallets.get(productType) ?? new Map<string, Amount>();
  const before = wallets.get(coin) ?? 0n;
  const after = truncate(before + by, state.places);
  state.wallets.set(productType, wallets.set(coin, after));
  return after - before;
}

const payFor = (state: AccountState, { productType, contract }: Position, by: Amount): Amount =>
  pay(state, productType, contract.marginCoin, by);

/** Opens a position by chance, or adds to an existing one. An account with a plan takes no great risks by chance. */
export function openPosition(
  state: AccountState,
  productType: ProductType,
  dice: Random,
  market: Market,
  at: number,
): void {
  const contracts = futuresProducts.find(({ code }) => code === productType)?.contracts ?? [];
  const wallets = state.wallets.get(productType);
  const mayTrade = ({ symbol, marginCoin }: Contract) =>
    !state.planned || (!state.planned.has(symbol) && wallets?.has(marginCoin) === true);
  const contract = dice.pick(contracts.filter(mayTrade));
  const isolated = dice.integer(0, 2) === 0 && !state.planned;
  enter(state, {
    productType,
    contract,
    side: dice.integer(0, 9) < 6 ? "long" : "short",
    mode: isolated ? "isolated" : "crossed",
    leverage: BigInt(isolated ? dice.pick([10, 20, 20, 50]) : dice.pick([3, 5, 10])),
    part: isolated ? dice.amount(20, 100, 2) : dice.amount(5, state.planned ? 15 : 45, 2),
    market,
    at,
  });
}

/** Opens a position in the same contract on the opposite side; in one-way mode it adds to the same. */
function hedge(
  state: AccountState,
  { productType, contract, side, mode, leverage }: Position,
  dice: Random,
  market: Market,
  at: number,
) {
  enter(state, {
    productType,
    contract,
    side: opposite(side),
    mode,
    leverage,
    part: dice.amount(5, 20, 2),
    market,
    at,
  });
}

const opposite = (side: Position["side"]): Position["side"] => (side === "long" ? "short" : "long");

type Entry = Pick<Position, "productType" | "contract" | "side" | "mode" | "leverage"> & {
  market: Market;
  at: number;
};

/** Opens a position, or adds to an existing one; `part` is its value as a fraction of the wallet. */
function enter(state: AccountState, { part, ...entry }: Entry & { part: Amount }): void {
  const { productType, contract, market, at } = entry;
  const id = state.book.idAt(at);
  const price = market.mark(contract.coin, at);
  const least = stake[contract.marginCoin] ?? 0n;
  const paidIn = state.wallets.get(productType)?.get(contract.marginCoin) ?? 0n;
  if (!state.planned && paidIn < least / 2n) {
    const paid = pay(state, productType, contract.marginCoin, least);
    state.book.add({ wallet: productType, coin: contract.marginCoin, kind: "strategyTransfer", amount: paid, at });
  }
  const wallet = state.wallets.get(productType)?.get(contract.marginCoin) ?? least;
  const value = multiply(wallet, part);
  const places = sizePlaces(contract);
  enterSize(state, entry, max(truncate(contract.inverse ? value : divide(value, price), places), unit(places)), id);
}

/** Opens a position of this size, or adds it to an existing one. */
export function enterSize(
  state: AccountState,
  { market, at, ...terms }: Entry,
  size: Amount,
  id = state.book.idAt(at),
): void {
  const { productType, contract, side } = terms;
  const position: Position = {
    ...terms,
    id,
    size: 0n,
    entry: market.mark(contract.coin, at),
    closing: 0n,
    opening: 0n,
    achieved: 0n,
    funding: null,
    fees: 0n,
    takeProfit: null,
    openedAt: at,
    updatedAt: at,
    isOneWay: state.isOneWay,
    booked: nothingBooked(),
  };
  const known = state.positions.find(
    (each) => each.productType === productType && each.contract === contract && (state.isOneWay || each.side === side),
  );
  if (!known) state.positions.push(position);
  add(state, known ?? position, size, market, at);
}

function add(state: AccountState, position: Position, size: Amount, market: Market, at: number): void {
  if (size === 0n) return;
  const price = market.mark(position.contract.coin, at);
  position.entry = divide(multiply(position.size, position.entry) + multiply(size, price), position.size + size);
  position.size += size;
  const fee = charge(state, position, size, price, at);
  bookTrade(state, { position, kind: "open", price, size, profit: 0n, fee, at });
  if (position.mode === "isolated") {
    const amount = truncate(notionalValue(position, size, price) / position.leverage, 8);
    bookOfPosition(state.book, position, { kind: "margin", amount: -amount, change: 0n, at });
  }
}

const bookTrade = (state: AccountState, trade: Omit<FuturesTrade, "places">): void =>
  bookFuturesTrade(state.book, { ...trade, places: sizePlaces(trade.position.contract) });

/** Returns what the balance changed by. */
function charge(state: AccountState, position: Position, size: Amount, price: Amount, at: number): Amount {
  const fee = multiply(notionalValue(position, size, price), takerFee);
  position.fees += fee;
  position.updatedAt = at;
  return payFor(state, position, -fee);
}

/** Closes a part of a position at the market price, at most a half. */
function reduce(state: AccountState, position: Position, dice: Random, market: Market, at: number): void {
  const size = truncate(position.size / BigInt(dice.integer(2, 4)), sizePlaces(position.contract));
  if (size === 0n) return;
  const price = market.mark(position.contract.coin, at);
  const gained = profit(position, size, price);
  position.achieved += gained;
  position.size -= size;
  if (position.closing > position.size) position.closing = 0n;
  const paid = payFor(state, position, gained);
  const fee = charge(state, position, size, price, at);
  bookTrade(state, { position, kind: "close", price, size, profit: paid, fee, at });
}

/** Closes a position at the market price. */
export function closePosition(
  state: AccountState,
  position: Position,
  market: Market,
  at: number,
  isForced = false,
): void {
  const { size } = position;
  const price = market.mark(position.contract.coin, at);
  const paid = payFor(state, position, profit(position, size, price));
  const fee = charge(state, position, size, price, at);
  const kind = isForced ? "force" : kindOfClose(position, at);
  bookTrade(state, { position, kind, price, size, profit: paid, fee, at });
  bookClosed(state.book, position, at);
  state.positions = state.positions.filter((each) => each !== position);
}

/** Some positions are closed by the exchange, against others that are liquidated, or because their contract ends. */
function kindOfClose({ productType }: Position, at: number): "close" | "adl" | "delivery" {
  const chance = hash(Math.floor(at / 1000), at % 1000, 0, 14);
  if (productType === "dmcbl") return chance % 8 === 0 ? "delivery" : "close";
  return chance % 40 === 0 ? "adl" : "close";
}

function flip(state: AccountState, position: Position, market: Market, at: number): void {
  const { productType, contract, side, mode, leverage } = position;
  closePosition(state, position, market, at);
  enter(state, { productType, contract, side: opposite(side), mode, leverage, part: amount("0.3"), market, at });
}

/** Places an order to add, to close a part or to take profit, or cancels it. */
function order(position: Position, dice: Random, at: number): void {
  const part = truncate(position.size / 5n, sizePlaces(position.contract));
  const kind = dice.pick(["opening", "closing", "takeProfit"] as const);
  if (kind === "takeProfit") {
    const distance = position.entry / 10n;
    const price = position.side === "long" ? position.entry + distance : position.entry - distance;
    position.takeProfit =
      position.takeProfit === null ? truncate(price, coinNamed(position.contract.coin).pricePlaces) : null;
  } else {
    position[kind] = position[kind] === 0n ? part : 0n;
  }
  position.updatedAt = at;
}

/** Settles funding: longs pay shorts, or shorts pay longs in a falling market. */
export function payFunding(state: AccountState, chance: number, market: Market, at: number): void {
  for (const position of state.positions) {
    const rate = hash(chance, position.contract.coin.length, 0, 0) % 4 === 0 ? -fundingRate / 2n : fundingRate;
    const payable = multiply(notionalValue(position, position.size, market.mark(position.contract.coin, at)), rate);
    const received = payFor(state, position, truncate(position.side === "long" ? -payable : payable, state.places));
    position.funding = (position.funding ?? 0n) + received;
    const classicAt = classicFundingAt(at, chance);
    bookOfPosition(state.book, position, { kind: "settle", amount: received, at, classicAt });
  }
}

/** Liquidates: an isolated position loses its margin; crossed positions are closed together when the wallet cannot cover them. */
export function liquidate(state: AccountState, market: Market, at: number): void {
  for (const productType of state.wallets.keys()) {
    for (const wallet of walletsOf(state, productType, market, at)) {
      const lost = wallet.positions.filter(({ position, margin, profit: gained, maintenance }) =>
        position.mode === "isolated"
          ? margin + gained <= maintenance
          : wallet.balance - wallet.isolatedMargin + wallet.crossedProfit <= wallet.crossedMaintenance,
      );
      for (const { position, margin } of lost) {
        if (position.mode === "isolated") loseMargin(state, position, margin, market, at);
        else closePosition(state, position, market, at, true);
      }
      const closed = new Set(lost.map(({ position }) => position));
      if (closed.size > 0) state.positions = state.positions.filter((position) => !closed.has(position));
    }
  }
}

/** Closes a position at a loss of its whole margin: what its price did not lose goes to the insurance fund. */
function loseMargin(state: AccountState, position: Position, margin: Amount, market: Market, at: number): void {
  const price = market.mark(position.contract.coin, at);
  const lost = payFor(state, position, -margin);
  const byPrice = truncate(profit(position, position.size, price), state.places);
  // Both names appear in ledgers of the exchange; no documentation says when.
  const kind = position.side === "long" ? "force" : "burst";
  bookTrade(state, { position, kind, price, size: position.size, profit: byPrice, fee: 0n, at });
  bookOfPosition(state.book, position, { kind: "insurance", amount: lost - byPrice, at });
  position.booked.profit = position.booked.profit + lost - byPrice;
  bookClosed(state.book, position, at);
}
