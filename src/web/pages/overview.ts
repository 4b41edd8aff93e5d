import { html } from "hono/html";
import type { Steps } from "../../core/async/cooperate.ts";
import { escapeControlChars } from "../../core/text.ts";
import { shownMoney } from "../../output/shown.ts";
import { ledgerProofText } from "../../queries/ledger-proof.ts";
import type { HistoryRow } from "../../store/history.ts";
import { equity, type Total, type Totals, totals, walletColumns } from "../data/equity.ts";
import { allRows, type View } from "../data/table.ts";
import { chartHtml, equityViews, standardSpans } from "./parts/chart.ts";
import {
  ageHtml,
  amountFigure,
  type Html,
  instantFigure,
  lastKnownHtml,
  none,
  profitFigure,
  unknown,
} from "./parts/figure.ts";
import { layout } from "./parts/layout.ts";
import { linkTo, stickyParams } from "./parts/query-params.ts";
import { type CellRenderer, columnsFor, type ShownColumn, tableHtml } from "./parts/table.ts";

export function* overviewPage(view: View): Steps<Html> {
  const found = yield* totals(view);
  const rows = yield* allRows(equity, view);
  const days = linkTo("/days", stickyParams(view));
  return layout({
    title: "Overview",
    path: "/",
    ...(found.now.value === null ? {} : { figure: shownMoney(found.now.value) }),
    view,
    body: [
      headline(view, found),
      chartHtml({
        id: "equity-curve",
        title: "Equity, USDT",
        of: "equity",
        view,
        spans: standardSpans,
        views: equityViews,
        table: html`<p><a href="${days}">Daily values as a table</a></p>`,
      }),
      tableHtml({
        table: equity,
        view,
        caption: "Accounts",
        columns: columnsOf(view, rows),
        rows,
        empty: "No data collected yet.",
      }),
    ],
  });
}

function headline(view: View, { now, yesterday, change, lastKnown }: Totals): Html {
  const unit = html` <span class="unit">USDT</span>`;
  const last = lastKnown && lastKnownHtml(amountFigure(lastKnown.value, view), lastKnown.at, view);
  const isIncomplete = now.value === null && now.knownPart !== null;
  const value = now.value === null ? unknown(isIncomplete ? "incomplete" : "unknown") : amountFigure(now.value, view);
  return html`<section id="headline" data-live aria-label="Equity">
<p class="equity"><span class="label">Equity</span> ${isIncomplete ? value : (last ?? value)}${unit}</p>
${isIncomplete ? html`<p class="part"><span class="label">Partial equity</span> ${amountFigure(now.knownPart ?? "", view)}${unit}</p>` : ""}
${isIncomplete && last ? html`<p><span class="label">Last complete</span> ${last}${unit}</p>` : ""}
<p><span class="label">Today</span> ${changeHtml(change, lastKnown, view)}${unit}
${yesterday.value === null ? "" : html`<span class="aside">since 00:00 ${view.timezone}, from ${amountFigure(yesterday.value, view)}</span>`}</p>
${missing(now)}
${ledgerLine(view)}
${now.takenAt === null ? "" : html`<p class="aside">Updated ${instantFigure(now.takenAt, view.timezone)}, ${ageHtml(now.takenAt, view)}</p>`}
</section>`;
}

/** Returns the change, or the last known one with its age. */
function changeHtml(change: Totals["change"], last: Totals["lastKnown"], view: View): Html {
  if (change !== null) return profitFigure(change, view);
  return last?.change ? lastKnownHtml(profitFigure(last.change, view), last.at, view) : unknown();
}

/** Returns how much of the exchange's ledger is proven, with a link to its page; nothing for an instant in the past, or without a ledger. */
function ledgerLine(view: View): Html | "" {
  const { account, history, isNow } = view;
  const proofs = isNow ? history.ledgerProofs() : [];
  const text = ledgerProofText(proofs.filter((one) => account === null || one.account === account));
  const link = linkTo("/reconciliation", stickyParams(view));
  return text === null ? "" : html`<p class="aside">The exchange's ledger: <a href="${link}">${text}</a></p>`;
}

const missing = ({ missing }: Total): Html | "" =>
  missing.length === 0 ? "" : html`<ul class="missing">${missing.map((sentence) => html`<li>${sentence}</li>`)}</ul>`;

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
  return columnsFor(equity, view, names, {
    ...Object.fromEntries(optional),
    account: (row) => accountLink(row, view),
    state: (row, plain) => (row.last_known_at ? html`stale` : plain),
  });
}

/** Returns true if the equity of a row is complete, or was at last: then a wallet that it lacks does not exist. */
const isWhole = (row: HistoryRow): boolean =>
  row.state === "complete" || (Boolean(row.last_known_at) && row.usdt_equity !== null);

const accountLink = (row: HistoryRow, view: View): Html =>
  html`<a href="${linkTo("/", stickyParams({ ...view, account: String(row.account) }))}">${escapeControlChars(String(row.account))}</a>`;
