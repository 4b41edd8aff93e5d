/** What held coins are worth in USDT, from the last good rows of other datasets. Unknown stays unknown. */
import { isMoney } from "../bitget/product-types.ts";
import { add, isZero, multiply, sum } from "../decimal.ts";
import type { DatasetName, Digits, Known, Row } from "../domain.ts";
import type { Context } from "./dataset.ts";

/** Rows over all scopes; the demo lines are left out, for they hold no money. */
export const moneyOf = (known: readonly Known[]): Row[] =>
  known.filter(({ scope }) => isMoney(scope)).flatMap(({ rows }) => rows);

/** The last good rows of a dataset, as far as they are not too old. */
export const moneyRows = (context: Context, dataset: DatasetName): Row[] => moneyOf(context.known(dataset));

export const digitsIn = (row: Row, column: string): Digits | null => {
  const value = row[column];
  return typeof value === "string" ? value : null;
};

/** Coin -> price in USDT, of coins whose price is known. */
export function usdtPrices(context: Context): Map<string, Digits> {
  const prices = new Map<string, Digits>([["USDT", "1"]]);
  for (const row of moneyRows(context, "prices")) {
    const coin = row.coin;
    const price = digitsIn(row, "price");
    if (typeof coin === "string" && row.quote === "USDT" && price !== null) prices.set(coin, price);
  }
  return prices;
}

/** The exact sum of one column; null where one of its cells is unknown. */
export function sumOf(rows: readonly Row[], column: string): Digits | null {
  const cells = rows.map((row) => digitsIn(row, column));
  return cells.every((cell) => cell !== null) ? sum(cells) : null;
}

/** What the wallets' rows are worth, all `columns` added; null where an amount, or the price of one that is not zero, is unknown. */
export function usdtValue(
  rows: readonly Row[],
  columns: readonly string[],
  prices: Map<string, Digits>,
): Digits | null {
  let total: Digits = "0";
  for (const row of rows) {
    const amounts = columns.map((column) => digitsIn(row, column));
    if (!amounts.every((each) => each !== null)) return null;
    const held = sum(amounts);
    if (isZero(held)) continue;
    const price = prices.get(String(row.coin));
    if (price === undefined) return null;
    total = add(total, multiply(held, price));
  }
  return total;
}
