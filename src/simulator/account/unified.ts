/** The single wallet of a unified account: spot and futures balances of each coin together. */
import { type Amount, amount, digits, divide, multiply, total, truncate } from "../market/amount.ts";
import { liveProducts } from "../market/futures-products.ts";
import { type AccountView, passingOf } from "./statement.ts";
import { unrealized, walletsOf } from "./wallet.ts";

export interface UnifiedAsset {
  coin: string;
  equity: string;
  usdValue: string;
  balance: string;
  available: string;
  locked: string;
}

interface Sums {
  coin: string;
  balance: Amount;
  unrealized: Amount;
  locked: Amount;
  tied: Amount;
  maintenance: Amount;
  value: Amount;
}

const haircut = amount("0.95");
/** The price of USDT in USD. */
const usdOfUsdt = amount("0.9996");

/** Returns the totals of API v3, the only version that has them, without zero balances, like the exchange. */
export function unifiedWallet(view: AccountView): { totals: Record<string, string>; assets: UnifiedAsset[] } {
  const price = (coin: string) => view.market.price(coin, view.instant) ?? 0n;
  const sums = sumsByCoin(view);
  const inUsdt = (pick: (each: Sums) => Amount) => total(sums.map((each) => multiply(pick(each), price(each.coin))));
  const usd = (usdt: Amount) => digits(truncate(multiply(usdt, usdOfUsdt), 8));
  const btc = (usdt: Amount) => digits(truncate(divide(usdt, price("BTC")), 8));
  const ratio = (part: Amount, whole: Amount) => (whole <= 0n ? "0" : digits(divide(part, whole)));

  const worth = inUsdt((each) => each.balance + each.unrealized);
  const gained = inUsdt((each) => each.unrealized);
  const maintenance = inUsdt((each) => each.maintenance);
  const value = inUsdt((each) => each.value);
  const effective = multiply(worth, haircut);
  return {
    totals: {
      accountEquity: usd(worth),
      usdtEquity: digits(truncate(worth, 8)),
      btcEquity: btc(worth),
      unrealisedPnl: usd(gained),
      usdtUnrealisedPnl: digits(truncate(gained, 8)),
      btcUnrealizedPnl: btc(gained),
      effEquity: usd(effective),
      mmr: usd(maintenance),
      imr: usd(inUsdt((each) => each.tied)),
      mgnRatio: ratio(maintenance, effective),
      positionMgnRatio: ratio(maintenance, effective),
      positionValue: usd(value),
      leverage: worth <= 0n ? "0" : digits(truncate(divide(value, worth), 2)),
    },
    assets: sums.map((each) => ({
      coin: each.coin,
      equity: digits(truncate(each.balance, 8) + each.unrealized),
      usdValue: usd(multiply(each.balance + each.unrealized, price(each.coin))),
      balance: digits(truncate(each.balance, 8)),
      available: digits(truncate(each.balance, 8) - each.locked - each.tied),
      locked: digits(each.locked),
    })),
  };
}

function sumsByCoin(view: AccountView): Sums[] {
  const { state, market, instant } = view;
  const all = new Map<string, Sums>();
  const of = (coin: string): Sums => {
    const known = all.get(coin);
    if (known) return known;
    const fresh = { coin, balance: 0n, unrealized: 0n, locked: 0n, tied: 0n, maintenance: 0n, value: 0n };
    all.set(coin, fresh);
    return fresh;
  };
  for (const [coin, held] of state.spot) {
    const sum = of(coin);
    sum.balance += held.available + held.frozen + held.locked;
    sum.locked += held.frozen + held.locked;
  }
  for (const { coin, amount: moved, isFrozen } of passingOf(view)) {
    const sum = of(coin);
    sum.balance -= moved;
    if (isFrozen) sum.locked -= moved;
  }
  for (const wallet of liveProducts.flatMap(({ code }) => walletsOf(state, code, market, instant))) {
    const sum = of(wallet.coin);
    sum.balance += wallet.balance;
    sum.unrealized += unrealized(wallet);
    sum.tied += wallet.isolatedMargin + wallet.crossedMargin + wallet.locked;
    sum.maintenance += total(wallet.positions.map(({ maintenance }) => maintenance));
    sum.value += total(wallet.positions.map(({ value }) => value));
  }
  return [...all.values()].filter((sum) => sum.balance !== 0n || sum.unrealized !== 0n);
}
