import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { escapeControlChars } from "../../../core/text.ts";
import { walletLabel } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { countVerdicts, reconciliation, stretchesOf } from "../../data/ledger/reconciliation.ts";
import { allRows, type View } from "../../data/table.ts";
import { invalidParam } from "../../site.ts";
import { type Html, none } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, placed, tableHtml } from "../parts/table.ts";
import { findingsIn } from "./outages.ts";
import { ledgerLink, verdictCells, verdictHtml } from "./verdict.ts";

const maxRows = 200;

/** The ends of a stretch stand in one column, as do coin, wallet and account, so that more of the table fits. */
const labels: Readonly<Record<string, string>> = { from_at: "From / to", opening: "Opening / closing" };
const columns = reconciliation.columns.map((one) => ({ ...one, label: labels[one.name] ?? one.label }));
const shown = { ...reconciliation, columns };
const names = ["coin", "verdict", "cause", "residual", "from_at", "opening", "change", "entries"];

const places = { coin: "lead", verdict: "figure", from_at: "more", residual: "detail", entries: "wide" } as const;

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
  const findings = findingsIn(rows);
  const stretchesIn = new Map(findings.map(({ row, stretches }) => [row, stretches]));
  const isOne = (row: HistoryRow) => stretchesIn.get(row)?.length === 1;
  const under = (name: string): CellRenderer => {
    const [column] = columnsFor(reconciliation, view, [name]);
    return (row, plain) => html`${plain}<br> ${column?.cell(row) ?? ""}`;
  };
  const ofOne =
    (cell: CellRenderer): CellRenderer =>
    (row, plain) =>
      isOne(row) ? cell(row, plain) : none("–");
  const ofAccount = (row: HistoryRow) => (accounts.size > 1 ? html` <small>${row.account}</small>` : "");
  const coinCell: CellRenderer = (row) => {
    const stretches = stretchesIn.get(row) ?? [];
    const named = stretches.map(
      (one) =>
        html`${ledgerLink(one, view, html`${escapeControlChars(String(one.coin))}`)} <small>${walletLabel(String(one.wallet))}</small>`,
    );
    if (isOne(row)) return html`${named}${ofAccount(row)}`;
    return html`<details><summary>${named.length} balances${ofAccount(row)}</summary>${named.map((one) => html`${one}<br>`)}</details>`;
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
        columns: placed(
          columnsFor(shown, view, names, {
            ...verdictCells,
            coin: coinCell,
            from_at: under("to_at"),
            residual: ofOne((_, plain) => plain),
            opening: ofOne(under("closing")),
            change: ofOne((_, plain) => plain),
            entries: ofOne((_, plain) => plain),
          }),
          places,
        ),
        rows: findings.slice(0, maxRows).map(({ row }) => row),
        empty: coin ? `No stretches of ${coin}.` : "No stretches. They appear after the first run of bills.",
      }),
      html`${findings.length > maxRows ? html`<p class="note">First ${maxRows} of ${findings.length} rows; the CSV contains all.</p>` : ""}`,
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
${countVerdicts(stretchesOf(view)).map(([name, count]) => html`${link(name, html`${verdictHtml(name)} ${count}`)} `)}</div>`;
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
