/**
 * Explains the change of an account's equity over a period by what the exchange's ledger says. Each term is exact or unknown, and what
 * the known terms do not explain is a term of its own, so that they always add up to the change.
 */
import { absolute, compare, isZero, multiply, subtract, sum, sumOf } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";

/** The price of one coin in USDT; null if the exchange has none, undefined if it is not known. */
export type Price = DecimalString | null | undefined;

/** The terms that entries add to. */
type EntryTerm = "flows" | "realized" | "funding" | "fees" | "interest";

/** What a kind of entry counts as. */
const termOfKind: Readonly<Record<string, EntryTerm>> = {
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
};

/** Kinds of entries that change no equity: they move money into and out of the margin of a position, or balance and debt together. */
const neutralKinds = ["margin", "borrow", "repay"];

/** The terms of a change of equity; null where something that a term needs is unknown. Unit: USDT. */
export interface Attribution extends Record<EntryTerm, DecimalString | null> {
  change: DecimalString | null;
  /** The change of the unrealised results of positions. */
  unrealized: DecimalString | null;
  /** The changes of prices: of what was held at the beginning, and of each entry from its own time on. */
  prices: DecimalString | null;
  /** The change of what has no ledger. */
  other: DecimalString | null;
  /** `change` less all terms that are known. */
  unexplained: DecimalString | null;
  /** The coins that are in no term, because the exchange has no price of them. */
  unpriced: string[];
  /** What the missing terms need. */
  unknown: string[];
}

/** One entry of the exchange's ledger in the period. */
export interface Booking {
  coin: string;
  kind: string;
  /** What it changed the balance by, without its fee; null is unknown. */
  amount: DecimalString | null;
  /** Negative if paid; null is unknown. */
  fee: DecimalString | null;
  /** The price at its time. */
  price: Price;
}

/** What is held of a coin at one end of the period. */
export interface Holding {
  /** Without unrealised results and what is borrowed; null is unknown. */
  balance: DecimalString | null;
  unrealized: DecimalString | null;
  price: Price;
}

/** A value at both ends of the period. */
export interface Ends<Value> {
  opening: Value;
  closing: Value;
}

/** What is known of an account over a period. */
export interface AccountPeriod {
  equity: Ends<DecimalString | null>;
  /** The part of the equity that has no ledger. */
  other: Ends<DecimalString | null>;
  /** Every coin that was held at either end or has a booking; null if what was held is unknown. */
  coins: ReadonlyMap<string, Ends<Holding>> | null;
  /** Null if some may be missing. */
  bookings: readonly Booking[] | null;
}

type Coins = ReadonlyMap<string, Ends<Holding>>;

/** Explains the change between two equities; of what was booked in between neither of them needs to be known. */
export function attribute({ equity, other, coins, bookings }: AccountPeriod): Attribution {
  const change = difference(equity);
  const unpriced = unpricedCoins(coins, bookings ?? []);
  const unknown = new Set<string>();
  for (const { kind, coin } of bookings ?? [])
    if (termOfKind[kind] === undefined && !neutralKinds.includes(kind)) unknown.add(`what an entry of ${coin} is`);
  const priced = coins && new Map([...coins].filter(([coin]) => !unpriced.has(coin)));
  const counted = bookings?.filter(({ coin, kind }) => termOfKind[kind] !== undefined && !unpriced.has(coin)) ?? null;
  const terms = {
    ...entryTerms(counted, unknown),
    unrealized: priced && unrealizedTerm(priced, unknown),
    prices: priced && counted && pricesTerm(priced, counted, unknown),
    other: difference(other),
  };
  const known = Object.values(terms).filter((term) => term !== null);
  const unexplained = change && subtract(change, sum(known));
  return { change, ...terms, unexplained, unpriced: [...unpriced].sort(), unknown: [...unknown] };
}

/** Returns the coins of which the exchange had no price whenever one was needed, so that they are no part of the equity. */
function unpricedCoins(coins: Coins | null, bookings: readonly Booking[]): Set<string> {
  const prices = new Map<string, Set<Price>>();
  const need = (coin: string, price: Price, amounts: readonly (DecimalString | null)[]) => {
    if (amounts.some((amount) => amount === null || !isZero(amount)))
      prices.set(coin, (prices.get(coin) ?? new Set()).add(price));
  };
  for (const [coin, { opening, closing }] of coins ?? [])
    for (const { price, balance, unrealized } of [opening, closing]) need(coin, price, [balance, unrealized]);
  for (const { coin, price, amount, fee } of bookings) need(coin, price, [amount, fee]);
  return new Set([...prices].filter(([, own]) => own.size === 1 && own.has(null)).map(([coin]) => coin));
}

function entryTerms(
  bookings: readonly Booking[] | null,
  unknown: Set<string>,
): Record<EntryTerm, DecimalString | null> {
  const parts: Record<EntryTerm, (DecimalString | null)[]> = {
    flows: [],
    realized: [],
    funding: [],
    fees: [],
    interest: [],
  };
  for (const { coin, kind, amount, fee, price } of bookings ?? []) {
    parts[termOfKind[kind] ?? "flows"].push(valuedAt(amount, price, { coin, unknown }));
    parts.fees.push(valuedAt(fee, price, { coin, unknown }));
  }
  const total = (term: EntryTerm) => bookings && sumOf(parts[term]);
  return {
    flows: total("flows"),
    realized: total("realized"),
    funding: total("funding"),
    fees: total("fees"),
    interest: total("interest"),
  };
}

function unrealizedTerm(coins: Coins, unknown: Set<string>): DecimalString | null {
  const parts = [...coins].flatMap(([coin, { opening, closing }]) => [
    valuedAt(closing.unrealized, closing.price, { coin, unknown }),
    negated(valuedAt(opening.unrealized, opening.price, { coin, unknown })),
  ]);
  return sumOf(parts);
}

/** Balances in snapshots are cut to eight places, in up to three parts. Unit: coin. */
const cutOff = "0.00000003";

function pricesTerm(coins: Coins, bookings: readonly Booking[], unknown: Set<string>): DecimalString | null {
  const parts = [...coins].flatMap(([coin, { opening, closing }]) => {
    const own = bookings.filter((one) => one.coin === coin);
    const moved = own.map(({ amount, fee }) => sumOf([amount, fee]));
    const held = sumOf([opening.balance, ...moved]);
    // A rest below the last place of a snapshot is nothing that the exchange would list, and so has no price.
    const isNothing = held !== null && typeof closing.price !== "string" && compare(absolute(held), cutOff) <= 0;
    return [
      valuedAt(isNothing ? "0" : held, closing.price, { coin, unknown }),
      valuedAt(negated(opening.balance), opening.price, { coin, unknown }),
      ...own.map(({ price }, at) => valuedAt(negated(moved[at] ?? null), price, { coin, unknown })),
    ];
  });
  return sumOf(parts);
}

const negated = (amount: DecimalString | null): DecimalString | null => amount && subtract("0", amount);

const difference = ({ opening, closing }: Ends<DecimalString | null>): DecimalString | null =>
  sumOf([closing, negated(opening)]);

/** Returns the value of an amount in USDT; null if it or its price is unknown, which is noted. Nothing needs no price. */
function valuedAt(
  amount: DecimalString | null,
  price: Price,
  { coin, unknown }: { coin: string; unknown: Set<string> },
): DecimalString | null {
  if (amount !== null && isZero(amount)) return "0";
  if (amount !== null && typeof price === "string") return multiply(amount, price);
  unknown.add(amount === null ? `an amount of ${coin}` : `the price of ${coin}`);
  return null;
}
