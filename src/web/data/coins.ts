/** Defines the table of coins: what is held of each in all wallets, and what quantity and price changed. */
import type { Steps } from "../../core/async/cooperate.ts";
import { add, compare, divide, isZero, multiply, subtract, sum, sumOf } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { instantText } from "../../queries/close.ts";
import { createWallets, type Wallet } from "../../queries/wallets.ts";
import { createPrices } from "../../reports/balances.ts";
import type { HistoryRow } from "../../store/history.ts";
import { createCoinFilter, createShownPrices, priceState, priceStateOf } from "./balances.ts";
import { comparisonPeriods } from "./comparison-periods.ts";
import { shownWallets } from "./last-known.ts";
import {
  amount,
  change,
  type DataTable,
  instant,
  lastKnownColumns,
  price,
  profit,
  share,
  text,
  type View,
} from "./table.ts";

export const coins: DataTable = {
  name: "coins",
  summary:
    "what is held of each coin in all wallets, its value, and its change since the previous close: of the quantity, and by the price; without demo money; `q` selects coins",
  columns: [
    text("coin", "Coin"),
    amount("total", "Total", "coin"),
    amount("usdt_value", "Value, USDT"),
    share("share", "Share"),
    price("usdt_price", "Price, USDT"),
    priceState,
    share("price_change", "Price today"),
    change("change", "Quantity today", "coin"),
    change("usdt_change", "Quantity today, USDT"),
    profit("usdt_result", "By price today, USDT"),
    text("wallets", "Wallets"),
    instant("taken_at", "Updated"),
    ...lastKnownColumns,
  ],
  alwaysKnown: ["coin", "wallets"],
  *rows(view) {
    const held = yield* readHeld(view);
    const { yesterday, source } = comparisonPeriods(view);
    const pricesBefore = yield* createPrices(source)(yesterday);
    const rows = [...held].map(([coin, own]) => rowOf(coin, own, pricesBefore.get(coin) ?? null));
    const whole = sum(rows.flatMap(({ usdt_value: value }) => (typeof value === "string" ? [value] : [])));
    rows.sort((one, other) => compare(String(other.usdt_value ?? "-1"), String(one.usdt_value ?? "-1")));
    const isNamed = createCoinFilter(view);
    for (const row of rows)
      if (isNamed(row))
        yield { ...row, share: typeof row.usdt_value === "string" ? divide(row.usdt_value, whole) : null };
  },
};

/** What is held of a coin: in each wallet, and what it changed by since the previous close; null is unknown. */
interface Held {
  totals: (DecimalString | null)[];
  changes: (DecimalString | null)[];
  values: (DecimalString | null)[];
  /** Null: the exchange has none; undefined: unknown. */
  price: DecimalString | null | undefined;
  wallets: string[];
  takenAt: number[];
  /** The times of last known values. */
  lastKnownAt: number[];
}

/** Returns what is held of each coin, also of those that were held at the previous close only. */
function* readHeld(view: View): Steps<Map<string, Held>> {
  const { yesterday, source } = comparisonPeriods(view);
  const before = yield* createWallets(source)(yesterday);
  const pricesOf = yield* createShownPrices(view);
  const held = new Map<string, Held>();
  for (const wallet of yield* shownWallets(view)) {
    if (!wallet.isMoney) continue;
    const { prices, since } = yield* pricesOf(wallet);
    const isOfToday = wallet.lastKnownAt === null || wallet.lastKnownAt >= yesterday.to;
    const was = isOfToday
      ? before.find((one) => one.account === wallet.account && one.wallet === wallet.wallet)
      : undefined;
    for (const [coin, total] of totalsIn(wallet, was)) {
      const price = prices.get(coin);
      const own = held.get(coin) ?? {
        totals: [],
        changes: [],
        values: [],
        price,
        wallets: [],
        takenAt: [],
        lastKnownAt: [],
      };
      held.set(coin, own);
      own.totals.push(total);
      own.changes.push(changeOf(coin, total, was));
      own.values.push(total !== null && price ? multiply(total, price) : null);
      own.wallets.push(wallet.wallet);
      if (wallet.takenAt !== null) own.takenAt.push(wallet.takenAt);
      const old = wallet.lastKnownAt ?? (coin === "USDT" ? null : since);
      if (old !== null) own.lastKnownAt.push(old);
    }
  }
  return held;
}

