/**
 * Explains the change of an account's equity over a period by what the exchange's ledger says: each term is exact, and what the ledger
 * does not explain is a term of its own, so that the terms always add up to the change.
 */
import { add, isZero, multiply, subtract, sum } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";

/** What a kind of entry counts as. Borrowing and repaying change the balance and the debt, not the equity. */
const termOfKind: Readonly<Record<string, keyof EntryTerms | null>> = {
  trade: "realized",
  liquidation: "realized",
  conversion: "realized",
  fee: "fees",
  funding: "funding",
  interest: "interest",
  deposit: "flows",
  withdrawal: "flows",
  transfer: "flows",
  reward: "flows",
  margin: null,
  borrow: null,
  repay: null,
};

/** The terms that entries add to. */
interface EntryTerms {
  /** Deposits, withdrawals, rewards, and transfers from and to wallets that are not part of the account. */
  flows: DecimalString;
  /** The results of trades, conversions and liquidations, before fees. */
  realized: DecimalString;
  funding: DecimalString;
  fees: DecimalString;
  interest: DecimalString;
}

/** The terms of a change of equity. Unit: USDT. */
export interface Attribution extends EntryTerms {
  change: DecimalString;
  /** The change of the prices of what was held at the beginning. */
  prices: DecimalString;
  /** The change of the unrealised results of positions. */
  unrealized: DecimalString;
  /** change less all other terms. */
  unexplained: DecimalString;
}

/** One entry of the exchange's ledger in the period. */
export interface Booking {
  coin: string;
  kind: string;
  /** What it changed the balance by, including its fee. */
  change: DecimalString;
  /** The part of the change that is a fee, negative if paid. */
  fee: DecimalString;
}

/** One coin at both ends of the period. A price is that of one coin in USDT. */
export interface CoinPeriod {
  coin: string;
  opening: { balance: DecimalString; unrealized: DecimalString; price: DecimalString | null };
  closing: { balance: DecimalString; unrealized: DecimalString; price: DecimalString | null };
}

/**
 * Explains the change between two equities. Entries count at the price at the end of the period, what was held at the beginning by
 * the change of its price, so that no price in between is needed. A coin without a price adds to `unexplained` only.
 */
export function attribute(
  equity: { opening: DecimalString; closing: DecimalString },
  coins: readonly CoinPeriod[],
  bookings: readonly Booking[],
): Attribution {
  const terms: EntryTerms = { flows: "0", realized: "0", funding: "0", fees: "0", interest: "0" };
  let [prices, unrealized] = ["0", "0"];
  const priceOf = new Map(coins.map(({ coin, closing }) => [coin, closing.price]));
  for (const { opening, closing } of coins) {
    if (opening.price !== null && closing.price !== null)
      prices = add(prices, multiply(opening.balance, subtract(closing.price, opening.price)));
    const [before, after] = [usdtOf(opening), usdtOf(closing)];
    if (before !== null && after !== null) unrealized = add(unrealized, subtract(after, before));
  }
  for (const { coin, kind, change, fee } of bookings) {
    const price = priceOf.get(coin) ?? null;
    const term = termOfKind[kind] ?? null;
    if (price === null || term === null) continue;
    terms.fees = add(terms.fees, multiply(fee, price));
    terms[term] = add(terms[term], multiply(subtract(change, fee), price));
  }
  const change = subtract(equity.closing, equity.opening);
  const explained = sum([...Object.values(terms), prices, unrealized]);
  return { change, ...terms, prices, unrealized, unexplained: subtract(change, explained) };
}

/** Returns the value of an unrealised result in USDT; null if its price is unknown. */
const usdtOf = ({ unrealized, price }: CoinPeriod["opening"]): DecimalString | null =>
  isZero(unrealized) ? "0" : price && multiply(unrealized, price);
