import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { escapeControlChars } from "../../../core/text.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { balances } from "../../data/balances.ts";
import { coins } from "../../data/coins.ts";
import { stretchesOf } from "../../data/ledger/reconciliation.ts";
import { allRows, type View } from "../../data/table.ts";
import { ledgerLink, verdictHtml } from "../ledger/verdict.ts";
import { type Html, none, unknown } from "../parts/figure.ts";
import { walletLabel } from "../parts/labels.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, placed, type ShownColumn, tableHtml } from "../parts/table.ts";
import { coinsHtml } from "./coins.ts";

const names = [
  "coin",
  "wallet",
  "account",
  "total",
  "usdt_value",
  "change",
  "usdt_price",
  "available",
  "frozen",
  "locked",
  "taken_at",
];

export function* balancesPage(view: View): Steps<Html> {
  const rows = (yield* allRows(balances, view)).filter((row) => isShown(row, view));
  const accounts = new Set(rows.map(({ account }) => account));
  const shown = names.filter((name) => name !== "account" || accounts.size > 1);
  const ledger = ledgerColumn(view);
  const kept = Object.fromEntries(Object.entries(view.params).filter(([name]) => ["q", "show"].includes(name)));
  return layout({
    title: "Balances",
    path: "/balances",
    view,
    params: kept,
    body: html`${coinsHtml(view, yield* allRows(coins, view), kept)}
${tableHtml({
  table: balances,
  view,
  caption: "Balances by wallet",
  columns: [
    ...placed(
      columnsFor(balances, view, shown, {
        coin: (row) => coinLink(row, view),
        wallet: ({ wallet }) => html`${walletLabel(String(wallet))}`,
        frozen: dashWhereNull("frozen"),
        locked: dashWhereNull("locked"),
      }),
      places,
    ),
    ...(ledger ? [ledger] : []),
  ],
  rows,
  empty: "No balances, or no data collected yet.",
})}`,
  });
}

const places = { coin: "lead", usdt_value: "figure", total: "more", wallet: "detail" } as const;

/** Returns whether a row is of a coin that is searched for. A wallet that was empty at last needs no row. */
const isShown = (row: HistoryRow, { params: { q = "" } }: View): boolean =>
  row.coin ? String(row.coin).toLowerCase().includes(q.toLowerCase()) : !row.last_known_at;

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
    label: "Ledger",
    isNumber: false,
    cell: (row) => (row.coin ? ledgerLink(row, view, verdictHtml(last.get(key(row))?.verdict)) : none("–")),
  };
}

const coinLink = ({ account, wallet, coin }: HistoryRow, view: View): Html =>
  coin === undefined || coin === null
    ? unknown("No recent data")
    : html`<a href="${linkTo("/coin", stickyParams({ ...view, account: String(account) }), { wallet, coin })}">${escapeControlChars(String(coin))}</a>`;
