/** One coin in one wallet through time. */

import { pause } from "../../core/async/cooperate.ts";
import { decimalIn } from "../../core/decimal.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { fundingAssets } from "../../datasets/snapshots/funding-assets.ts";
import { mixAccounts } from "../../datasets/snapshots/mix-accounts.ts";
import { spotAssets } from "../../datasets/snapshots/spot-assets.ts";
import { sumOf } from "../../queries/wallets.ts";
import { amount, type DataTable, instant } from "./table.ts";

/** Where the history of a wallet is kept. */
export interface WalletSource {
  dataset: Dataset;
  productType: string | null;
  /** The key of an item. */
  key: "coin" | "margin_coin";
  /** What its total is the sum of. */
  parts: readonly string[];
}

/** By the names that the balances have: `spot`, `funding`, `unified`, or a futures product type. */
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
    instant("taken_at", "At"),
    amount("total", "Total"),
    amount("available", "Available"),
    amount("frozen", "Frozen"),
    amount("locked", "Locked"),
  ],
  *rows({ history, account, at, params }) {
    const { dataset, productType, key, parts } = walletSource(params.wallet ?? "");
    const filter = { [key]: params.coin ?? "", ...(productType ? { product_type: productType } : {}) };
    for (const row of history.latestChanges(dataset, account, filter, { from: 0, to: at + 1 }))
      yield row === pause ? pause : { ...row, total: sumOf(parts.map((name) => decimalIn(row, name))) };
  },
};
