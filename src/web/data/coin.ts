/** Defines the balance history of one coin in one wallet. */

import { pause } from "../../core/async/cooperate.ts";
import { decimalIn, sumOf } from "../../core/decimal.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { fundingAssets } from "../../datasets/snapshots/funding-assets.ts";
import { mixAccounts } from "../../datasets/snapshots/mix-accounts.ts";
import { spotAssets } from "../../datasets/snapshots/spot-assets.ts";
import { amount, type DataTable, instant } from "./table.ts";

/** Describes where the history of a wallet is stored. */
export interface WalletSource {
  dataset: Dataset;
  productType: string | null;
  /** The column that identifies the coin. */
  key: "coin" | "margin_coin";
  /** The columns whose sum is the total. */
  parts: readonly string[];
}

/** Returns the source of a wallet by its name in the balances: `spot`, `funding`, `unified` or a futures product type. */
export function walletSource(wallet: string): WalletSource {
  if (wallet === "spot")
    return { dataset: spotAssets, productType: null, key: "coin", parts: ["available", "frozen", "locked"] };
  if (wallet === "funding")
    return { dataset: fundingAssets, productType: null, key: "coin", parts: ["available", "frozen"] };
  return { dataset: mixAccounts, productType: wallet, key: "margin_coin", parts: ["equity"] };
}

export const coin: DataTable = {
  name: "coin",
  summary: "the balance of one coin in one wallet, one row for each snapshot in which it changed, newest first",
  needs: ["wallet", "coin"],
  columns: [
    instant("taken_at", "Time"),
    amount("total", "Total", "coin"),
    amount("available", "Available", "coin"),
    amount("frozen", "Frozen (orders)", "coin"),
    amount("locked", "Locked", "coin"),
  ],
  *rows({ history, account, at, params }) {
    const { dataset, productType, key, parts } = walletSource(params.wallet ?? "");
    const filter = { [key]: params.coin ?? "", ...(productType ? { product_type: productType } : {}) };
    for (const row of history.latestChanges(dataset, account, filter, { from: 0, to: at + 1 }))
      yield row === pause ? pause : { ...row, total: sumOf(parts.map((name) => decimalIn(row, name))) };
  },
};
