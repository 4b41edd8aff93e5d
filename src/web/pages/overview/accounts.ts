/** Renders the accounts on the overview. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { equity, walletColumns } from "../../data/equity.ts";
import type { View } from "../../data/table.ts";
import { type Html, none } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, placed, type ShownColumn, tableHtml } from "../parts/table.ts";

export const accountsHtml = (view: View, rows: readonly HistoryRow[]): Html =>
  tableHtml({
    table: equity,
    view,
    caption: "Accounts",
    columns: columnsOf(view, rows),
    rows,
    empty: "No data collected yet.",
  });

/** Returns the columns, with the wallets that any account has. A wallet missing from a complete account is "none", not unknown. */
function columnsOf(view: View, rows: readonly HistoryRow[]): ShownColumn[] {
  const wallets = walletColumns.map(({ name }) => name).filter((name) => rows.some((row) => row[name] !== null));
  const isIncomplete = rows.some((row) => row.state === "incomplete");
  const lists = ["unpriced", "missing"].filter((name) => rows.some((row) => row[name] !== null));
  const names = [
    "account",
    "state",
    "usdt_equity",
    ...(isIncomplete ? ["known_part"] : []),
    ...wallets,
    "change",
    "taken_at",
    ...lists,
  ];
  const noneWhereNull =
    (name: string): CellRenderer =>
    (row, plain) =>
      row[name] === null && (isWhole(row) || !wallets.includes(name)) ? none() : plain;
  const optional = [...wallets, ...lists, "known_part"].map((name) => [name, noneWhereNull(name)] as const);
  const shown = columnsFor(equity, view, names, {
    ...Object.fromEntries(optional),
    account: (row) => accountLink(row, view),
    state: (row, plain) => (row.last_known_at ? html`stale` : plain),
  });
  const renamed = shown.map((one) => (one.name === "change" ? { ...one, label: "Equity change today" } : one));
  return placed(renamed, places);
}

const places = { account: "lead", usdt_equity: "figure", state: "more", change: "detail" } as const;

/** Returns true if the equity of a row is complete, or was at last: then a wallet that it lacks does not exist. */
const isWhole = (row: HistoryRow): boolean =>
  row.state === "complete" || (Boolean(row.last_known_at) && row.usdt_equity !== null);

const accountLink = (row: HistoryRow, view: View): Html =>
  html`<a href="${linkTo("/", stickyParams({ ...view, account: String(row.account) }))}">${escapeControlChars(String(row.account))}</a>`;
