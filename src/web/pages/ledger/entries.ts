import type { Context } from "hono";
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { escapeControlChars } from "../../../core/text.ts";
import { walletLabel, withCodeNamed } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { entriesFrom, ledger } from "../../data/ledger/entries.ts";
import { countVerdicts, stretchesOf } from "../../data/ledger/reconciliation.ts";
import { allRows, type View } from "../../data/table.ts";
import { badRequest, notFound } from "../../site.ts";
import { type Html, none, unknown } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { integerParam, linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";
import { countsText, verdictCells, verdictHtml } from "./verdict.ts";

const pageRows = 100;
const maxPage = 1_000_000;

/** Renders the entries of one coin in one wallet, a page at a time. */
export function* ledgerPage(view: View, c: Context): Steps<Html> {
  const { wallet, coin } = view.params;
  if (view.account === null || !wallet || !coin) throw badRequest('"/ledger" needs account, wallet and coin.');
  const page = integerParam(c, "page", 1, maxPage, 1);
  const rows = yield* allRows({ ...ledger, rows: () => entriesFrom(view, (page - 1) * pageRows) }, view, pageRows + 1);
  const stretches = stretchesOf(view);
  if (rows.length === 0 && stretches.length === 0 && page === 1)
    throw notFound(`No entry of ${coin} in the wallet ${wallet} of ${view.account} was recorded by then.`);
  const hasVersions = rows.some(({ version }) => Number(version) > 0);
  const names = ledger.columns.map(({ name }) => name).filter((name) => name !== "version" || hasVersions);
  const params = { account: view.account, wallet, coin };
  return layout({
    title: `Ledger of ${coin}, ${walletLabel(wallet)}, ${view.account}`,
    path: "/ledger",
    section: "/balances",
    view,
    params,
    body: [
      summaryHtml(view, stretches),
      tableHtml({
        table: ledger,
        view,
        caption: page === 1 ? "Entries" : `Entries, page ${page}`,
        columns: columnsFor(ledger, view, names, entryCells),
        rows: rows.slice(0, pageRows),
        empty: page === 1 ? "The exchange's ledger has no entries here." : "No further entries.",
      }),
      pagesHtml(page, rows.length > pageRows, (number) =>
        linkTo("/ledger", stickyParams(view), params, { page: number }),
      ),
    ],
  });
}

/** Shows a dash where an entry has no such part: that is a fact, unlike a change that is unknown. */
const dash: (name: string) => CellRenderer = (name) => (row, plain) => (row[name] === null ? none("–") : plain);

const entryCells: Record<string, CellRenderer> = {
  ...verdictCells,
  type: (row, plain) => (row.type === "" ? none("no type") : plain),
  fee: dash("fee"),
  symbol: dash("symbol"),
  order_id: dash("order_id"),
};

function summaryHtml(view: View, stretches: readonly HistoryRow[]): Html {
  const { account, params } = view;
  const { wallet, coin } = params;
  const kept = [stickyParams(view), { account, wallet, coin }] as const;
  const last = stretches.at(-1);
  return html`<section id="verdict" data-live aria-label="Reconciliation"><p class="key">
${last ? html`${verdictHtml(last.verdict)} ${last.cause === null ? "" : escapeControlChars(withCodeNamed(String(last.cause)))}` : unknown("Not reconciled")}${last && !view.isNow ? html` <small>(as judged now)</small>` : ""}
${countVerdicts(stretches).length > 0 ? html`· <a href="${linkTo("/reconciliation", ...kept)}">${countsText(stretches)}</a>` : ""}
· <a href="${linkTo("/coin", ...kept)}">Snapshots of ${escapeControlChars(coin ?? "")}</a>
</p></section>`;
}

function pagesHtml(page: number, hasMore: boolean, address: (page: number) => string): Html {
  if (page === 1 && !hasMore) return html``;
  return html`<div role="navigation" class="key" aria-label="Pages of entries">
${page > 1 ? html`<a href="${address(page - 1)}" rel="prev">Newer entries</a>` : ""}
${hasMore ? html`<a href="${address(page + 1)}" rel="next">Older entries</a>` : ""}
</div>`;
}
