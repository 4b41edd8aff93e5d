/** Generates the reference of report columns. Their meanings are described here. */
import { reports as all } from "../../src/reports/index.ts";
import { sentence, table } from "./markdown.ts";

const ratio = "a share: 0.25 is 25 %";
const slots = {
  slots: "How many slots were due in the period.",
  slots_ok: "How many of them have a complete run.",
  coverage: "One word for the period, see [coverage](#coverage-words).",
};

const ledger = {
  entries: "How many entries the sum has.",
  recorded: "The sum of the entries that were collected, also where others are missing.",
  ledger:
    "`complete`; `going on` for a period that has not ended; or why entries may be missing, such as `bills were not collected`. Then the sum is empty.",
};

/** Columns with the same meaning in every report; a report may override it below. */
const common: Record<string, string> = {
  day: "The period: a local day (`2026-11-21`), or with `--by month` a month (`2026-11`; the column is then named `month`).",
  account: "The name of the account.",
  dataset: "The name of the dataset.",
  wallet:
    "`spot`, `funding`, `unified` or the futures product type; `futures` before any futures account was recorded.",
  product_type: "The futures product type: `umcbl`, `dmcbl`, `cmcbl`, `sumcbl` or `unified`.",
  symbol: "The contract, without suffix (`BTCUSDT`).",
  coin: "The coin, in capitals.",
  margin_coin: "The coin of the margin; amounts of profit are in it.",
  hold_side: "`long` or `short`.",
  margin_mode: "`crossed` or `isolated`.",
  taken_at:
    "When the snapshot was taken that this row is read from, by the exchange's clock (ISO 8601 UTC). Empty: no recent data.",
  total: "The whole amount at the close.",
  at: "The exchange's time of it (ISO 8601 UTC).",
  first_seen_at: "The first snapshot that listed it (ISO 8601 UTC).",
  order_id: "The order that caused it.",
  version: "0; a record that the exchange changed has a row for each version, of which the greatest counts.",
  ...ledger,
  ...slots,
};

