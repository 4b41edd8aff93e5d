/** What an account does with futures, and what is done to it: funding fees and liquidations. */
import type { ProductType } from "../../core/domain.ts";
import { type Amount, amount, cut, larger, over, times, unit } from "../market/amount.ts";
import { type Contract, futuresProducts } from "../market/futures-products.ts";
import { coinNamed, type Market } from "../market/market.ts";
import { hash, type Random } from "../market/random.ts";
import type { Life } from "./account-state.ts";
import { type Position, profit, worth } from "./position.ts";
import { walletsOf } from "./wallet.ts";

const walletPlaces = 8;
const takerFee = amount("0.0006");
const fundingRate = amount("0.0001");
const busy = 6;

/** Paid in when a line is first used, and again whenever half of it is lost. */
const stake: Record<string, Amount> = {
  USDT: amount("8000"),
  USDC: amount("4000"),
  SUSDT: amount("5000"),
  BTC: amount("0.15"),
  ETH: amount("2.5"),
};

export function tradeFutures(life: Life, dice: Random, market: Market, at: number): void {
  const line = dice.integer(0, 9) < 6 ? "umcbl" : dice.pick(life.lines);
  const open = life.positions.filter((position) => position.line === line);
  if (life.positions.length > busy) close(life, dice.pick(life.positions), market, at);
  else if (open.length === 0 || life.positions.length < 3) openPosition(life, line, dice, market, at);
  else manage(life, dice.pick(open), dice, market, at);
}

function manage(life: Life, position: Position, dice: Random, market: Market, at: number): void {
  const chance = dice.integer(0, 99);
  if (chance < 25) openPosition(life, position.line, dice, market, at);
  else if (chance < 35) hedge(life, position, dice, market, at);
  else if (chance < 45) add(life, position, cut(position.size / 2n, sizePlaces(position.contract)), market, at);
  else if (chance < 58) reduce(life, position, dice, market, at);
  else if (chance < 64) flip(life, position, market, at);
  else if (chance < 84) order(position, dice, at);
  else close(life, position, market, at);
}

const sizePlaces = (contract: Contract): number => coinNamed(contract.coin).sizePlaces;

function pay(life: Life, { line, contract }: Position, by: Amount): void {
  const wallets = life.wallets.get(line) ?? new Map<string, Amount>();
  life.wallets.set(
    line,
    wallets.set(contract.marginCoin, cut((wallets.get(contract.marginCoin) ?? 0n) + by, walletPlaces)),
  );
}

/** Opens a position, or adds to the one that is there. */
export function openPosition(life: Life, line: ProductType, dice: Random, market: Market, at: number): void {
  const contracts = futuresProducts.find(({ code }) => code === line)?.contracts ?? [];
  const contract = dice.pick(contracts);
  const isolated = dice.integer(0, 2) === 0;
  enter(life, {
    line,
    contract,
    side: dice.integer(0, 9) < 6 ? "long" : "short",
    mode: isolated ? "isolated" : "crossed",
    leverage: BigInt(isolated ? dice.pick([10, 20, 20, 50]) : dice.pick([3, 5, 10])),
    part: isolated ? dice.amount(20, 100, 2) : dice.amount(5, 45, 2),
    market,
    at,
  });
}

/** The same contract the other way round. */
function hedge(
  life: Life,
  { line, contract, side, mode, leverage }: Position,
  dice: Random,
  market: Market,
  at: number,
) {
  enter(life, { line, contract, side: opposite(side), mode, leverage, part: dice.amount(5, 20, 2), market, at });
}

const opposite = (side: Position["side"]): Position["side"] => (side === "long" ? "short" : "long");

type Entry = Pick<Position, "line" | "contract" | "side" | "mode" | "leverage"> & {
  /** Value of the new position as a fraction of the wallet. */
  part: Amount;
  market: Market;
  at: number;
};

