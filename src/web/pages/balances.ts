import { html } from "hono/html";
import type { Steps } from "../../core/async/cooperate.ts";
import { visible } from "../../core/text.ts";
import type { HeldRow } from "../../queries/close.ts";
import { balances } from "../data/balances.ts";
import { allRows, type View } from "../data/table.ts";
import { type Html, none, unknown } from "./parts/figure.ts";
import { layout } from "./parts/layout.ts";
import { addressOf, lasting } from "./parts/query-params.ts";
import { type Shown, shownAs, tableHtml } from "./parts/table.ts";

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
  const columns = shownAs(balances, view, shown).map((column, at): Shown => {
    const name = shown[at];
    if (name === "coin") return { ...column, cell: (row) => coinLink(row, view) };
    // What a wallet's answer has no word for.
    if (name === "frozen" || name === "locked")
      return { ...column, cell: (row) => notTold(row, name) ?? column.cell(row) };
    return column;
  });
  return layout({
    title: "Balances",
    path: "/balances",
    view,
    body: tableHtml({
      table: balances,
      view,
      caption: "What every wallet holds",
      columns,
      rows,
      empty: "Nothing is held, or nothing was collected yet.",
    }),
  });
}

const notTold = (row: HeldRow, name: string): Html | null =>
  row.total && row[name] === null ? none("not told") : null;

const coinLink = ({ account, wallet, coin }: HeldRow, view: View): Html =>
  coin === undefined || coin === null
    ? unknown("the whole wallet is unknown")
    : html`<a href="${addressOf("/coin", lasting({ account: String(account), at: view.isNow ? null : view.at }), { wallet, coin })}">${visible(String(coin))}</a>`;
