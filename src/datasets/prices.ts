/**
 * The last spot price in USDT of every coin that an account holds. All tickers come in one public answer; those of coins
 * nobody holds are not kept, nor are a ticker's fields that have no column (volumes, the day's high and low). A held
 * coin without a USDT pair has a row without a price: we looked, and there was none. USDT needs no row.
 *
 * Sources: v1 https://bitgetlimited.github.io/apidoc/en/spot (archived), v2
 * https://www.bitget.com/api-doc/spot/market/Get-Tickers, v3 https://www.bitget.com/api-doc/uta/public/Tickers
 */
import { z } from "zod";
import { addresses } from "../bitget/addresses.ts";
import * as column from "../columns.ts";
import { isZero } from "../decimal.ts";
import type { Address, Digits } from "../domain.ts";
import { type Context, dataset, endpoint } from "./dataset.ts";
import { digits, listed, millis, symbol } from "./shapes.ts";
import { digitsIn, moneyRows } from "./valuation.ts";

const columns = {
  coin: column.text().notNull(),
  quote: column.text().notNull(),
  /** Of the last trade. */
  price: column.decimal().moves(),
  /** The name of the address that told it. */
  source: column.text(),
  bid: column.decimal().moves(),
  ask: column.decimal().moves(),
  /** When the exchange made the ticker. */
  exchangeTime: column.millis().moves(),
};

interface Ticker {
  symbol: string;
  price: Digits | null;
  bid: Digits | null;
  ask: Digits | null;
  exchangeTime: number | null;
}

const amounts = ["available", "frozen", "locked", "balance", "equity", "debt"];

/** Coins of which some account has, or owes, something: in alphabetical order, without USDT. */
function heldCoins(context: Context): string[] {
  const wallets = [
    ...moneyRows(context, "spot-assets"),
    ...moneyRows(context, "funding-assets"),
    ...moneyRows(context, "mix-accounts"),
  ];
  const held = wallets.filter((row) => amounts.some((amount) => !isZero(digitsIn(row, amount) ?? "0")));
  const coins = new Set(held.map((row) => String(row.coin ?? row.marginCoin)));
  coins.delete("USDT");
  return [...coins].sort();
}

function priceRows(tickers: readonly Ticker[], address: Address, context: Context) {
  const bySymbol = new Map(tickers.map((ticker) => [ticker.symbol, ticker]));
  return heldCoins(context).map((coin) => {
    const ticker = bySymbol.get(`${coin}USDT`);
    return {
      row: {
        coin,
        quote: "USDT",
        price: ticker?.price ?? null,
        source: address.name,
        bid: ticker?.bid ?? null,
        ask: ticker?.ask ?? null,
        exchangeTime: ticker?.exchangeTime ?? null,
      },
      extra: null,
    };
  });
}

export const prices = dataset({
  name: "prices",
  summary: "Spot prices in USDT of the coins that are held",
  schedule: "*/5 * * * *",
  key: ["coin", "quote"],
  columns,
  vanishes: "nothing",
  needs: ["spot-assets", "funding-assets", "mix-accounts"],
  public: true,
  endpoints: {
    v1: endpoint(columns, {
      address: addresses["v1/tickers"],
      data: listed(
        z
          .object({ symbol, close: digits, buyOne: digits, sellOne: digits, ts: millis })
          .transform((t) => ({ symbol: t.symbol, price: t.close, bid: t.buyOne, ask: t.sellOne, exchangeTime: t.ts })),
      ),
      rows: (tickers, context) => priceRows(tickers, addresses["v1/tickers"], context),
    }),
    v2: endpoint(columns, {
      address: addresses["v2/tickers"],
      data: listed(
        z
          .object({ symbol, lastPr: digits, bidPr: digits, askPr: digits, ts: millis })
          .transform((t) => ({ symbol: t.symbol, price: t.lastPr, bid: t.bidPr, ask: t.askPr, exchangeTime: t.ts })),
      ),
      rows: (tickers, context) => priceRows(tickers, addresses["v2/tickers"], context),
    }),
    v3: endpoint(columns, {
      address: addresses["v3/tickers"],
      params: () => ({ category: "SPOT" }),
      data: listed(
        z.object({ symbol, lastPrice: digits, bid1Price: digits, ask1Price: digits, ts: millis }).transform((t) => ({
          symbol: t.symbol,
          price: t.lastPrice,
          bid: t.bid1Price,
          ask: t.ask1Price,
          exchangeTime: t.ts,
        })),
      ),
      rows: (tickers, context) => priceRows(tickers, addresses["v3/tickers"], context),
    }),
  },
});
