/**
 * The last spot price in USDT of every coin that an account holds. One public response contains all tickers; those of coins
 * that no account holds are dropped, and so are fields without a column (volumes, daily high and low). A held coin without a
 * USDT pair has a row with a null price, and so has a coin that was never traded, for which the exchange sends 0. USDT has no row.
 *
 * Sources: v1 https://bitgetlimited.github.io/apidoc/en/spot (archived), v2
 * https://www.bitget.com/api-doc/spot/market/Get-Tickers, v3 https://www.bitget.com/api-doc/uta/public/Tickers
 */
import { z } from "zod";
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import { decimalIn, isZero } from "../../core/decimal.ts";
import type { ApiEndpoint, Params } from "../../core/domain.ts";
import { UnknownError } from "../../core/errors.ts";
import { dataset, type MapperInput, sourceFor } from "../dataset.ts";
import { listed, millis, nameless, optionalDecimal, symbol, v1Symbol } from "../fields.ts";
import { moneyOf, positivePrice } from "../valuation.ts";

const columns = {
  /** The coin. */
  coin: column.text().notNull(),
  /** The coin in which the price is quoted: `USDT`. */
  quote: column.text().notNull(),
  /** The price of the last trade; NULL if the exchange has no price. Unit: quote. */
  price: column.decimal().volatile(),
  /** The name of the endpoint that reported it. */
  source: column.text(),
  /** The best bid. Unit: quote. */
  bid: column.decimal().volatile(),
  /** The best ask. Unit: quote. */
  ask: column.decimal().volatile(),
  /** The exchange's time of the ticker. */
  exchangeTime: column.millis().volatile(),
};

const amounts = ["available", "frozen", "locked", "balance", "equity", "debt"];

const wallets = ["spot-assets", "funding-assets", "mix-accounts"] as const;

/**
 * Returns the coins with a balance or debt in the last snapshots of any account, in alphabetical order, without USDT.
 * @throws UnknownError if no account was read yet, because "no coins" would be a claim
 */
function heldCoins(input: MapperInput): string[] {
  const read = wallets.flatMap((name) => input.lastKnown(name));
  if (read.length === 0)
    throw new UnknownError("no balances are recorded yet, so the coins whose prices are needed are unknown");
  const held = moneyOf(read).filter((row) => amounts.some((amount) => !isZero(decimalIn(row, amount) ?? "0")));
  const coins = new Set(held.map((row) => String(row.coin ?? row.marginCoin)));
  coins.delete("USDT");
  return [...coins].sort();
}

const pairOf = (coin: string): string => `${coin}USDT`;

/**
 * Declares the source for a ticker endpoint with these field names. Only tickers of held coins are parsed, so that an invalid
 * ticker of another coin has no effect.
 */
function tickersAt(
  endpoint: ApiEndpoint,
  fields: Record<"price" | "bid" | "ask", string>,
  params: Params = {},
  pair: typeof symbol = symbol,
) {
  const ticker = z.intersection(
    z.object({ [fields.price]: optionalDecimal, [fields.bid]: optionalDecimal, [fields.ask]: optionalDecimal }),
    z.object({ ts: millis }),
  );
  const tickers = z.record(z.string(), ticker);
  return sourceFor(columns, {
    endpoint,
    params: () => params,
    needs: wallets,
    data: listed(z.looseObject({ symbol: pair }), nameless("symbol")),
    rows: (all, input) => {
      const coins = heldCoins(input);
      const pairs = new Set(coins.map(pairOf));
      const held = all.filter((one) => pairs.has(one.symbol)).map((one) => [one.symbol, one]);
      const parsed = tickers.parse(Object.fromEntries(held));
      return coins.map((coin) => {
        const found = parsed[pairOf(coin)];
        const row = {
          coin,
          quote: "USDT",
          price: positivePrice(found?.[fields.price] ?? null),
          source: endpoint.name,
          bid: positivePrice(found?.[fields.bid] ?? null),
          ask: positivePrice(found?.[fields.ask] ?? null),
          exchangeTime: found?.ts ?? null,
        };
        return { row, extra: null };
      });
    },
  });
}

export const prices = dataset({
  name: "prices",
  summary: "Spot prices in USDT of the held coins",
  key: ["coin", "quote"],
  columns,
  stableThrough: "source",
  onRemoval: "end",
  public: true,
  sources: {
    v1: tickersAt(
      apiEndpoint("v1/tickers", {
        path: "/api/spot/v1/market/tickers",
        perSecond: 20,
        params: [],
        signed: false,
        summary: "spot prices",
      }),
      { price: "close", bid: "buyOne", ask: "sellOne" },
      {},
      v1Symbol,
    ),
    v2: tickersAt(
      apiEndpoint("v2/tickers", {
        path: "/api/v2/spot/market/tickers",
        perSecond: 20,
        params: ["symbol"],
        signed: false,
        summary: "spot prices",
      }),
      { price: "lastPr", bid: "bidPr", ask: "askPr" },
    ),
    v3: tickersAt(
      apiEndpoint("v3/tickers", {
        path: "/api/v3/market/tickers",
        perSecond: 20,
        params: ["category*", "symbol"],
        signed: false,
        summary: "prices",
      }),
      { price: "lastPrice", bid: "bid1Price", ask: "ask1Price" },
      { category: "SPOT" },
    ),
  },
});
