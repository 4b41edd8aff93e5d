/** Sums over the history: an SQL expression, and the same sum row by row. */
import type { DatasetName } from "../../../src/core/domain.ts";
import type { TrueRow } from "../../../src/simulator/simulator.ts";
import { digitsOf, times, units } from "./exact.ts";

const day = (row: TrueRow): string => String(row.taken_at).slice(0, 10);
const known = (cell: TrueRow[string] | undefined): string => String(cell ?? "0");

/** The summed expression and the grouping, in SQL and as functions of a row. */
type Sum = [
  dataset: DatasetName,
  sum: string,
  by: string,
  amount: (row: TrueRow) => string,
  group: (row: TrueRow) => string,
];

export const sums: readonly Sum[] = [
  ["spot-assets", "available", "coin", (row) => known(row.available), (row) => String(row.coin)],
  ["spot-assets", "locked", "substr(taken_at, 1, 10)", (row) => known(row.locked), day],
  ["funding-assets", "frozen", "account", (row) => known(row.frozen), (row) => String(row.account)],
  ["positions", "unrealized_pl", "substr(taken_at, 1, 10)", (row) => known(row.unrealized_pl), day],
  [
    "positions",
    "decimal_mul(total, mark_price)",
    "symbol",
    (row) => digitsOf(times(units(known(row.total)), units(known(row.mark_price)))),
    (row) => String(row.symbol),
  ],
  [
    "mix-accounts",
    "decimal_sub(equity, available)",
    "product_type",
    (row) => digitsOf(units(known(row.equity)) - units(known(row.available))),
    (row) => String(row.product_type),
  ],
  ["prices", "price", "coin", (row) => known(row.price), (row) => String(row.coin)],
  ["equity", "usdt_equity", "substr(taken_at, 1, 10)", (row) => known(row.usdt_equity), day],
];
