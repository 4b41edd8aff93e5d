/** The columns of what is held of each coin in each wallet. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import { walletLabel } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { balances } from "../../data/balances.ts";
import { stretchesOf } from "../../data/ledger/reconciliation.ts";
import type { View } from "../../data/table.ts";
import { ledgerLink, verdictHtml } from "../ledger/verdict.ts";
import { type Html, none, unknown } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, placed, type ShownColumn } from "../parts/table.ts";

const names = ["coin", "wallet", "total", "usdt_value", "change", "usdt_price", "available", "frozen", "locked"];

const places = {
  ...({ coin: "lead", usdt_value: "figure", total: "more", wallet: "detail" } as const),
  ...({ available: "wide", frozen: "wide", locked: "wide" } as const),
};

export function walletColumns(view: View, rows: readonly HistoryRow[]): ShownColumn[] {
  const accounts = new Set(rows.map(({ account }) => account));
  const shown = columnsFor(balances, view, names, {
    coin: (row) => coinLink(row, view),
    // Beside the wallet, so that a narrow window has it too.
    wallet: ({ wallet, account }) =>
      html`${walletLabel(String(wallet))}${accounts.size > 1 ? html` <small>${account}</small>` : ""}`,
    usdt_value: dashWithoutPrice,
    usdt_price: dashWithoutPrice,
    frozen: dashWhereNull("frozen"),
    locked: dashWhereNull("locked"),
  });
  const ledger = ledgerColumn(view);
  return [...placed(shown, places), ...(ledger ? [ledger] : [])];
}

/** Shows a dash where the coin is known to have no price; where its price is unknown, so is its value. */
export const dashWithoutPrice: CellRenderer = (row, plain) =>
  row.price_state === "none" ? none("–", "no price in USDT") : plain;

/** Returns a renderer that shows a dash where the response of a known wallet does not contain the amount. */
export const dashWhereNull =
  (name: string): CellRenderer =>
  (row, plain) =>
    row.total && (row[name] ?? null) === null ? none("–", "not reported for this wallet") : plain;

/** Returns the column with the verdict of the newest stretch of each balance, a link to its entries; null if nothing was reconciled. */
function ledgerColumn(view: View): ShownColumn | null {
  const key = ({ account, wallet, coin }: HistoryRow) => `${account} ${wallet} ${String(coin).toUpperCase()}`;
  const last = new Map(stretchesOf({ ...view, params: {} }).map((stretch) => [key(stretch), stretch]));
  if (last.size === 0) return null;
  return {
    label: view.isNow ? "Ledger" : "Ledger now",
    isNumber: false,
    cell: (row) => (row.coin ? ledgerLink(row, view, verdictHtml(last.get(key(row))?.verdict)) : none("–")),
  };
}

const coinLink = ({ account, wallet, coin }: HistoryRow, view: View): Html =>
  coin === undefined || coin === null
    ? unknown("No recent data")
    : html`<a href="${linkTo("/coin", stickyParams({ ...view, account: String(account) }), { wallet, coin })}">${escapeControlChars(String(coin))}</a>`;
