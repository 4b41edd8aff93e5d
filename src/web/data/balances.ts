/** Defines the table of balances: every coin of every wallet. */
import type { Steps } from "../../core/async/cooperate.ts";
import { compare, multiply, subtract } from "../../core/decimal.ts";
import { type DecimalString, publicAccount } from "../../core/domain.ts";
import { prices } from "../../datasets/snapshots/prices.ts";
import { createCloses, instantText } from "../../queries/close.ts";
import { scheduleAt, schedulesOf } from "../../queries/source.ts";
import { type Balance, createWallets, type Wallet } from "../../queries/wallets.ts";
import { type CoinPrices, createPrices } from "../../reports/balances.ts";
import type { HistoryRow } from "../../store/history.ts";
import { comparisonPeriods } from "./comparison-periods.ts";
import { createLastKnownTimes, periodAt, shownWallets, timesOf } from "./last-known.ts";
import { amount, change, type DataTable, instant, lastKnownColumns, price, text, type View } from "./table.ts";

/** The column that says whether a coin has a price. */
export const priceState = text("price_state", "Price state");

/** Returns the state of a price: `known`, or `none` where there is none; null is unknown. */
export const priceStateOf = (price: DecimalString | null | undefined): string | null =>
  price === undefined ? null : price === null ? "none" : "known";

export const balances: DataTable = {
  name: "balances",
  summary:
    "the balance of every coin in every wallet, its value in USDT, and its change since the previous close; `q` selects coins",
  columns: [
    text("account", "Account"),
    text("wallet", "Wallet"),
    text("coin", "Coin"),
    amount("total", "Total", "coin"),
    amount("available", "Available", "coin"),
    amount("frozen", "Frozen (orders)", "coin"),
    amount("locked", "Locked", "coin"),
    price("usdt_price", "Price, USDT"),
    priceState,
    amount("usdt_value", "Value, USDT"),
    change("change", "Today", "coin"),
    instant("taken_at", "Updated"),
    ...lastKnownColumns,
  ],
  alwaysKnown: ["account", "wallet", "coin"],
  *rows(view) {
    const { yesterday, source } = comparisonPeriods(view);
    const before = yield* createWallets(source)(yesterday);
    const pricesOf = yield* createShownPrices(view);
    for (const wallet of yield* shownWallets(view)) {
      const { account, wallet: name, lastKnownAt, known } = wallet;
      const head: HistoryRow = { account, wallet: name, ...timesOf(wallet) };
      if (!known && wallet.balances.length === 0) yield head;
      const { prices, since } = yield* pricesOf(wallet);
      const isOfToday = lastKnownAt === null || lastKnownAt >= yesterday.to;
      const was = isOfToday ? before.find((one) => one.account === account && one.wallet === name) : undefined;
      const rows = wallet.balances.map((balance) => {
        const { coin, available, frozen, locked, total } = balance;
        const price = wallet.isMoney ? prices.get(coin) : null;
        const value = total !== null && price ? multiply(total, price) : null;
        const amounts = { available, frozen, locked, total, usdt_value: value };
        const priced = { usdt_price: price ?? null, price_state: priceStateOf(price) };
        const isOld = since !== null && wallet.isMoney && price !== undefined && coin !== "USDT";
        const old = isOld ? { last_known_at: instantText(since), last_known: "usdt_price,price_state,usdt_value" } : {};
        return { ...head, coin, ...amounts, ...priced, change: changeSince(balance, was), ...old };
      });
      yield* rows.filter(createCoinFilter(view)).sort((a, b) => compare(b.usdt_value ?? "-1", a.usdt_value ?? "-1"));
    }
  },
};

/** Returns a function that selects the coins whose names contain the parameter `q`. */
export function createCoinFilter({ params: { q = "" } }: View): (row: { coin: string }) => boolean {
  const wanted = q.toLowerCase();
  return ({ coin }) => coin.toLowerCase().includes(wanted);
}

interface ShownPrices {
  prices: CoinPrices;
  since: number | null;
}

/**
 * Returns a function that gives the prices for a wallet: those of its last good snapshot if the wallet is unknown at present, else those
 * of the present. If only the prices are unknown at present, they are the last known ones, of the time `since` (epoch ms). Prices of the
 * slot of a snapshot are those of the snapshot, although they may be taken a moment after it.
 */
export function* createShownPrices(
  view: View,
): Steps<(of: Pick<Wallet, "lastKnownAt" | "slot">) => Steps<ShownPrices>> {
  const { shown, source } = comparisonPeriods(view);
  const pricesAt = createPrices(source);
  const [close] = yield* createCloses(source, prices)(shown);
  const since = close ? createLastKnownTimes(view)(close) : null;
  const present = yield* pricesAt(since === null ? shown : periodAt(since));
  const schedules = schedulesOf(source.history, publicAccount, prices.name);
  const takenWith = (slot: number) =>
    source.history.takenOfSlot(prices, publicAccount, scheduleAt(schedules, slot)?.pattern.latest(slot) ?? slot);
  return function* ({ lastKnownAt, slot }) {
    if (lastKnownAt === null) return { prices: present, since };
    const takenAt = slot === null ? null : takenWith(slot);
    return { prices: yield* pricesAt(periodAt(takenAt ?? lastKnownAt)), since: null };
  };
}

/** Returns the change of a balance; null if either balance is unknown. A coin that a known wallet does not list counts as 0. */
function changeSince({ coin, total }: Balance, previous: Wallet | undefined): DecimalString | null {
  if (!previous?.known || total === null) return null;
  const held = previous.balances.find((one) => one.coin === coin);
  const before = held ? held.total : "0";
  return before === null ? null : subtract(total, before);
}
