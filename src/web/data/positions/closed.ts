/** Defines the table of closed positions, and which of them are selected. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { compare, decimalIn, isPositive, isZero, multiply, sum } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { dayMs } from "../../../core/time.ts";
import { Prices } from "../../../queries/prices.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { amount, type DataTable, duration, instant, price, profit, share, text, type View } from "../table.ts";
import { isMoneyRow, keyColumns } from "./open.ts";

export const episodes: DataTable = {
  name: "episodes",
  summary:
    "closed positions, the last closed first; `period` (7d, 30d, 90d), `symbol`, `hold_side`, `show` (won, lost) and `q` select, `sort` orders",
  columns: [
    ...keyColumns,
    text("state", "State"),
    instant("opened_at", "Opened"),
    instant("first_seen_at", "First snapshot"),
    instant("last_seen_at", "Last snapshot"),
    instant("closed_before", "Closed by"),
    instant("closed_at", "Closed"),
    duration("held_ms", "Held"),
    amount("largest_total", "Largest size", "symbol"),
    price("average_open_price", "Entry", 1),
    price("close_average_price", "Exit", 1),
    profit("net_profit", "Net PnL", "margin_coin"),
    profit("realized_pl", "Realised PnL", "margin_coin"),
    amount("funding", "Funding", "margin_coin"),
    amount("fees", "Fees", "margin_coin"),
    profit("worst_unrealized_pl", "Max loss", "margin_coin"),
    profit("best_unrealized_pl", "Max profit", "margin_coin"),
    share("closest_liquidation", "Nearest to liquidation"),
    profit("realized_pl_seen", "Realised PnL (before close)", "margin_coin"),
    amount("funding_seen", "Funding (before close)", "margin_coin"),
    amount("fees_seen", "Fees (before close)", "margin_coin"),
    profit("bills_net_profit", "Net PnL by its bills", "margin_coin"),
    amount("difference", "Difference to its bills", "margin_coin"),
    text("verdict", "Its bills"),
    profit("usdt_net_profit", "Net PnL, USDT"),
    amount("usdt_funding", "Funding, USDT"),
    amount("usdt_fees", "Fees, USDT"),
  ],
  *rows(view) {
    yield* selectClosed(yield* readClosed(view), view);
  },
};

/** The periods by whose days closed positions are selected; null is all. */
export const periods: Readonly<Record<string, number | null>> = { "7d": 7, "30d": 30, "90d": 90, all: null };

/** Returns when a position was closed, at the latest (epoch ms). */
const closedAt = ({ closed_at, closed_before, last_seen_at }: HistoryRow): number =>
  Date.parse(String(closed_at ?? closed_before ?? last_seen_at));

/** Returns the closed positions of the period in the parameters, the last closed first, with what they made in USDT. */
export function* readClosed({ history, account, at, params }: View): Steps<HistoryRow[]> {
  const days = periods[params.period ?? "all"] ?? null;
  const from = days === null ? Number.NEGATIVE_INFINITY : at - days * dayMs;
  const found: HistoryRow[] = [];
  for (const row of history.closedEpisodes(account, at)) {
    if (closedAt(row) < from) break;
    found.push(row);
    yield pause;
  }
  // Prices are read in the order of time.
  const prices = new Prices(history);
  const valued: HistoryRow[] = [];
  for (const row of found.reverse()) {
    valued.push({ ...row, ...valuesOf(row, prices) });
    yield pause;
  }
  return valued.reverse();
}

/** Returns the results of a position in USDT at the price of its close; null where that is unknown, and for demo money. */
function valuesOf(row: HistoryRow, prices: Prices): HistoryRow {
  const isKnown = ["net_profit", "funding", "fees"].some((name) => decimalIn(row, name) !== null);
  const price = isKnown && isMoneyRow(row) ? prices.at(String(row.margin_coin), closedAt(row)) : null;
  const value = (name: string): DecimalString | null => {
    const digits = decimalIn(row, name);
    return digits !== null && typeof price === "string" ? multiply(digits, price) : null;
  };
  return { usdt_net_profit: value("net_profit"), usdt_funding: value("funding"), usdt_fees: value("fees") };
}

/** What positions can be ordered by, and the column that decides. */
export const sortColumns: Readonly<Record<string, string>> = {
  closed: "",
  symbol: "symbol",
  net: "usdt_net_profit",
  held: "held_ms",
  funding: "usdt_funding",
  fees: "usdt_fees",
  max_loss: "worst_unrealized_pl",
  max_profit: "best_unrealized_pl",
  distance: "closest_liquidation",
};

/** Which closed positions the parameter `show` selects. */
export const outcomes: Readonly<Record<string, (net: DecimalString) => boolean>> = {
  won: (net) => isPositive(net),
  lost: (net) => !isPositive(net) && !isZero(net),
};

/** Returns those of the closed positions that the parameters select, in the order that they ask for. */
export function selectClosed(all: readonly HistoryRow[], { params }: Pick<View, "params">): HistoryRow[] {
  const { symbol, hold_side: side, show, q = "", sort = "-closed" } = params;
  const isOutcome = outcomes[show ?? ""] ?? null;
  const column = sortColumns[sort.replace(/^-/, "")] ?? "";
  const words = q
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word);
  const selected = all.filter((row) => {
    const net = decimalIn(row, "net_profit");
    const names = `${row.symbol} ${row.hold_side} ${row.account} ${row.product_type} ${row.margin_coin}`.toLowerCase();
    return (
      (symbol === undefined || row.symbol === symbol) &&
      (side === undefined || row.hold_side === side) &&
      (isOutcome === null || (net !== null && isOutcome(net))) &&
      words.every((word) => names.includes(word))
    );
  });
  const isDescending = sort.startsWith("-");
  if (column === "") return isDescending ? selected : selected.reverse();
  return selected.sort((one, other) => compareCells(one[column], other[column], isDescending ? -1 : 1));
}

/** Compares two cells of a column; an unknown one comes after the others in both directions. */
function compareCells(
  one: HistoryRow[string] | undefined,
  other: HistoryRow[string] | undefined,
  direction: 1 | -1,
): number {
  if (one === null || one === undefined) return other === null || other === undefined ? 0 : 1;
  if (other === null || other === undefined) return -1;
  const [a, b] = [String(one), String(other)];
  if (isNumber(a) && isNumber(b)) return direction * compare(a, b);
  return direction * (a < b ? -1 : a > b ? 1 : 0);
}

const isNumber = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text);

/** What closed positions made together, without those of demo money. USDT. */
export interface ClosedTotals {
  won: number;
  lost: number;
  /** The number of positions whose result, or its value, is unknown, so that they are in no sum. */
  unknown: number;
  net: DecimalString;
  funding: DecimalString;
  fees: DecimalString;
}

export function totalsOf(rows: readonly HistoryRow[]): ClosedTotals {
  const counted = rows.filter(isMoneyRow);
  const known = counted.filter((row) => decimalIn(row, "usdt_net_profit") !== null);
  const sumOf = (name: string) => sum(known.map((row) => decimalIn(row, name) ?? "0"));
  const count = (outcome: string) => selectClosed(known, { params: { show: outcome } }).length;
  return {
    won: count("won"),
    lost: count("lost"),
    unknown: counted.length - known.length,
    net: sumOf("usdt_net_profit"),
    funding: sumOf("usdt_funding"),
    fees: sumOf("usdt_fees"),
  };
}
