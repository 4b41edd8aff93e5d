/** Lists the columns that a table of each dataset has by default: those that fit a terminal of 120 characters. */
import { decimalIn, isPositive, places } from "../../core/decimal.ts";
import { cellText, type DatasetName, type DecimalString } from "../../core/domain.ts";
import { isStable } from "../../output/shown.ts";
import { localText } from "../../queries/periods.ts";
import { liquidationDistance } from "../../reports/positions.ts";
import type { HistoryRow } from "../../store/history.ts";
import { moneyText, percentText, priceText, quantityText } from "./figures.ts";

/** A column of a table, made of one or more columns of the history view. */
export interface TableColumn {
  header: string;
  /** The columns of the view that it shows. */
  shows: readonly string[];
  /** Whether it shows a time; then the time zone is added to the header. */
  isTime?: true;
  /** Returns the text of a row, its times in the time zone; empty where it is unknown. */
  text(row: HistoryRow, timezone?: string): string;
}

type Shown = (digits: DecimalString, row: HistoryRow) => string;

const textIn = (row: HistoryRow, column: string): string => {
  const cell = row[column] ?? null;
  return typeof cell === "string" ? cell : cellText(cell);
};

const plain = (column: string, header = column): TableColumn => ({
  header,
  shows: [column],
  text: (row) => textIn(row, column),
});

const time = (column: string): TableColumn => ({
  header: column,
  isTime: true,
  shows: [column],
  text(row, timezone = "UTC") {
    const text = textIn(row, column);
    return text === "" ? "" : localText(Date.parse(text), timezone);
  },
});

const amount = (shown: Shown, column: string, header = column, others: readonly string[] = []): TableColumn => ({
  header,
  shows: [column, ...others],
  text(row) {
    const digits = decimalIn(row, column);
    return digits === null ? "" : shown(digits, row);
  },
});

const money: Shown = moneyText;
const quantity: Shown = quantityText;

/** Returns how an amount is shown whose coin is in a column of its row; the coin is added if it is no stable coin. */
const inCoin =
  (column: string): Shown =>
  (digits, row) => {
    const coin = textIn(row, column);
    return isStable(coin) ? money(digits, row) : `${quantity(digits, row)} ${coin}`;
  };

/** The places of a mark price, or one more for a price that is an average. */
const likeMarkPrice =
  (more: number): Shown =>
  (digits, row) =>
    priceText(digits, places(decimalIn(row, "mark_price") ?? "0.00000000") + more);

/** The exchange reports 0 or less where there is no liquidation price. */
const liquidation: Shown = (digits, row) => (isPositive(digits) ? likeMarkPrice(0)(digits, row) : "none");

const leverage: TableColumn = {
  header: "leverage",
  shows: ["leverage", "margin_mode"],
  text(row) {
    const times = decimalIn(row, "leverage");
    return `${times === null ? "" : `${times}× `}${textIn(row, "margin_mode").replace("crossed", "cross")}`;
  },
};

const distance: TableColumn = {
  header: "distance",
  shows: ["liquidation_price", "mark_price"],
  text(row) {
    const share = liquidationDistance(row);
    return share === null ? "" : percentText(share);
  },
};

const complete: TableColumn = {
  header: "complete",
  shows: ["complete"],
  text: (row) => (Number(row.complete) === 1 ? "yes" : "no"),
};

const quantities = (...columns: string[]): TableColumn[] => columns.map((column) => amount(quantity, column));
const moneys = (...columns: string[]): TableColumn[] => columns.map((column) => amount(money, column));

const movement = [time("at"), plain("wallet"), plain("coin"), ...quantities("amount", "fee"), plain("status")];

/** The columns of each dataset in their order; `account` precedes them where there are several. */
export const tableColumns: Readonly<Record<DatasetName, readonly TableColumn[]>> = {
  "spot-assets": [time("taken_at"), plain("coin"), ...quantities("available", "frozen", "locked")],
  "funding-assets": [
    time("taken_at"),
    plain("coin"),
    ...quantities("available", "frozen", "balance"),
    ...moneys("usdt_value"),
  ],
  "mix-accounts": [
    time("taken_at"),
    plain("product_type", "product"),
    plain("margin_coin", "coin"),
    ...quantities("available", "locked", "equity"),
    amount(inCoin("margin_coin"), "unrealized_pl"),
    ...moneys("usdt_equity"),
  ],
  positions: [
    time("taken_at"),
    plain("symbol"),
    plain("hold_side", "side"),
    leverage,
    amount(quantity, "total", "size"),
    amount(inCoin("margin_coin"), "unrealized_pl", "PnL", ["margin_coin"]),
    amount(liquidation, "liquidation_price", "liquidation"),
    distance,
    // A narrow terminal leaves out the last columns.
    amount(likeMarkPrice(1), "average_open_price", "entry"),
    amount(likeMarkPrice(0), "mark_price", "mark"),
  ],
  prices: [time("taken_at"), ...["coin", "quote", "price", "bid", "ask", "source"].map((column) => plain(column))],
  equity: [time("taken_at"), ...moneys("usdt_equity", "spot_usdt", "futures_usdt", "other_usdt"), complete],
  bills: [
    ...[time("at"), plain("wallet"), plain("coin"), plain("kind")],
    ...[...quantities("amount", "fee", "balance"), plain("symbol")],
  ],
  fills: [
    ...[time("at"), plain("symbol"), plain("side"), plain("price"), ...quantities("size"), ...moneys("quote")],
    ...[amount(inCoin("fee_coin"), "fee", "fee", ["fee_coin"]), ...moneys("profit")],
  ],
  "closed-positions": [
    ...[time("closed_at"), plain("symbol"), plain("hold_side", "side"), amount(quantity, "size")],
    ...[amount(quantity, "open_average_price", "entry"), amount(quantity, "close_average_price", "exit")],
    amount(inCoin("margin_coin"), "realized_pl", "realized", ["margin_coin"]),
    amount(inCoin("margin_coin"), "net_profit", "net"),
    amount(inCoin("margin_coin"), "funding"),
  ],
  deposits: [...movement, plain("network"), plain("origin")],
  withdrawals: [...movement, plain("network"), plain("destination")],
  transfers: [
    ...[time("at"), plain("coin"), ...quantities("amount"), plain("from_wallet", "from"), plain("to_wallet", "to")],
    ...[plain("status"), plain("from_user"), plain("to_user")],
  ],
  "tax-records": [
    ...[time("at"), plain("wallet"), plain("coin"), plain("type"), ...quantities("amount", "fee", "balance")],
  ],
};

/** The column that is shown where there is more than one account. */
export const accountColumn: TableColumn = plain("account");
