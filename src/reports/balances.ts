import type { Steps } from "../core/async/cooperate.ts";
import { decimalIn, multiply } from "../core/decimal.ts";
import type { Cell, DecimalString } from "../core/domain.ts";
import { prices } from "../datasets/snapshots/prices.ts";
import { positivePrice } from "../datasets/valuation.ts";
import { createCloses, instantText, textOf } from "../queries/close.ts";
import { coverageColumns, createCoverage } from "../queries/coverage.ts";
import { type Period, periodsOf } from "../queries/periods.ts";
import type { Source } from "../queries/source.ts";
import { createWallets } from "../queries/wallets.ts";
import type { Report } from "./report.ts";

const amountColumns = ["coin", "taken_at", "available", "frozen", "locked", "total", "usdt_price", "usdt_value"];

export const balances: Report = {
  name: "balances",
  summary: "the balance of every wallet at the close, per coin",
  columns: ["day", "account", "wallet", ...amountColumns, ...coverageColumns],
  money: { atClose: ["usdt_value"] },
  *rows(source, span) {
    const walletsAt = createWallets(source);
    const pricesAt = createPrices(source);
    const coverage = createCoverage(source);
    for (const period of periodsOf(span)) {
      const prices = yield* pricesAt(period);
      const wallets = yield* walletsAt(period);
      for (const { account, wallet, dataset, isMoney, takenAt, known, balances } of wallets) {
        const tail = yield* coverage.cells(period, account, dataset);
        const row = (cells: Cell[]): Cell[] => [period.name, account, wallet, ...cells, ...tail];
        if (!known) yield row(amountColumns.map(() => null));
        for (const { coin, available, frozen, locked, total } of balances) {
          const price = (isMoney && prices.get(coin)) || null;
          const value = total !== null && price !== null ? multiply(total, price) : null;
          yield row([coin, instantText(takenAt), available, frozen, locked, total, price, value]);
        }
      }
    }
  },
};

/** The price in USDT of each coin, null where the exchange has none; coins with an unknown price are omitted. */
export type CoinPrices = Map<string, DecimalString | null>;

/** Returns a function that gives the prices at the close. */
export function createPrices(source: Source): (period: Period) => Steps<CoinPrices> {
  const closesOf = createCloses(source, prices);
  return function* (period) {
    const found: CoinPrices = new Map([["USDT", "1"]]);
    const closes = yield* closesOf(period);
    for (const row of closes.flatMap(({ rows }) => rows))
      if (row.quote === "USDT") found.set(textOf(row, "coin"), positivePrice(decimalIn(row, "price")));
    return found;
  };
}