/** Returns the total of each coin in a wallet, with zero for those that it listed before and does not list any more. */
function totalsIn({ balances, known }: Wallet, was: Wallet | undefined): Map<string, DecimalString | null> {
  const gone = known && was?.known ? was.balances.filter(({ total }) => total !== null && !isZero(total)) : [];
  return new Map([
    ...gone.map(({ coin }) => [coin, "0"] as const),
    ...balances.map(({ coin, total }) => [coin, total] as const),
  ]);
}

/** Returns the change of a balance; null if either balance is unknown. A coin that a known wallet does not list counts as 0. */
function changeOf(coin: string, total: DecimalString | null, was: Wallet | undefined): DecimalString | null {
  if (!was?.known || total === null) return null;
  const before = was.balances.find((one) => one.coin === coin);
  const held = before ? before.total : "0";
  return held === null ? null : subtract(total, held);
}

function rowOf(coin: string, own: Held, priceBefore: DecimalString | null): HistoryRow & { coin: string } {
  const price = own.price ?? null;
  const [total, changed] = [sumOf(own.totals), sumOf(own.changes)];
  const held = total !== null && changed !== null ? subtract(total, changed) : null;
  const moved = price !== null && priceBefore !== null ? subtract(price, priceBefore) : null;
  const times = (one: DecimalString | null, other: DecimalString | null) => one && other && multiply(one, other);
  return {
    coin,
    total,
    usdt_value: sumOf(own.values),
    usdt_price: price,
    price_state: priceStateOf(own.price),
    price_change: moved && priceBefore && divide(moved, priceBefore),
    change: changed,
    usdt_change: changed !== null && isZero(changed) ? "0" : times(changed, price),
    usdt_result: held !== null && isZero(held) ? "0" : times(held, moved),
    wallets: [...new Set(own.wallets)].join(", "),
    taken_at: instantText(own.takenAt.length > 0 ? Math.min(...own.takenAt) : null),
    last_known_at: instantText(own.lastKnownAt.length > 0 ? Math.min(...own.lastKnownAt) : null),
  };
}

/** What coins are worth together, and what changed it. USDT. */
export interface CoinTotals {
  value: DecimalString;
  /** The value of what came in or left, at the present prices: a swap costs its fee. Null is unknown. */
  change: DecimalString | null;
  /** What the prices made of what was held. Null is unknown. */
  result: DecimalString | null;
  /** The coins that have no price. */
  unpriced: string[];
  /** The coins whose price is unknown. */
  unknown: string[];
}

/** Returns the totals of rows of the table. A coin without a value adds nothing. */
export function totalsOf(rows: readonly HistoryRow[]): CoinTotals {
  const priced = rows.filter(({ usdt_value: value }) => typeof value === "string");
  const sumIn = (name: string) =>
    sumOf(priced.map((row) => (typeof row[name] === "string" ? String(row[name]) : null)));
  const valueless = rows.filter(
    ({ total, usdt_value: value }) => value === null && typeof total === "string" && !isZero(total),
  );
  const named = (isNone: boolean) =>
    valueless.filter((row) => (row.price_state === "none") === isNone).map(({ coin }) => String(coin));
  return {
    value: priced.reduce((whole, row) => add(whole, String(row.usdt_value)), "0"),
    change: sumIn("usdt_change"),
    result: sumIn("usdt_result"),
    unpriced: named(true),
    unknown: named(false),
  };
}
