/** Defines the sources of the curves on the pages: equity, a coin, a position. */

import { asDecimal, isPositive, sum, sumOf } from "../../core/decimal.ts";
import { equity } from "../../datasets/snapshots/equity.ts";
import { positions } from "../../datasets/snapshots/positions.ts";
import { isStable } from "../../output/shown.ts";
import { walletSource } from "../data/coin.ts";
import { selectedAccounts } from "../data/comparison-periods.ts";
import { positionFilter } from "../data/positions/position.ts";
import type { View } from "../data/table.ts";
import type { LineInfo, LineSource, Values } from "./lines.ts";

const wallets = ["spot_usdt", "futures_usdt", "unified_usdt", "other_usdt"];

/** The partial equity is a line of its own, because it is not the equity of the account. */
const equityLines: readonly LineInfo[] = [
  { name: "total", label: "Total", kind: "money" },
  { name: "known_part", label: "Partial equity", kind: "money" },
  { name: "spot_usdt", label: "Spot", kind: "money" },
  { name: "futures_usdt", label: "Futures", kind: "money" },
  { name: "unified_usdt", label: "Unified", kind: "money" },
  { name: "other_usdt", label: "Funding, earn, bots, margin", kind: "money" },
  { name: "ledger_part", label: "Wallets with a ledger", kind: "money", isExtra: true },
];

/** Returns the equity of accounts, by default of the selected ones: total, partial equity and wallets. */
export const equitySource = (view: View, accounts: readonly string[] = selectedAccounts(view)): LineSource => ({
  dataset: equity,
  items: accounts.flatMap((account) => view.history.items(equity, account, null, {})),
  lines: equityLines,
  withLosses: ["total", "ledger_part"],
  columns: ["complete", "usdt_equity", "priced_usdt", ...wallets],
  valuesOf(cells) {
    if (!cells) return equityLines.map(() => null);
    const [complete, total, priced, ...parts] = cells;
    const isWhole = Number(complete) === 1;
    // Rows older than the column `priced_usdt` have the sum of the known parts in `usdt_equity`.
    const part = asDecimal(priced) ?? asDecimal(total);
    const [spot, futures, unified = null, other] = parts.map(asDecimal);
    const whole = isWhole ? asDecimal(total) : null;
    const withLedger = unified === null ? sumOf([spot ?? null, futures ?? null]) : whole;
    return [whole, isWhole ? null : part, spot ?? null, futures ?? null, unified, other ?? null, withLedger];
  },
  join(parts, missing) {
    const isWhole = missing === 0 && parts.every(([total]) => total !== null);
    const sum = sumKnown(parts.map(([total, knownPart]) => total ?? knownPart ?? null));
    // A wallet missing from a complete equity does not exist in that account.
    const wallet = (at: number) =>
      missing > 0 || parts.some((values) => values[0] === null && values[at] === null)
        ? null
        : sumKnown(parts.map((values) => values[at] ?? null));
    const ledgerParts = parts.map((values) => values.at(-1) ?? null);
    return [
      isWhole ? sum : null,
      isWhole ? null : sum,
      ...wallets.map((_, at) => wallet(at + 2)),
      missing > 0 ? null : sumOf(ledgerParts),
    ];
  },
});

/** Returns the sum of the known values, or null if there is none. */
function sumKnown(values: Values) {
  const all = values.filter((value) => value !== null);
  return all.length > 0 ? sum(all) : null;
}

/** Returns the balance of the coin and wallet in the parameters. */
export function coinSource({ history, account, params }: View): LineSource {
  const { wallet = "", coin = "" } = params;
  const { dataset, productType, key, parts } = walletSource(wallet);
  return {
    dataset,
    items: history.items(dataset, account ?? "", productType, { [key]: coin }),
    lines: [{ name: "total", label: coin, kind: kindOf(coin), isStep: true }],
    // A complete response without the coin means a balance of zero.
    columns: parts,
    valuesOf: (cells) => [cells ? sumOf(cells.map(asDecimal)) : "0"],
    join: (parts) => parts[0] ?? [null],
  };
}

/** Returns how amounts of a coin are shown. */
const kindOf = (coin: string): LineInfo["kind"] => (isStable(coin) ? "money" : "quantity");

const positionLines = (marginCoin: string): readonly LineInfo[] => [
  { name: "unrealized_pl", label: "Unrealised PnL", kind: kindOf(marginCoin) },
  { name: "mark_price", label: "Mark", kind: "price" },
  { name: "average_open_price", label: "Entry", kind: "price", isStep: true },
  { name: "liquidation_price", label: "Liquidation", kind: "price", isStep: true },
  { name: "size", label: "Size", kind: "quantity", isStep: true },
];

/** Returns the PnL, the prices and the size of the position in the parameters. A liquidation price of zero or less means none. */
export function positionSource(view: View): LineSource {
  const { account: _account, product_type: productType = "", ...keys } = positionFilter(view);
  const lines = positionLines(view.params.margin_coin ?? "");
  return {
    dataset: positions,
    items: view.history.items(positions, view.account ?? "", productType, keys),
    lines,
    columns: lines.map(({ name }) => (name === "size" ? "total" : name)),
    valuesOf: (cells) =>
      lines.map(({ name }, at) => {
        const value = asDecimal(cells?.[at] ?? null);
        return name === "liquidation_price" && value !== null && !isPositive(value) ? null : value;
      }),
    join: (parts) => parts[0] ?? lines.map(() => null),
  };
}
