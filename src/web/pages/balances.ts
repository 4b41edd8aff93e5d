import { html } from "hono/html";
import type { Steps } from "../../core/async/cooperate.ts";
import { escapeControlChars } from "../../core/text.ts";
import type { HistoryRow } from "../../store/history.ts";
import { balances } from "../data/balances.ts";
import { allRows, type View } from "../data/table.ts";
import { type Html, none, unknown } from "./parts/figure.ts";
import { walletLabel } from "./parts/labels.ts";
import { layout } from "./parts/layout.ts";
import { linkTo, stickyParams } from "./parts/query-params.ts";
import { type CellRenderer, columnsFor, tableHtml } from "./parts/table.ts";

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
  const rows = yield* allRows(balances, view);
  const accounts = new Set(rows.map(({ account }) => account));
  const shown = names.filter((name) => name !== "account" || accounts.size > 1);
  return layout({
    title: "Balances",
    path: "/balances",
    view,
    body: tableHtml({
      table: balances,
      view,
      caption: "Balances by wallet",
      columns: columnsFor(balances, view, shown, {
        coin: (row) => coinLink(row, view),
        wallet: ({ wallet }) => html`${walletLabel(String(wallet))}`,
        frozen: dashWhereNull("frozen"),
        locked: dashWhereNull("locked"),
      }),
      rows,
      empty: "No balances, or no data collected yet.",
    }),
  });
}

/** Returns a renderer that shows a dash where the response of a known wallet does not contain the amount. */
const dashWhereNull =
  (name: string): CellRenderer =>
  (row, plain) =>
    row.total && row[name] === null ? none("–", "not reported for this wallet") : plain;

const coinLink = ({ account, wallet, coin }: HistoryRow, view: View): Html =>
  coin === undefined || coin === null
    ? unknown("No recent data")
    : html`<a href="${linkTo("/coin", stickyParams({ ...view, account: String(account) }), { wallet, coin })}">${escapeControlChars(String(coin))}</a>`;
