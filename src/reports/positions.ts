import { absolute, compare, decimalIn, divide, subtract } from "../core/decimal.ts";
import type { Cell, DecimalString } from "../core/domain.ts";
import { positions as dataset } from "../datasets/snapshots/positions.ts";
import { createCloses } from "../queries/close.ts";
import { coverageColumns, createCoverage } from "../queries/coverage.ts";
import { periodsOf } from "../queries/periods.ts";
import type { HistoryRow } from "../store/history.ts";
import type { Report } from "./report.ts";

/** Columns taken unchanged from the history view. */
const sourceColumns = [
  "symbol",
  "margin_coin",
  "hold_side",
  "margin_mode",
  "total",
  "leverage",
  "margin",
  "average_open_price",
  "mark_price",
  "unrealized_pl",
  "achieved_profits",
  "liquidation_price",
];

export const positions: Report = {
  name: "positions",
  summary: "every open position at the close",
  columns: [
    "day",
    "account",
    "product_type",
    ...sourceColumns,
    "liquidation_distance",
    "opened_at",
    "taken_at",
    ...coverageColumns,
  ],
  *rows(source, span) {
    const closesOf = createCloses(source, dataset);
    const coverage = createCoverage(source);
    for (const period of periodsOf(span)) {
      for (const { account, productType, known, rows } of yield* closesOf(period)) {
        const tail = yield* coverage.cells(period, account, "positions");
        const row = (cells: (name: string) => Cell, distance: Cell): Cell[] => [
          period.name,
          account,
          productType,
          ...sourceColumns.map(cells),
          distance,
          cells("opened_at"),
          cells("taken_at"),
          ...tail,
        ];
        if (!known) yield row(() => null, null);
        for (const position of rows) yield row((name) => position[name] ?? null, liquidationDistance(position));
      }
    }
  },
};

/**
 * Returns the distance between mark price and liquidation price as a share of the mark price (0.0421 is 4.21 %), to 16 places. Null
 * if either is unknown, or the liquidation price is zero or less, which means that there is none.
 */
export function liquidationDistance(position: HistoryRow): DecimalString | null {
  const mark = decimalIn(position, "mark_price");
  const liquidation = decimalIn(position, "liquidation_price");
  if (mark === null || liquidation === null || compare(mark, "0") <= 0 || compare(liquidation, "0") <= 0) return null;
  return divide(absolute(subtract(mark, liquidation)), mark);
}
