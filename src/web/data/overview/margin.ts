/** How much margin the positions of each futures account use. */

import { holdsMoney } from "../../../bitget/product-types.ts";
import type { Steps } from "../../../core/async/cooperate.ts";
import { decimalIn, divide, isPositive, sumOf } from "../../../core/decimal.ts";
import type { DecimalString, Scope } from "../../../core/domain.ts";
import { equity } from "../../../datasets/snapshots/equity.ts";
import { mixAccounts } from "../../../datasets/snapshots/mix-accounts.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { shownCloses } from "../last-known.ts";
import type { View } from "../table.ts";

/** A futures account, or a unified one. */
export interface MarginUse {
  account: string;
  /** The product type, or `unified`. */
  wallet: string;
  /** The margin coin; USDT for a unified account. */
  coin: string;
  /** The margin of the positions, and the equity it is part of. Unit: coin; null is unknown. */
  margin: DecimalString | null;
  equity: DecimalString | null;
  /** margin / equity. */
  use: DecimalString | null;
  /** The margin ratio as the exchange reports it; at 1 positions are liquidated. Null if it is unknown. */
  ratio: DecimalString | null;
  /** Whether these are last known values. */
  isOld: boolean;
}

/** Returns the margin of every futures account with positions of real money. `positions` are all that are open. */
export function* readMargins(view: View, positions: readonly HistoryRow[]): Steps<MarginUse[]> {
  const unifiedRows = new Map<string, { row: HistoryRow; isOld: boolean }>();
  for (const { account, rows, lastKnownAt } of yield* shownCloses(view, equity))
    if (rows[0] && decimalIn(rows[0], "unified_usdt") !== null)
      unifiedRows.set(account, { row: rows[0], isOld: lastKnownAt !== null });
  const found: MarginUse[] = [];
  for (const { account, productType, rows, lastKnownAt } of yield* shownCloses(view, mixAccounts)) {
    if (unifiedRows.has(account) || !holdsMoney(productType as Scope)) continue;
    for (const row of rows) {
      const own = positions.filter(
        (one) => one.account === account && one.product_type === productType && one.margin_coin === row.margin_coin,
      );
      const ratio = decimalIn(row, "cross_risk_rate");
      const parts = { margin: sumOf(own.map((one) => decimalIn(one, "margin"))), equity: decimalIn(row, "equity") };
      if (own.length > 0)
        found.push(
          useOf({
            account,
            wallet: productType ?? "",
            coin: String(row.margin_coin),
            ratio,
            isOld: lastKnownAt !== null,
            ...parts,
          }),
        );
    }
  }
  for (const [account, { row, isOld }] of unifiedRows) {
    const own = positions.filter((one) => one.account === account && one.symbol);
    const margin = sumOf(own.map((one) => decimalIn(one, "usdt_margin")));
    const parts = { margin, equity: decimalIn(row, "unified_usdt"), ratio: decimalIn(row, "margin_ratio") };
    if (own.length > 0) found.push(useOf({ account, wallet: "unified", coin: "USDT", isOld, ...parts }));
  }
  return found;
}

function useOf(known: Omit<MarginUse, "use">): MarginUse {
  const { margin, equity } = known;
  return { ...known, use: margin !== null && equity !== null && isPositive(equity) ? divide(margin, equity) : null };
}
