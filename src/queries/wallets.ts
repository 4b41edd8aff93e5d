/** Reads the wallets of every account at the close of a period, from `spot-assets`, `funding-assets` and `mix-accounts`. */

import { holdsMoney } from "../bitget/product-types.ts";
import type { Steps } from "../core/async/cooperate.ts";
import { compare, decimalIn, subtract, sumOf } from "../core/decimal.ts";
import type { DatasetName, DecimalString, Scope } from "../core/domain.ts";
import { fundingAssets } from "../datasets/snapshots/funding-assets.ts";
import { mixAccounts } from "../datasets/snapshots/mix-accounts.ts";
import { spotAssets } from "../datasets/snapshots/spot-assets.ts";
import type { HistoryRow } from "../store/history.ts";
import { type Close, createCloses, textOf } from "./close.ts";
import type { Period } from "./periods.ts";
import type { Source } from "./source.ts";

/** The balance of a coin in a wallet; null is unknown. */
export interface Balance {
  coin: string;
  available: DecimalString | null;
  frozen: DecimalString | null;
  locked: DecimalString | null;
  /** Spot and funding: the sum of the parts. Futures and unified: the equity, including unrealised PnL and debts. */
  total: DecimalString | null;
  /** The part of `total` that is unrealised PnL. */
  unrealized: DecimalString | null;
}

/** A wallet of an account at a close. */
export interface Wallet {
  account: string;
  /** `spot`, `funding`, `unified`, a futures product type, or `futures` before any product type was requested. */
  wallet: string;
  dataset: DatasetName;
  /** False for demo money. */
  isMoney: boolean;
  takenAt: number | null;
  known: boolean;
  /** The time of the last good snapshot, if the wallet is unknown because that is too old; else null. Epoch ms. */
  lastKnownAt: number | null;
  /** The slot of the last good snapshot; null if there is none. Epoch ms. */
  slot: number | null;
  /** In alphabetical order; empty if the wallet is unknown, or (with `known`) if it was empty. */
  balances: readonly Balance[];
}

const totals: Record<"spot" | "funding" | "equity", (row: HistoryRow) => DecimalString | null> = {
  spot: (row) => sumOf(["available", "frozen", "locked"].map((column) => decimalIn(row, column))),
  funding: (row) => sumOf(["available", "frozen"].map((column) => decimalIn(row, column))),
  equity: (row) => decimalIn(row, "equity"),
};

/** Returns the unrealised PnL in a row of a wallet; null if it is unknown. The exchange does not list that of a unified wallet. */
function unrealizedOf(row: HistoryRow, wallet: string): DecimalString | null {
  if (wallet === "spot" || wallet === "funding") return "0";
  const equity = decimalIn(row, "equity");
  if (wallet === "unified") return sumOf([equity, negated(decimalIn(row, "balance")), decimalIn(row, "debt") ?? "0"]);
  const available = decimalIn(row, "available");
  // A futures account without positions has no figure, and nothing but what is available.
  const hasNone = equity !== null && available !== null && compare(equity, available) === 0;
  return decimalIn(row, "unrealized_pl") ?? (hasNone ? "0" : null);
}

const negated = (amount: DecimalString | null): DecimalString | null => amount && subtract("0", amount);

/** Returns a function that gives the wallets at the close of a period, grouped by account. */
export function createWallets(source: Source): (period: Period) => Steps<Wallet[]> {
  const spot = createCloses(source, spotAssets);
  const funding = createCloses(source, fundingAssets);
  const futures = createCloses(source, mixAccounts);

  return function* (period) {
    const instant = Math.min(period.to - 1, source.now);
    const all = [
      ...(yield* spot(period)).map((close) => {
        // Only unified wallets have an equity. The change of mode was recorded by our clock, the close by the exchange's.
        const hasEquity = close.rows.some((row) => decimalIn(row, "equity") !== null);
        const isUnified = hasEquity || source.history.apiVersionAt(close.account, close.takenAt ?? instant) === "v3";
        return walletOf(close, isUnified ? "unified" : "spot", "spot-assets");
      }),
      ...(yield* funding(period)).map((close) => walletOf(close, "funding", "funding-assets")),
      ...(yield* futures(period)).map((close) => walletOf(close, close.productType ?? "futures", "mix-accounts")),
    ];
    const accounts = [...new Set(all.map(({ account }) => account))];
    return accounts.flatMap((account) => withoutDuplicateUnified(all.filter((one) => one.account === account)));
  };
}

/** Keeps one unified wallet: both `spot-assets` and `mix-accounts` contain it, and its money must not count twice. */
function withoutDuplicateUnified(wallets: readonly Wallet[]): Wallet[] {
  const unified = wallets.filter(({ wallet }) => wallet === "unified");
  const chosen = unified.find(({ known }) => known) ?? unified[0];
  return wallets.filter((one) => one.wallet !== "unified" || one === chosen);
}

function walletOf(close: Close, wallet: string, dataset: DatasetName): Wallet {
  const { account, takenAt, known, lastKnownAt, slot, productType, rows } = close;
  const totalOf = totals[wallet === "spot" || wallet === "funding" ? wallet : "equity"];
  const balances = rows.map((row): Balance => {
    const amounts = ["available", "frozen", "locked"].map((column) => decimalIn(row, column));
    const [available = null, frozen = null, locked = null] = amounts;
    const coin = textOf(row, row.coin ? "coin" : "margin_coin");
    return { coin, available, frozen, locked, total: totalOf(row), unrealized: unrealizedOf(row, wallet) };
  });
  balances.sort((a, b) => (a.coin < b.coin ? -1 : 1));
  const isMoney = holdsMoney(productType as Scope);
  return { account, wallet, dataset, isMoney, takenAt, known, lastKnownAt, slot, balances };
}
