/** Renders what is held of each coin in all wallets. */
import { html } from "hono/html";
import { absolute, compare, decimalIn, isZero, sum } from "../../../core/decimal.ts";
import { escapeControlChars } from "../../../core/text.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { coins, totalsOf } from "../../data/coins.ts";
import type { View } from "../../data/table.ts";
import { amountFigure, type Html, none, profitFigure, shareFigure, unknown } from "../parts/figure.ts";
import { walletLabel } from "../parts/labels.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { columnsFor, placed, type ShownColumn, tableHtml } from "../parts/table.ts";

const names = [
  "coin",
  "total",
  "usdt_value",
  "share",
  "usdt_price",
  "price_change",
  "change",
  "usdt_result",
  "wallets",
];

const places = { coin: "lead", usdt_value: "figure", total: "more", usdt_result: "detail" } as const;

/** Coins worth less are hidden, unless `show` is all. USDT. */
const leastValue = "1";

export function coinsHtml(view: View, all: readonly HistoryRow[], kept: Readonly<Record<string, string>>): Html {
  const { show, q = "" } = view.params;
  const found = all.filter((row) => String(row.coin).toLowerCase().includes(q.toLowerCase()));
  const small = show === "all" ? [] : found.filter(isSmall);
  const rows = found.filter((row) => !small.includes(row));
  const worth = sum(small.map((row) => decimalIn(row, "usdt_value") ?? "0"));
  const totals = totalsOf(found);
  const allLink = linkTo("/balances", stickyParams(view), kept, { show: "all" });
  const fewLink = linkTo("/balances", stickyParams(view), kept, { show: null });
  const hidden = html`<p class="note">${countText(small.length)} under 1 USDT hidden, ${amountFigure(worth, view)} USDT together. <a href="${allLink}">Show all</a></p>`;
  return html`<form action="${linkTo("/balances")}" class="filter" role="search" aria-label="Coins">
${Object.entries({ ...stickyParams(view), show }).map(([name, value]) => (value ? html`<input type="hidden" name="${name}" value="${value}">` : ""))}
<label>Coin <input type="search" name="q" value="${q}" maxlength="32" size="12"></label>
<button>Search</button>
</form>
${tableHtml({
  table: coins,
  view: { ...view, params: {} },
  caption: "Balances by coin",
  columns: columnsOf(view),
  rows,
  empty: q ? "No coin with this name is held." : "No balances, or no data collected yet.",
  ...(rows.length > 1 ? { totals: totalCells(totals, found, view) } : {}),
  note: html`${small.length > 0 ? hidden : show === "all" ? html`<p class="note"><a href="${fewLink}">Hide coins under 1 USDT</a></p>` : ""}${totals.unpriced.length > 0 ? html`<p class="note">Without a price, and in no total: ${totals.unpriced.map(escapeControlChars).join(", ")}</p>` : ""}`,
})}`;
}

/** Returns whether a coin is worth less than is shown; one without a price is not. */
function isSmall(row: HistoryRow): boolean {
  const [value, total] = [decimalIn(row, "usdt_value"), decimalIn(row, "total")];
  if (value === null) return total !== null && isZero(total);
  return compare(absolute(value), leastValue) < 0;
}

function columnsOf(view: View): ShownColumn[] {
  const shown = columnsFor(coins, view, names, {
    coin: (row) =>
      html`<a href="${linkTo("/balances", stickyParams(view), { q: row.coin, show: "all" })}#balances">${escapeControlChars(String(row.coin))}</a>`,
    usdt_price: (row, plain) => (row.usdt_price === null ? none("–", "no price is known") : plain),
    usdt_value: (row, plain) => (row.usdt_price === null ? none("–", "no price is known") : plain),
    share: (row, plain) =>
      row.share === null
        ? none("–")
        : html`<progress max="1" value="${row.share}" aria-hidden="true"></progress> ${plain}`,
    price_change: (row) => signedShare(row, view),
    usdt_result: (row, plain) => (row.usdt_price === null ? none("–", "no price is known") : plain),
    wallets: (row) => html`<small>${String(row.wallets).split(", ").map(walletLabel).join(", ")}</small>`,
  });
  return placed(shown, places);
}

function signedShare(row: HistoryRow, view: View): Html {
  const moved = decimalIn(row, "price_change");
  if (row.coin === "USDT" || row.usdt_price === null) return none("–");
  if (moved === null) return unknown();
  return html`${compare(moved, "0") > 0 ? "+" : ""}${shareFigure(moved, view)}`;
}

const countText = (count: number): string => (count === 1 ? "1 coin" : `${count} coins`);

function totalCells(
  { value, change, result, unpriced }: ReturnType<typeof totalsOf>,
  rows: readonly HistoryRow[],
  view: View,
): Record<string, Html> {
  // A sum of last known values is neither a gain nor a loss now.
  const isOld = rows.some((row) => row.last_known_at);
  return {
    coin: html`${countText(rows.length)}${unpriced.length > 0 ? html` <small>${countText(unpriced.length)} without price</small>` : ""}`,
    usdt_value: amountFigure(value, view),
    change: change === null ? unknown() : html`<small>worth ${amountFigure(change, view)} USDT</small>`,
    usdt_result:
      result === null
        ? unknown()
        : html`<span${isOld ? html` class="last-known"` : ""}>${profitFigure(result, view)}</span>`,
  };
}
