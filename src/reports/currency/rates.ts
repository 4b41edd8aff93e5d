/** Defines exchange rates between USDT and a currency, and where they come from. */
import type { Steps } from "../../core/async/cooperate.ts";
import { decimalIn, divide } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { prices } from "../../datasets/snapshots/prices.ts";
import { positivePrice } from "../../datasets/valuation.ts";
import { createCloses, instantText, textOf } from "../../queries/close.ts";
import type { Period } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { Report } from "../report.ts";

/** A report with amounts in a currency. */
export interface ReportInCurrency extends Report {
  /** The days of which it has amounts and no rate, once its rows were read: `2026-11-01`. */
  unrated: ReadonlySet<string>;
}

/** What one USDT is worth. */
export interface Rate {
  /** To 16 places. Unit: the currency. */
  rate: DecimalString;
  /** Who published which digits, such as `ECB EUR/USD 1.0565, 1 USDT as 1 USD`. */
  source: string;
  /** The day or the time of the rate, as its source states it. */
  at: string;
}

/** Returns the rate of a day; null if its source has none of this very day. */
export type RateOf = (day: Period) => Steps<Rate | null>;

/** Returns the rates of the exchange's own pair, as they were recorded at the close of each day: those of a currency that an account holds. */
export function recordedRates(source: Source, currency: string): RateOf {
  const closesOf = createCloses(source, prices);
  return function* (day) {
    for (const { takenAt, rows } of yield* closesOf(day)) {
      const found = rows.find((row) => row.quote === "USDT" && textOf(row, "coin") === currency);
      const price = positivePrice(decimalIn(found, "price"));
      const rate = price && divide("1", price);
      if (rate && takenAt !== null && takenAt >= day.from)
        return { rate, source: `Bitget ${currency}USDT ${price}`, at: instantText(takenAt) ?? "" };
    }
    return null;
  };
}
