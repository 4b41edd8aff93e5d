import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { escapeControlChars } from "../../../core/text.ts";
import { walletLabel } from "../../../output/labels.ts";
import { countVerdicts, reconciliation, stretchesOf } from "../../data/ledger/reconciliation.ts";
import { allRows, type View } from "../../data/table.ts";
import { invalidParam } from "../../site.ts";
import type { Html } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";
import { ledgerLink, verdictCells, verdictHtml } from "./verdict.ts";

const maxRows = 200;

/** The ends of a stretch stand in one column, so that more of the table fits. */
const labels: Readonly<Record<string, string>> = { from_at: "From / to", opening: "Opening / closing" };
const columns = reconciliation.columns.map((one) => ({ ...one, label: labels[one.name] ?? one.label }));
const shown = { ...reconciliation, columns };

/** Renders what the exchange's ledger proves: stretches with their verdicts, breaks first. */
export function* reconciliationPage(view: View): Steps<Html> {
  const wallets = walletsOf(view);
  const { wallet, coin } = view.params;
  if (wallet !== undefined && !wallets.includes(wallet))
    throw invalidParam(
      "wallet",
      wallet,
      wallets.length > 0 ? `one of ${wallets.join(", ")}` : "empty: there is no ledger",
    );
  const rows = yield* allRows(reconciliation, view);
  const accounts = new Set(rows.map(({ account }) => account));
  const names = reconciliation.columns
    .map(({ name }) => name)
    .filter((name) => (name !== "account" || accounts.size > 1) && !["to_at", "closing"].includes(name));
  const under = (name: string): CellRenderer => {
    const [column] = columnsFor(reconciliation, view, [name]);
    return (row, plain) => html`${plain}<br>${column?.cell(row) ?? ""}`;
  };
  return layout({
    title: "Reconciliation",
    path: "/reconciliation",
    section: "/collection",
    view,
    params: view.params,
    body: [
      filterForm(view, wallets),
      verdictLinks(view),
      tableHtml({
        table: reconciliation,
        view,
        caption: `Stretches of the exchange's ledger${view.isNow ? "" : ", as judged now"}`,
        columns: columnsFor(shown, view, names, {
          ...verdictCells,
          from_at: under("to_at"),
          opening: under("closing"),
          wallet: ({ wallet: name }) => html`${walletLabel(String(name))}`,
          coin: (row) => ledgerLink(row, view, html`${escapeControlChars(String(row.coin))}`),
        }),
        rows: rows.slice(0, maxRows),
        empty: coin ? `No stretches of ${coin}.` : "No stretches. They appear after the first run of bills.",
      }),
      html`${rows.length > maxRows ? html`<p class="note">First ${maxRows} of ${rows.length} rows; the CSV contains all.</p>` : ""}`,
    ],
  });
}

/** Returns the wallets that have a ledger. */
const walletsOf = (view: View): string[] => [
  ...new Set(stretchesOf({ ...view, params: {} }).map((row) => String(row.wallet))),
];

/** Renders links that select a verdict; they keep the rest of the address. */
function verdictLinks(view: View): Html {
  const { wallet, coin, verdict } = view.params;
  const link = (name: string | undefined, label: Html) =>
    html`<a href="${linkTo("/reconciliation", stickyParams(view), { wallet, coin, verdict: name })}"${name === verdict ? html` aria-current="true"` : ""}>${label}</a>`;
  return html`<div role="navigation" id="verdicts" data-live class="key" aria-label="Verdicts">${link(undefined, html`All`)}
${countVerdicts(stretchesOf(view)).map(([name, count]) => link(name, html`${verdictHtml(name)} ${count}`))}</div>`;
}

/** Returns the form that selects wallet and coin; it works without JavaScript. */
function filterForm(view: View, wallets: readonly string[]): Html {
  const { wallet, coin, verdict } = view.params;
  return html`<form action="${linkTo("/reconciliation")}" class="choice">
${Object.entries({ ...stickyParams(view), verdict }).map(([name, value]) => (value ? html`<input type="hidden" name="${name}" value="${value}">` : ""))}
<label>Wallet <select name="wallet"><option value="">All wallets</option>
${wallets.map((name) => html`<option value="${name}"${name === wallet ? html` selected` : ""}>${walletLabel(name)}</option>`)}</select></label>
<label>Coin <input name="coin" size="8" value="${coin ?? ""}"></label>
<button>Filter</button>
</form>`;
}
