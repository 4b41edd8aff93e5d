/** Defines the table of open positions. */
import { holdsMoney } from "../../../bitget/product-types.ts";
import { add, compare, decimalIn, multiply, subtract, sumOf } from "../../../core/decimal.ts";
import type { DecimalString, Scope } from "../../../core/domain.ts";
import { positions as dataset } from "../../../datasets/snapshots/positions.ts";
import { isStable } from "../../../output/shown.ts";
import type { CoinPrices } from "../../../reports/balances.ts";
import { liquidationDistance } from "../../../reports/positions.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { createShownPrices } from "../balances.ts";
import { shownCloses, timesOf } from "../last-known.ts";
import { amount, type DataTable, instant, lastKnownColumns, price, profit, share, text } from "../table.ts";

/** The columns that identify a position. */
export const keyColumns = [
  text("symbol", "Symbol"),
  text("hold_side", "Side"),
  text("account", "Account"),
  text("product_type", "Product"),
  text("margin_coin", "Margin coin"),
  text("margin_mode", "Mode"),
];

export const positions: DataTable = {
  name: "positions",
  summary: "every open position, the one nearest to liquidation first",
  columns: [
    ...keyColumns,
    text("state", "State"),
    amount("total", "Size", "symbol"),
    amount("leverage", "Leverage", "symbol"),
    price("average_open_price", "Entry", 1),
    price("mark_price", "Mark"),
    profit("unrealized_pl", "Unrealised PnL", "margin_coin"),
    share("unrealized_plr", "ROE"),
    amount("margin", "Margin", "margin_coin"),
    price("liquidation_price", "Liquidation"),
    share("liquidation_distance", "Distance"),
    profit("achieved_profits", "Realised PnL", "margin_coin"),
    profit("total_funding", "Funding", "margin_coin"),
    price("take_profit", "Take profit"),
    price("stop_loss", "Stop loss"),
    instant("opened_at", "Opened"),
    instant("taken_at", "Updated"),
    amount("usdt_size", "Size, USDT"),
    profit("usdt_unrealized_pl", "Unrealised PnL, USDT"),
    amount("usdt_margin", "Margin, USDT"),
    ...lastKnownColumns,
  ],
  alwaysKnown: [...keyColumns.map(({ name }) => name), "state"],
  *rows(view) {
    const pricesOf = yield* createShownPrices(view);
    const all: HistoryRow[] = [];
    for (const close of yield* shownCloses(view, dataset)) {
      const { account, productType, known, rows } = close;
      const state = known ? "open" : "unknown";
      const times = timesOf(close);
      const { prices } = yield* pricesOf(close);
      // An unknown state has a row also where nothing was open at last.
      if (!known && rows.length === 0) all.push({ account, product_type: productType, state, ...times });
      for (const row of rows)
        all.push({ ...row, state, liquidation_distance: liquidationDistance(row), ...times, ...valuesOf(row, prices) });
    }
    yield* all.sort(byDanger);
  },
};

/** Returns whether a position is one of real money. */
export const isMoneyRow = ({ product_type }: HistoryRow): boolean => holdsMoney(product_type as Scope);

/** What open positions are worth and risk together, in USDT; null is unknown. */
export interface Exposure {
  count: number;
  long: DecimalString | null;
  short: DecimalString | null;
  net: DecimalString | null;
  gross: DecimalString | null;
  profit: DecimalString | null;
  margin: DecimalString | null;
  /** The time of its oldest last known value; null where all is of the present. */
  oldest: string | null;
}

/** Returns the sums over the open positions of real money. */
export function exposureOf(rows: readonly HistoryRow[]): Exposure {
  const open = rows.filter((row) => row.symbol && isMoneyRow(row));
  const sumIn = (name: string, side?: string) =>
    sumOf(open.filter((row) => side === undefined || row.hold_side === side).map((row) => decimalIn(row, name)));
  const [long, short] = [sumIn("usdt_size", "long"), sumIn("usdt_size", "short")];
  const [oldest = null] = open.flatMap((row) => row.last_known_at ?? []).sort();
  return {
    count: open.length,
    ...{ long, short, net: long && short && subtract(long, short), gross: long && short && add(long, short) },
    profit: sumIn("usdt_unrealized_pl"),
    margin: sumIn("usdt_margin"),
    oldest: oldest === null ? null : String(oldest),
  };
}

/** Returns what a position is worth in USDT; null where a price is unknown, and for demo money. */
function valuesOf(row: HistoryRow, prices: CoinPrices): HistoryRow {
  const coin = String(row.margin_coin ?? "");
  const price = isMoneyRow(row) ? (prices.get(coin.toUpperCase()) ?? prices.get(coin) ?? null) : null;
  const times = (amount: DecimalString | null, by: DecimalString | null) => amount && by && multiply(amount, by);
  // The mark price is in the margin coin, or in dollars where that is what is traded.
  const quote = isStable(coin) ? price : price && "1";
  return {
    usdt_size: times(times(decimalIn(row, "total"), decimalIn(row, "mark_price")), quote),
    usdt_unrealized_pl: times(decimalIn(row, "unrealized_pl"), price),
    usdt_margin: times(decimalIn(row, "margin"), price),
  };
}

/** Orders positions by their distance to liquidation; those without one are last, and demo money after all others. */
function byDanger(one: HistoryRow, other: HistoryRow): number {
  const rank = (row: HistoryRow) =>
    (row.symbol ? 0 : 4) + (isMoneyRow(row) ? 0 : 2) + (row.liquidation_distance ? 0 : 1);
  const [a, b] = [decimalIn(one, "liquidation_distance"), decimalIn(other, "liquidation_distance")];
  return rank(one) - rank(other) || (a && b ? compare(a, b) : 0);
}
