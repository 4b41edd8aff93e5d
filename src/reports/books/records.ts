/** Reads deposits, withdrawals, transfers and fills as entries of the books. */
import { add, multiply, subtract } from "../../core/decimal.ts";
import type { Cell, DecimalString } from "../../core/domain.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import { deposits } from "../../datasets/ledger/deposits.ts";
import { fills } from "../../datasets/ledger/fills.ts";
import { transfers } from "../../datasets/ledger/transfers.ts";
import { withdrawals } from "../../datasets/ledger/withdrawals.ts";
import type { HistoryReader, Span } from "../../store/history.ts";
import type { BookEntry } from "./entry.ts";

type Row = Readonly<Record<string, Cell>>;

/** Yields the entries of a span, by dataset; without balances, which these lists do not have. */
export function* recordsIn(history: HistoryReader, account: string | null, span: Span): Generator<BookEntry, void> {
  for (const { dataset, entriesOf } of sources) {
    const columns = history.columns(dataset);
    for (const row of history.rows(dataset, account === null ? {} : { account }, span))
      yield* entriesOf(Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])));
  }
}

const sources: readonly { dataset: IncrementalDataset; entriesOf(row: Row): BookEntry[] }[] = [
  {
    dataset: deposits,
    entriesOf: (row) => (row.status === "success" ? [entry("deposits", row, { amount: digits(row.amount) })] : []),
  },
  {
    dataset: withdrawals,
    entriesOf(row) {
      if (row.status !== "success") return [];
      const [whole, fee] = [digits(row.amount), digits(row.fee) ?? "0"];
      return [entry("withdrawals", row, { amount: whole && subtract(subtract("0", whole), fee), fee })];
    },
  },
  {
    dataset: transfers,
    // Which of the two users is this account is not recorded, so that the direction is unknown.
    entriesOf: (row) =>
      row.status === "Failed"
        ? []
        : [
            entry("transfers", row, {
              wallet: String(row.from_wallet ?? ""),
              type: `${row.amount} from ${row.from_wallet} to ${row.to_wallet}`,
              amount: null,
            }),
          ],
  },
  { dataset: fills, entriesOf: fillEntries },
];

const kinds = { deposits: "deposit", withdrawals: "withdrawal", transfers: "transfer", fills: "trade" } as const;

const idColumns = {
  ...{ deposits: "record_id", withdrawals: "record_id", transfers: "transfer_id", fills: "trade_id" },
} as const;

/** Returns the entry of a record. Without `fee` it has none. */
function entry(
  source: keyof typeof kinds,
  row: Row,
  own: Pick<BookEntry, "amount"> & Partial<Pick<BookEntry, "fee" | "coin" | "wallet" | "type">>,
): BookEntry {
  const { fee = "0", amount } = own;
  const wallet = text(row.wallet) ?? "";
  return {
    at: Date.parse(String(row.at)),
    account: String(row.account),
    wallet,
    category: text(row.category) ?? wallet,
    kind: kinds[source],
    type: text(row.origin ?? row.destination ?? row.side) ?? "",
    coin: text(row.coin) ?? "",
    balance: null,
    symbol: text(row.symbol),
    orderId: text(row.order_id),
    id: String(row[idColumns[source]]),
    source,
    ...own,
    fee,
    change: amount !== null && fee !== null ? add(amount, fee) : null,
  };
}

/** The coins in which prices of spot pairs are, as the exchange lists them. */
const quoteCoins = ["USDT", "USDC", "USDE", "EUR", "BRL", "BTC", "ETH", "BGB"];

/** Returns what a fill changed: the two coins of a spot trade, or its profit in the margin coin. Its fee may be in a third coin. */
function fillEntries(row: Row): BookEntry[] {
  const [size, price, feeCoin] = [digits(row.size), digits(row.price), text(row.fee_coin)];
  const parts = isFutures(row)
    ? [{ coin: marginCoinOf(row), amount: digits(row.profit) ?? "0" }]
    : spotParts(String(row.symbol), row.side === "sell", size, size && price && multiply(size, price));
  const fee = { coin: feeCoin ?? "", fee: digits(row.fee) };
  const charged = parts.map((part) => (part.coin === feeCoin ? { ...part, ...fee } : part));
  const isElsewhere = feeCoin !== null && !parts.some(({ coin }) => coin === feeCoin);
  const all = isElsewhere ? [...charged, { ...fee, amount: "0" }] : charged;
  return all.map((part) => entry("fills", row, part));
}

const isFutures = ({ wallet, category }: Row): boolean =>
  /FUTURES$/.test(String(category)) || /mcbl$/.test(String(wallet));

/** Returns the coin of the profit: USD contracts have the base coin. The fee is paid in it. */
const marginCoinOf = ({ symbol, fee_coin }: Row): string =>
  text(fee_coin) ?? /^(.+)USD$/.exec(String(symbol))?.[1] ?? (/USDT$/.test(String(symbol)) ? "USDT" : "USDC");

function spotParts(symbol: string, isSale: boolean, size: DecimalString | null, value: DecimalString | null) {
  const quote = quoteCoins.find((one) => symbol.endsWith(one) && symbol !== one) ?? "";
  const base = quote === "" ? symbol : symbol.slice(0, -quote.length);
  const signed = (amount: DecimalString | null, isOut: boolean) => amount && (isOut ? subtract("0", amount) : amount);
  return [
    { coin: base, amount: signed(size, isSale) },
    { coin: quote, amount: signed(value, !isSale) },
  ];
}

const text = (cell: Cell | undefined): string | null => (typeof cell === "string" && cell !== "" ? cell : null);
const digits = (cell: Cell | undefined): DecimalString | null => (typeof cell === "string" ? cell : null);
