/** Books trades: an order is filled in one to three parts in one millisecond, each with an entry per coin that it changes. */
import type { Position } from "../account/position.ts";
import { type Amount, divide, multiply, truncate } from "../market/amount.ts";
import { hash } from "../market/random.ts";
import type { LedgerBook } from "./book.ts";
import type { Entry, EntryKind } from "./entry.ts";

/** The order is this much older than its fills. Milliseconds. */
const orderAgeMs = 12;
const feePlaces = 8;

interface Part {
  size: Amount;
  /** Takes the part's share of an amount; the last part takes what is left. */
  share(whole: Amount): Amount;
}

/** Splits a size in parts with at most `places` decimal places. */
function split(size: Amount, places: number, chance: number): Part[] {
  const count = chance % 10 < 6 ? 1 : chance % 10 < 9 ? 2 : 3;
  const usual = truncate(size / BigInt(count), places);
  if (count === 1 || usual === 0n) return [{ size, share: (whole) => whole }];
  const shareOf = (whole: Amount) => truncate((whole * usual) / size, feePlaces);
  const others = BigInt(count - 1);
  return Array.from({ length: count }, (_, index) =>
    index < count - 1
      ? { size: usual, share: shareOf }
      : { size: size - others * usual, share: (whole: Amount) => whole - others * shareOf(whole) },
  );
}

export interface SpotTrade {
  side: "buy" | "sell";
  /** The coin that is traded for USDT. */
  coin: string;
  price: Amount;
  size: Amount;
  /** What the two balances changed by. */
  changes: { coin: Amount; usdt: Amount };
  /** The fee where it was paid in BGB: positive, in BGB. */
  feeInBgb?: Amount;
  /** Decimal places of the sizes of fills. */
  places: number;
  at: number;
}

/** Books a spot trade; the received coin is first, as on the exchange. */
export function bookSpotTrade(book: LedgerBook, trade: SpotTrade): void {
  const { side, coin, price, size, changes, feeInBgb = 0n, places } = trade;
  const at = book.timeOf(trade.at);
  const symbol = `${coin}USDT`;
  const orderId = book.idAt(at - orderAgeMs);
  const sign = side === "buy" ? 1n : -1n;
  const quote = multiply(size, price);
  const fees = { coin: changes.coin - sign * size, usdt: changes.usdt + sign * quote };
  for (const part of split(size, places, hash(book.nextSerial(), at % 1000, 0, 13))) {
    const legs = [
      { coin, amount: sign * part.size, fee: part.share(fees.coin) },
      { coin: "USDT", amount: -sign * part.share(quote), fee: part.share(fees.usdt) },
    ];
    for (const leg of side === "buy" ? legs : legs.reverse())
      book.add({ wallet: "spot", kind: side, symbol, orderId, at, ...leg });
    const fee = part.share(fees.coin) + part.share(fees.usdt);
    const feeCoin = side === "buy" ? coin : "USDT";
    const isDeduction = feeInBgb > 0n;
    const paidInBgb = isDeduction ? { fee: -part.share(feeInBgb), feeCoin: "BGB" } : {};
    if (isDeduction)
      book.add({ wallet: "spot", kind: "feeInBgb", coin: "BGB", amount: -part.share(feeInBgb), symbol, orderId, at });
    const facts = { wallet: "spot" as const, orderId, symbol, at, side, price, size: part.size, profit: null };
    book.fills.push({
      ...facts,
      id: book.idAt(at),
      visibleAt: at,
      trade: null,
      isOneWay: false,
      fee,
      feeCoin,
      isDeduction,
      ...paidInBgb,
    });
  }
}

export interface FuturesTrade {
  position: Position;
  kind: Extract<EntryKind, "open" | "close" | "force" | "burst" | "adl" | "delivery">;
  price: Amount;
  size: Amount;
  /** What the balance changed by: the realised profit and the fee, which is negative. */
  profit: Amount;
  fee: Amount;
  places: number;
  at: number;
}

const positionOf = ({ side, mode, isOneWay }: Position): NonNullable<Entry["position"]> => ({
  side,
  isIsolated: mode === "isolated",
  isOneWay,
});

/** Books a futures trade, and adds it to the totals of its position. */
export function bookFuturesTrade(book: LedgerBook, trade: FuturesTrade): void {
  const { position, kind, price, size, profit, fee, places } = trade;
  const at = book.timeOf(trade.at);
  const { contract, side, booked, productType: wallet } = position;
  const facts = { wallet, symbol: contract.symbol, orderId: book.idAt(at - orderAgeMs), at };
  const isOpening = kind === "open";
  for (const part of split(size, places, hash(book.nextSerial(), at % 1000, 0, 13))) {
    const amounts = { amount: part.share(profit), fee: part.share(fee) };
    book.add({ ...facts, kind, coin: contract.marginCoin, position: positionOf(position), ...amounts });
    book.fills.push({
      ...facts,
      id: book.idAt(at),
      visibleAt: at,
      side: isOpening === (side === "long") ? "buy" : "sell",
      trade: { side: isOpening ? "open" : "close", position: side },
      isOneWay: position.isOneWay,
      price,
      size: part.size,
      fee: amounts.fee,
      feeCoin: contract.marginCoin,
      isDeduction: false,
      profit: amounts.amount,
    });
  }
  if (isOpening) {
    booked.opened += size;
    booked.openFees += fee;
  } else {
    booked.closed += size;
    booked.closeValue += multiply(size, price);
    booked.profit += profit;
    booked.closeFees += fee;
  }
}

/** Books an entry of a position that is no trade. */
export function bookOfPosition(
  book: LedgerBook,
  position: Position,
  facts: Pick<Entry, "kind" | "amount" | "at"> & Partial<Pick<Entry, "change" | "classicAt">>,
): void {
  const { contract, productType: wallet } = position;
  book.add({ wallet, coin: contract.marginCoin, symbol: contract.symbol, position: positionOf(position), ...facts });
}

/** Lists a position that was closed completely. */
export function bookClosed(book: LedgerBook, position: Position, moment: number): void {
  const at = book.timeOf(moment);
  const { booked, productType: wallet, entry } = position;
  const closePrice = booked.closed === 0n ? entry : divide(booked.closeValue, booked.closed);
  book.closed.push({ wallet, id: book.idAt(at - 1), position: { ...position }, at, visibleAt: at, closePrice });
}
