/**
 * Values held coins in USDT from the last good rows of other datasets. Unknown stays unknown: coins without a price are
 * distinguished from coins that were not requested and from data that could not be read.
 */
import { holdsMoney } from "../bitget/product-types.ts";
import { add, decimalIn, isPositive, isZero, multiply, sum } from "../core/decimal.ts";
import type { DatasetName, DecimalString, KnownRows, Row } from "../core/domain.ts";
import type { MapperInput } from "./dataset.ts";

/** Returns the rows of all scopes except demo product types, which hold no money. */
export const moneyOf = (known: readonly KnownRows[]): Row[] =>
  known.filter(({ scope }) => holdsMoney(scope)).flatMap(({ rows }) => rows);

/** Returns the last good rows of a dataset that are not too old. */
export const moneyRows = (input: MapperInput, dataset: DatasetName): Row[] => moneyOf(input.known(dataset));

/** Returns a price, or null for 0, which the exchange sends for a coin that was never traded. */
export const positivePrice = (price: DecimalString | null): DecimalString | null =>
  price !== null && isPositive(price) ? price : null;

/** Returns prices in USDT by coin, null where the exchange has none. A coin that is not in the map was not requested. */
export function usdtPrices(input: MapperInput): Map<string, DecimalString | null> {
  const prices = new Map<string, DecimalString | null>([["USDT", "1"]]);
  for (const row of moneyRows(input, "prices"))
    if (typeof row.coin === "string" && row.quote === "USDT")
      prices.set(row.coin, positivePrice(decimalIn(row, "price")));
  return prices;
}

/** The value of a part of an account in USDT. */
export interface Valuation {
  /** Null if any part is unknown. */
  value: DecimalString | null;
  /** The sum of the known parts; null if none is known. */
  priced: DecimalString | null;
  /** Amounts by coin for which the exchange has no price. */
  unpriced: ReadonlyMap<string, DecimalString>;
  /** The datasets that lack required data. */
  missing: ReadonlySet<string>;
}

export const unknownValuation = (dataset: DatasetName): Valuation => ({
  value: null,
  priced: null,
  unpriced: new Map(),
  missing: new Set([dataset]),
});

/** Returns the sum of the known parts; null if none is known. */
export function sumOfKnown(parts: readonly (DecimalString | null)[]): DecimalString | null {
  const known = parts.filter((part) => part !== null);
  return known.length > 0 ? sum(known) : null;
}

/** Returns the valuation that a dataset reports itself in one of its columns. */
export function reportedValue(input: MapperInput, dataset: DatasetName, column: string): Valuation {
  const cells = moneyRows(input, dataset).map((row) => decimalIn(row, column));
  const known = cells.filter((cell) => cell !== null);
  if (input.complete(dataset) && known.length === cells.length) {
    const value = sum(known);
    return { value, priced: value, unpriced: new Map(), missing: new Set() };
  }
  return { ...unknownValuation(dataset), priced: sumOfKnown(known) };
}

/** Values the coins of a wallet; the amount of a coin is the sum of `columns`. */
export function valueInUsdt(input: MapperInput, wallet: DatasetName, columns: readonly string[]): Valuation {
  if (!input.complete(wallet)) return unknownValuation(wallet);
  const prices = usdtPrices(input);
  const unpriced = new Map<string, DecimalString>();
  const missing = new Set<string>();
  const values: DecimalString[] = [];
  for (const row of moneyRows(input, wallet)) {
    const coin = String(row.coin);
    const amounts = columns.map((column) => decimalIn(row, column)).filter((each) => each !== null);
    if (amounts.length < columns.length) missing.add(wallet);
    const held = sum(amounts);
    const price = prices.get(coin);
    if (isZero(held)) continue;
    if (price === undefined) missing.add("prices");
    else if (price === null) unpriced.set(coin, add(unpriced.get(coin) ?? "0", held));
    else values.push(multiply(held, price));
  }
  const isWhole = unpriced.size === 0 && missing.size === 0;
  const priced = isWhole || values.length > 0 ? sum(values) : null;
  return { value: isWhole ? priced : null, priced, unpriced, missing };
}
