/** The page of balances: one table, of coins over all wallets or of the coins in each wallet. */
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { absolute, compare, decimalIn, isZero, sum } from "../../../core/decimal.ts";
import { walletLabel } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { balances } from "../../data/balances.ts";
import { type CoinTotals, coins, totalsOf } from "../../data/coins.ts";
import { allRows, type View } from "../../data/table.ts";
import { amountFigure, type Html, instantFigure, profitFigure, unknownMark } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { tableHtml } from "../parts/table.ts";
import { coinsNote } from "../parts/unknowns.ts";
import { coinColumns } from "./coins.ts";
import { walletColumns } from "./wallets.ts";

/** Coins worth less are hidden, unless `show` is all. USDT. */
const leastValue = "1";

export function* balancesPage(view: View): Steps<Html> {
  const { show = "", q = "", by = "coin" } = view.params;
  const kept = { show, q, by: view.params.by ?? "" };
  const found = yield* allRows(coins, view);
  const inWallets = yield* allRows(balances, view);
  const totals = totalsOf(found);
  // A wallet that was empty at last needs no row.
  const walletRows = inWallets.filter((row) => row.coin || !row.last_known_at);
  const all = by === "coin" ? found : walletRows;
  // What one wallet holds and another has borrowed may be small in sum only.
  const small = show === "all" ? [] : all.filter(isSmall);
  const rows = all.filter((row) => !small.includes(row));
  return layout({
    title: "Balances",
    path: "/balances",
    view,
    params: kept,
    body: html`${searchForm(view, kept)}
${switchHtml(view, kept, by)}
${tableHtml({
  table: by === "coin" ? coins : balances,
  view: { ...view, params: q ? { q } : {} },
  caption: `Balances by ${by}`,
  columns: by === "coin" ? coinColumns(view) : walletColumns(view, rows),
  rows,
  empty: q ? "No coin with this name is held." : "No balances, or no data collected yet.",
  ...(found.length > 1 ? { totals: totalCells(totals, found, view) } : {}),
  note: html`${updatedNote(inWallets, view)}${smallNote(small, by, view, kept)}${coinsNote("Without a price, and in no total", totals.unpriced)}${coinsNote("Price not known, and in no total", totals.unknown)}${unknownNote(inWallets)}`,
})}`,
  });
}

/** Returns whether a coin is worth less than is shown; one without a price is not. */
function isSmall(row: HistoryRow): boolean {
  const [value, total] = [decimalIn(row, "usdt_value"), decimalIn(row, "total")];
  if (value === null) return total !== null && isZero(total);
  return compare(absolute(value), leastValue) < 0;
}

const searchForm = (view: View, { q, ...kept }: Record<string, string>): Html =>
  html`<form action="${linkTo("/balances")}" class="filter" role="search" aria-label="Coins">
${Object.entries({ ...stickyParams(view), ...kept }).map(([name, value]) => (value ? html`<input type="hidden" name="${name}" value="${value}">` : ""))}
<label>Coin <input type="search" name="q" value="${q}" maxlength="32" size="12"></label>
<button>Search</button>
</form>`;

const switchHtml = (view: View, kept: Record<string, string>, by: string): Html =>
  html`<div class="spans" role="group" aria-label="Rows">${["coin", "wallet"].map(
    (one) =>
      html`<a href="${linkTo("/balances", stickyParams(view), kept, { by: one === "coin" ? null : one })}"${one === by ? html` aria-current="true"` : ""}>By ${one}</a>`,
  )}</div>`;

/** Says when the balances were read. */
function updatedNote(inWallets: readonly HistoryRow[], { timezone }: View): Html | "" {
  const times = inWallets.flatMap(({ coin, taken_at: at }) => (coin && at ? [String(at)] : [])).sort();
  const [first, last] = [times.at(0), times.at(-1)];
  if (first === undefined || last === undefined) return "";
  return html`<p class="note">Updated ${instantFigure(first, timezone)}${first.slice(0, 19) === last.slice(0, 19) ? "" : html` to ${instantFigure(last, timezone)}`}</p>`;
}

/** Says what is hidden because it is worth little. */
function smallNote(small: readonly HistoryRow[], by: string, view: View, kept: Record<string, string>): Html | "" {
  const link = (show: string | null) => linkTo("/balances", stickyParams(view), kept, { show });
  if (kept.show === "all") return html`<p class="note"><a href="${link(null)}">Hide coins under 1 USDT</a></p>`;
  if (small.length === 0) return "";
  const worth = sum(small.map((row) => decimalIn(row, "usdt_value") ?? "0"));
  return html`<p class="note">${by === "coin" ? countText(small.length) : small.length === 1 ? "1 balance" : `${small.length} balances`} under 1 USDT hidden, ${amountFigure(worth, view)} USDT together. <a href="${link("all")}">Show all</a></p>`;
}

/** Names the wallets whose balances are unknown. */
function unknownNote(inWallets: readonly HistoryRow[]): Html | "" {
  const names = inWallets
    .filter((row) => !row.coin && !row.last_known_at)
    .map(({ account, wallet }) => `${walletLabel(String(wallet))} of ${account}`);
  return names.length > 0 ? html`<p class="note">No recent data, and in no total: ${names.join(", ")}</p>` : "";
}

const countText = (count: number): string => (count === 1 ? "1 coin" : `${count} coins`);

function totalCells(
  { value, change, result, unpriced, unknown }: CoinTotals,
  found: readonly HistoryRow[],
  view: View,
): Record<string, Html> {
  // A sum of last known values is neither a gain nor a loss now.
  const isOld = found.some((row) => row.last_known_at);
  return {
    coin: html`${countText(found.length)}${unpriced.length > 0 ? html` <small>${countText(unpriced.length)} without price</small>` : ""}${unknown.length > 0 ? html` <small>${countText(unknown.length)} of unknown price</small>` : ""}`,
    usdt_value: amountFigure(value, view),
    change: change === null ? unknownMark() : html`<small>worth ${amountFigure(change, view)} USDT</small>`,
    usdt_result:
      result === null
        ? unknownMark()
        : html`<span${isOld ? html` class="last-known"` : ""}>${profitFigure(result, view)}</span>`,
  };
}
