import { html } from "hono/html";
import type { Steps } from "../../core/async/cooperate.ts";
import { walletLabel } from "../../output/labels.ts";
import { coinSource } from "../curves/sources.ts";
import { coin } from "../data/coin.ts";
import { stretchesOf } from "../data/ledger/reconciliation.ts";
import { allRows, type View } from "../data/table.ts";
import { badRequest, notFound } from "../site.ts";
import { dashWhereNull } from "./balances/wallets.ts";
import { ledgerLink } from "./ledger/verdict.ts";
import { chartHtml } from "./parts/chart.ts";
import { standardSpans } from "./parts/chart-views.ts";
import type { Html } from "./parts/figure.ts";
import { layout } from "./parts/layout.ts";
import { columnsFor, tableHtml } from "./parts/table.ts";

const maxRows = 100;

export function* coinPage(view: View): Steps<Html> {
  const { wallet, coin: name } = view.params;
  if (view.account === null || !wallet || !name) throw badRequest('"/coin" needs account, wallet and coin.');
  if (coinSource(view).items.length === 0)
    throw notFound(`No balance of ${name} in the wallet ${wallet} of ${view.account} was ever recorded.`);
  const rows = yield* allRows(coin, view, maxRows + 1);
  return layout({
    title: `${name}, ${walletLabel(wallet)}, ${view.account}`,
    path: "/coin",
    section: "/balances",
    view,
    params: { account: view.account, wallet, coin: name },
    body: [
      ...(stretchesOf(view).length > 0
        ? [
            html`<p class="key">${ledgerLink({ account: view.account, wallet, coin: name }, view, html`The exchange's ledger of it`)}</p>`,
          ]
        : []),
      chartHtml({ id: "coin-curve", title: `${name} balance`, of: "coin", view, spans: standardSpans }),
      tableHtml({
        table: coin,
        view,
        caption: "History",
        columns: columnsFor(coin, view, undefined, {
          frozen: dashWhereNull("frozen"),
          locked: dashWhereNull("locked"),
        }),
        rows,
        empty: "No balance history.",
        maxRows: maxRows,
      }),
    ],
  });
}