function enter(life: Life, { part, market, at, ...terms }: Entry): void {
  const { line, contract, side } = terms;
  const price = market.mark(contract.coin, at);
  const position: Position = {
    ...terms,
    size: 0n,
    entry: price,
    closing: 0n,
    opening: 0n,
    achieved: 0n,
    funding: null,
    fees: 0n,
    takeProfit: null,
    openedAt: at,
    updatedAt: at,
  };
  const least = stake[contract.marginCoin] ?? 0n;
  const paidIn = life.wallets.get(line)?.get(contract.marginCoin) ?? 0n;
  if (paidIn < least / 2n) pay(life, position, least);
  const wallet = life.wallets.get(line)?.get(contract.marginCoin) ?? least;
  const value = times(wallet, part);
  const size = larger(
    cut(contract.inverse ? value : over(value, price), sizePlaces(contract)),
    unit(sizePlaces(contract)),
  );
  const known = life.positions.find((each) => each.line === line && each.contract === contract && each.side === side);
  if (!known) life.positions.push(position);
  add(life, known ?? position, size, market, at);
}

function add(life: Life, position: Position, size: Amount, market: Market, at: number): void {
  if (size === 0n) return;
  const price = market.mark(position.contract.coin, at);
  position.entry = over(times(position.size, position.entry) + times(size, price), position.size + size);
  position.size += size;
  charge(life, position, size, price, at);
}

function charge(life: Life, position: Position, size: Amount, price: Amount, at: number): void {
  const fee = times(worth(position, size, price), takerFee);
  position.fees += fee;
  position.updatedAt = at;
  pay(life, position, -fee);
}

/** Sells part of it at the market, a half at most. */
function reduce(life: Life, position: Position, dice: Random, market: Market, at: number): void {
  const size = cut(position.size / BigInt(dice.integer(2, 4)), sizePlaces(position.contract));
  if (size === 0n) return;
  const price = market.mark(position.contract.coin, at);
  const gained = profit(position, size, price);
  position.achieved += gained;
  position.size -= size;
  if (position.closing > position.size) position.closing = 0n;
  pay(life, position, gained);
  charge(life, position, size, price, at);
}

function close(life: Life, position: Position, market: Market, at: number): void {
  const price = market.mark(position.contract.coin, at);
  pay(life, position, profit(position, position.size, price));
  charge(life, position, position.size, price, at);
  life.positions = life.positions.filter((each) => each !== position);
}

function flip(life: Life, position: Position, market: Market, at: number): void {
  const { line, contract, side, mode, leverage } = position;
  close(life, position, market, at);
  enter(life, { line, contract, side: opposite(side), mode, leverage, part: amount("0.3"), market, at });
}

/** Places an order to add, to close a part or to take profit, or takes it back. */
function order(position: Position, dice: Random, at: number): void {
  const part = cut(position.size / 5n, sizePlaces(position.contract));
  const kind = dice.pick(["opening", "closing", "takeProfit"] as const);
  if (kind === "takeProfit") {
    const distance = position.entry / 10n;
    const price = position.side === "long" ? position.entry + distance : position.entry - distance;
    position.takeProfit =
      position.takeProfit === null ? cut(price, coinNamed(position.contract.coin).pricePlaces) : null;
  } else {
    position[kind] = position[kind] === 0n ? part : 0n;
  }
  position.updatedAt = at;
}

/** Settles funding: longs pay shorts, or shorts pay longs in a falling market. */
export function payFunding(life: Life, chance: number, market: Market, at: number): void {
  for (const position of life.positions) {
    const leaning = hash(chance, position.contract.coin.length, 0, 0) % 4 === 0 ? -fundingRate / 2n : fundingRate;
    const payable = times(worth(position, position.size, market.mark(position.contract.coin, at)), leaning);
    const received = cut(position.side === "long" ? -payable : payable, walletPlaces);
    position.funding = (position.funding ?? 0n) + received;
    pay(life, position, received);
  }
}

/** An isolated position loses its margin; crossed ones go together, when the wallet cannot carry them any more. */
export function liquidate(life: Life, market: Market, at: number): void {
  for (const line of life.wallets.keys()) {
    for (const wallet of walletsOf(life, line, market, at)) {
      const lost = wallet.positions.filter(({ position, margin, profit: gained, maintenance }) =>
        position.mode === "isolated"
          ? margin + gained <= maintenance
          : wallet.balance - wallet.isolatedMargin + wallet.crossedProfit <= wallet.crossedMaintenance,
      );
      for (const { position, margin } of lost) {
        if (position.mode === "isolated") pay(life, position, -margin);
        else close(life, position, market, at);
      }
      const gone = new Set(lost.map(({ position }) => position));
      if (gone.size > 0) life.positions = life.positions.filter((position) => !gone.has(position));
    }
  }
}
