/** How the money is spread over coins and wallets. */
import { holdsMoney } from "../../../bitget/product-types.ts";
import { add, compare, divide, isPositive, isZero, sum } from "../../../core/decimal.ts";
import type { DecimalString, Scope } from "../../../core/domain.ts";
import type { HistoryRow } from "../../../store/history.ts";

/** One coin or wallet, or several. */
export interface Slice {
  /** Null for the rest. */
  name: string | null;
  /** USDT. */
  value: DecimalString;
  /** Of the sum of all positive values. */
  share: DecimalString;
}

export interface Allocation {
  slices: Slice[];
  /** The coins that have no price. */
  unpriced: string[];
  /** The coins whose price is unknown. */
  unknown: string[];
}

/** More of them are shown together. */
const maxSlices = 6;

/** Returns the values of balances (rows of the table `balances`) by coin or by wallet, the largest first, then the rest. */
export function allocationOf(balances: readonly HistoryRow[], by: "coin" | "wallet"): Allocation {
  const values = new Map<string, DecimalString>();
  const unpriced = new Set<string>();
  const unknown = new Set<string>();
  for (const row of balances) {
    const { coin, total, usdt_value: value } = row;
    if (
      typeof coin !== "string" ||
      typeof total !== "string" ||
      isZero(total) ||
      !holdsMoney(String(row.wallet) as Scope)
    )
      continue;
    if (typeof value === "string") values.set(String(row[by]), add(values.get(String(row[by])) ?? "0", value));
    else (row.price_state === "none" ? unpriced : unknown).add(coin);
  }
  const sorted = [...values].sort(([, one], [, other]) => compare(other, one));
  const whole = sum(sorted.map(([, value]) => value).filter(isPositive));
  const slice = (name: string | null, value: DecimalString): Slice => ({
    name,
    value,
    share: divide(value, whole) ?? "0",
  });
  const rest = sorted.slice(maxSlices);
  return {
    slices: [
      ...sorted.slice(0, maxSlices).map(([name, value]) => slice(name, value)),
      ...(rest.length > 0 ? [slice(null, sum(rest.map(([, value]) => value)))] : []),
    ],
    unpriced: [...unpriced].sort(),
    unknown: [...unknown].sort(),
  };
}