const meanings: Record<string, Record<string, string>> = {
  balances: {
    available: "What can be used.",
    frozen: "What open orders hold.",
    locked: "What is locked.",
    total:
      "`available`, `frozen` and `locked` together; of futures and unified wallets the equity. Empty where a part is unknown.",
    usdt_price: "The price of the coin in USDT at the close.",
    usdt_value:
      "`total` times `usdt_price`, not rounded. Empty where a part or the price is unknown, and for demo money.",
  },
  positions: {
    total: "The size, in the base coin.",
    leverage: "The leverage.",
    margin: "The margin of the position, in the margin coin.",
    average_open_price: "The average entry price.",
    mark_price: "The mark price.",
    unrealized_pl: "Unrealised PnL, in the margin coin.",
    achieved_profits: "Realised PnL of the position so far, in the margin coin.",
    liquidation_price: "The estimated liquidation price; zero or less means that there is none.",
    liquidation_distance: `|mark − liquidation| / mark, to 16 decimal places (${ratio}).`,
    opened_at: "When the exchange says the position was opened.",
  },
  episodes: {
    state: "`open`, `closed`, or `unknown` where its product type is no longer requested.",
    opened_at: "When the exchange says the position was opened.",
    first_seen_at: "The first snapshot that showed it.",
    last_seen_at: "The last snapshot that showed it.",
    closed_after: "It was closed after this snapshot, the last that showed it …",
    closed_before: "… and before this one, the first good one that did not.",
    largest_total: "The largest size in any snapshot.",
    average_open_price: "The last average entry price.",
    worst_unrealized_pl: "The lowest unrealised PnL in any snapshot.",
    best_unrealized_pl: "The highest unrealised PnL in any snapshot.",
    closest_liquidation: `The smallest distance to liquidation in any snapshot (${ratio}).`,
    realized_pl:
      "Realised PnL before fees and funding: so far, or as the exchange lists it once the position is closed; empty where it does not.",
    funding: "Funding (negative: paid), known as `realized_pl` is.",
    fees: "Fees (positive: paid), known as `realized_pl` is.",
    realized_pl_seen: "Realised PnL as last reported, also of a closed position.",
    funding_seen: "Funding as last reported, also of a closed position.",
    fees_seen: "Fees as last reported, also of a closed position.",
    seen: "1 if a snapshot showed the position, 0 if it was opened and closed between two of them.",
    position_id: "Its id in the exchange's list of closed positions.",
    closed_at: "When the exchange says that it was closed completely.",
    close_average_price: "The average exit price.",
    size: "The size that was closed.",
    net_profit: "PnL after fees and funding, as the exchange lists it.",
    held_ms: "From its opening to its close, in milliseconds.",
    bills_realized_pl:
      "Realised PnL by its bills; empty where they are not complete, or may belong to another position.",
    bills_funding: "Funding by its bills.",
    bills_fees: "Fees by its bills (positive: paid).",
    bills_net_profit: "PnL after fees and funding by its bills.",
    difference: "`net_profit` without dividends minus `bills_net_profit`.",
    verdict:
      "What its bills say about the exchange's result: `proven`, `rounded`, `break` (they differ), `open` (too early), `gap` (not collected) or `unprovable`.",
  },
  equity: {
    opening: "Equity at the close of the period before, in USDT. Only values of which every part is known count.",
    closing: "Equity at the close, in USDT.",
    change: "`closing` minus `opening`; the changes of many periods add up to the last digit.",
    spot_usdt: "The spot wallet at the close, in USDT.",
    futures_usdt: "The futures accounts at the close, in USDT.",
    other_usdt: "Everything else at the close, in USDT.",
    complete: "1 where every part of the equity is known, else 0.",
    lowest: "The lowest equity in the period. Empty where days were pruned.",
    lowest_at: "When that was.",
    highest: "The highest equity in the period. Empty where days were pruned.",
    highest_at: "When that was.",
    priced_usdt: "The sum of what is known at the close, in USDT.",
    unpriced: "Coins without a price at the exchange and their amounts, as a JSON object.",
    missing: "Datasets or wallets that are missing from the equity, as a JSON list.",
  },
  changes: {
    wallet: "The wallet; of a position its product type.",
    field: "What changed: `available`, `total` or, of a position, `size`.",
    opening: "The value at the close of the period before; 0 where a known close does not hold the item.",
    closing: "The value at the close.",
    change: "`closing` minus `opening`.",
  },
  coverage: {
    ok: "Slots with a complete run.",
    partial: "Slots whose run brought a part.",
    failed: "Slots whose run failed.",
    missed: "Slots that were not run.",
    skipped:
      "Slots that were not run because the account's API has no such data, or because the run before was still going on.",
    causes: "The causes of slots that are not `ok`, each with a count.",
  },
  ledger: {
    wallet:
      "The wallet, `spot`, `funding`, `unified`, `margin-crossed`, `margin-isolated`, or the futures product type.",
    kind: "Our class of it: `trade`, `funding`, `transfer` and others, see [bills](data-dictionary.md#bills).",
    type: "The exchange's own text for what happened.",
    coin: "The coin, as the exchange spells it; of a futures result the margin coin.",
    amount: "The signed amount without the fee; of a futures trade the realised profit. Empty where it is unknown.",
    fee: "The fee, negative where it was paid.",
    change: "What the balance changed by: `amount` plus `fee`.",
    balance: "The balance after it; empty where only another list than the exchange's ledger has it.",
    symbol: "The instrument, where it belongs to one.",
    id: "The exchange's id in the list named by `source`.",
    source:
      "`bills`; or where that was not collected, `deposits`, `withdrawals`, `transfers` or `fills`. Nothing is counted twice.",
  },
  bills: {
    wallet:
      "The wallet, `spot`, `funding`, `unified`, `margin-crossed`, `margin-isolated`, or the futures product type.",
    coin: "The coin, as the exchange spells it.",
    bill_id: "The exchange's id of the entry.",
    type: "The exchange's own text for what happened.",
    kind: "Our class of it: `trade`, `funding`, `transfer` and others, see [bills](data-dictionary.md#bills).",
    amount: "The signed amount; whether it contains the fee differs between wallets and types.",
    fee: "The fee, negative where it was paid.",
    change:
      "What the entry changed the balance by, as the balances show; empty where its balance does not follow from the one before.",
    balance: "The balance after it.",
    symbol: "The instrument, where it belongs to one.",
  },
  fills: {
    wallet: "`spot`, `unified`, or the futures product type.",
    symbol: "The instrument.",
    trade_id: "The exchange's id of the fill.",
    side: "`buy` or `sell`.",
    trade_side: "What it did to the position, as the exchange reports it (futures).",
    price: "The price.",
    size: "The size, in the base coin.",
    quote: "The value as reported, in the quote coin.",
    fee: "The fee, in `fee_coin`, negative where it was paid.",
    fee_coin: "The coin of the fee.",
    profit: "Realised profit before the fee (futures), in the margin coin.",
    role: "`maker` or `taker`.",
  },
  funding: {
    funding: "Funding received less funding paid, in the coin. Empty where the ledger has a hole.",
  },
  fees: {
    fees: "Fees, in the coin, negative where they were paid: of trades and withdrawals, and entries that are a fee as a whole. Empty where the ledger has a hole. Interest is no fee.",
    entries: "How many entries have a fee.",
  },
  pnl: {
    opening: "Equity at the close of the period before, in USDT. Only values of which every part is known count.",
    closing: "Equity at the close, in USDT.",
    change: "`closing` minus `opening`; the sum of `flows`, `profit`, `other` and `unexplained`, to the last digit.",
    profit: "The sum of the six columns from `realized` to `prices`. Empty where one of them is.",
    flows:
      "Money that came in less money that left: deposits, withdrawals without their fee, rewards, and transfers from and to other accounts and wallets without a ledger.",
    realized: "Results of trades, liquidations and conversions, before fees.",
    funding: "Funding received less funding paid.",
    fees: "Fees, negative where they were paid, those of withdrawals included.",
    interest: "Interest, negative where it was paid.",
    unrealized: "The change of the unrealised results of positions.",
    prices:
      "What changes of prices made of the coins that were held: from the opening, or from the time of an entry, to the closing.",
    other:
      "The change of what has no ledger: Earn, bots, margin, and the funding wallet of an account that is not unified.",
    unexplained: "`change` less all terms that are known: what nothing explains, and the terms that are empty.",
    opening_at: "When the equity of the opening was read (ISO 8601 UTC). Entries after it count …",
    closing_at: "… up to when the equity of the closing was read.",
    unpriced: "Coins that are in no term, because the exchange has no price of them.",
    unknown:
      "Why terms are empty: the wallet whose ledger is incomplete and the cause, a price, a balance; or coins with entries whose type is not known, which are in `unexplained`.",
  },
  returns: {
    opening:
      "The value in USDT of the wallets with a ledger, at the close of the period before; of a new account at its first snapshot.",
    closing: "The same at the close, or for a period in progress where the ledger was read to.",
    flows:
      "Money that came in less money that left: deposits, withdrawals without their fee, rewards, and transfers from and to other accounts and wallets without a ledger.",
    result: "`closing` − `opening` − `flows`.",
    time_weighted:
      "What one USDT made that was there all the time, as a fraction (0.1 is 10 %), to 12 places. Empty where it is not known exactly.",
    time_weighted_least:
      "The least that it can have been, where money came or left while the equity was not recorded …",
    time_weighted_greatest: "… and the greatest.",
    money_weighted:
      "The same at the constant daily rate at which the opening and all flows grow to the closing (internal rate of return). Empty where there is no such rate, and within one day.",
    drawdown:
      "The largest loss from a peak without what was paid in and out, as a fraction of the peak; without the steps whose result is not known (`unknown`).",
    peak_at: "When that peak was (ISO 8601 UTC).",
    lowest_at: "When the loss was largest.",
    recovered_at: "When the peak was reached again; empty if it was not.",
    opening_at: "When the equity of the opening was read. Flows after it count …",
    closing_at: "… up to when the equity of the closing was read.",
    unpriced: "Coins that came or left and are in no amount, because the exchange has no price of them.",
    unknown: "Why cells are empty: the wallet whose ledger is incomplete and the cause, a price, a balance.",
  },
  reconciliation: {
    from_at: "The beginning of the stretch: a snapshot, or the first entry (ISO 8601 UTC).",
    to_at: "Its end.",
    opening: "The balance at the beginning.",
    change: "The sum of what the entries changed.",
    entries: "How many entries it has.",
    closing: "The balance at the end.",
    residual: "`closing` − `opening` − `change`: what the entries do not explain.",
    verdict: "`proven`, `rounded`, `open`, `break`, `gap` or `unprovable`.",
    cause: "Why, where it is not proven.",
  },
};

/**
 * Returns one table of columns per report.
 * @throws Error naming a column without a meaning
 */
export function reportColumns(): string {
  return all
    .map(({ name, summary, columns }) => {
      const rows = columns.map((column) => {
        const meaning = meanings[name]?.[column] ?? common[column];
        if (!meaning) throw new Error(`scripts/docs/reports.ts does not describe the column ${column} of ${name}`);
        return [`\`${column}\``, meaning];
      });
      return [`### ${name}`, sentence(summary), table(["column", "meaning"], rows)].join("\n\n");
    })
    .join("\n\n");
}
