import type { Context } from "hono";
import { html } from "hono/html";
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { type Cell, cellText } from "../../../core/domain.ts";
import { escapeControlChars } from "../../../core/text.ts";
import { periodsOf } from "../../../queries/periods.ts";
import { formats } from "../../../reports/formats/index.ts";
import { reports } from "../../../reports/index.ts";
import { beginOf, headerOf, type Report } from "../../../reports/report.ts";
import { fileName } from "../../../reports/statement/books.ts";
import { monthText } from "../../../reports/statement/document.ts";
import type { View } from "../../data/table.ts";
import { badRequest, type Site } from "../../site.ts";
import type { Html } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams, textParam } from "../parts/query-params.ts";
import { type Choice, parseChoice, spanOf } from "./choice.ts";
import { filesByMonth, type ReportFile } from "./files.ts";

const previewRows = 5;

/** Months that are listed before the rest is folded. */
const shownMonths = 6;

/** Renders the page of the reports: the books of each month, and a card per report. */
export const reportsPage = (site: Site) =>
  function* (view: View, c: Context): Steps<Html> {
    const choice = parseChoice(c, site);
    const previewed = textParam(c, "preview");
    if (previewed !== null && !reports.some(({ name }) => name === previewed))
      throw badRequest(`"preview" must be one of ${reports.map(({ name }) => name).join(", ")}.`);
    const now = site.now();
    const months = monthsOf(view, choice.timezone, now);
    const cards: Html[] = [];
    for (const report of reports) {
      const isPreviewed = report.name === previewed;
      cards.push(cardHtml(report, view, choice, isPreviewed ? yield* previewOf(report, view, choice, now) : null));
    }
    return layout({
      title: "Reports",
      path: "/reports",
      view,
      params: choice.params,
      body: [
        booksHtml(view, choice, months, filesByMonth(site.reportsDirectory)),
        formHtml(view, choice, months),
        ...cards,
      ],
    });
  };

/** Returns the months since the first run or the first record, the newest first. */
function monthsOf({ history }: View, timezone: string, now: number): string[] {
  const from = beginOf({ ofRecords: true }, history, 0) ?? now;
  return [...periodsOf({ timezone, by: "month", from, to: now + 1 })].map(({ name }) => name).reverse();
}

function booksHtml(view: View, choice: Choice, months: readonly string[], files: Map<string, ReportFile[]>): Html {
  const accounts = view.account === null ? view.history.accounts() : [view.account];
  const row = (month: string) => monthHtml(month, { view, choice, accounts, files: files.get(month) ?? [] });
  const [shown, older] = [months.slice(0, shownMonths), months.slice(shownMonths)];
  return html`<section class="months" aria-labelledby="books"><h2 id="books">Books by month</h2>
<p class="note">One ZIP file: balances, equity, profit, ledger, coverage, reconciliation and a statement of each account.</p>
<ul>${shown.map(row)}</ul>
${older.length > 0 ? html`<details><summary>Earlier months</summary><ul>${older.map(row)}</ul></details>` : ""}
</section>`;
}

interface MonthParts {
  view: View;
  choice: Choice;
  accounts: readonly string[];
  files: readonly ReportFile[];
}

function monthHtml(month: string, { view, choice, accounts, files }: MonthParts): Html {
  const text = monthText(month);
  const { account } = view;
  const { zone } = choice.params;
  const name = `books-${account === null ? "" : `${fileName(account)}-`}${month}.zip`;
  return html`<li><a href="${linkTo(`/reports/books-${month}.zip`, { account, zone })}" download="${name}">Books of ${text}</a>
${accounts.map((one) => html` <a href="${linkTo("/statement", stickyParams(view), { account: one, month, zone })}">Statement of ${escapeControlChars(one)}<span class="unseen"> for ${text}</span></a>`)}
${
  files.length > 0
    ? html`<details><summary>${files.length} daily files<span class="unseen"> of ${text}</span></summary><ul>${files.map(({ name }) => html`<li><a href="reports/files/${name}" download>${name}</a></li>`)}</ul></details>`
    : ""
}</li>`;
}

/** Returns the form that chooses span, zone and rows; it works without JavaScript. */
function formHtml(view: View, { span, timezone, by, params }: Choice, months: readonly string[]): Html {
  const years = [...new Set(months.map((month) => month.slice(0, 4)))];
  const option = (value: string, text: string) =>
    html`<option value="${value}"${value === span ? html` selected` : ""}>${text}</option>`;
  return html`<form action="reports" class="choice" id="choice" aria-label="Span of the reports">
${Object.entries(stickyParams(view)).map(([name, value]) => (value && name !== "at" ? html`<input type="hidden" name="${name}" value="${value}">` : ""))}
<label>Span <select name="span">${span === "custom" ? option("", "Dates below") : ""}${months.map((month) => option(month, monthText(month)))}${years.map((year) => option(year, `All of ${year}`))}</select></label>
<label>or from <input type="date" name="from" value="${params.from ?? ""}"></label>
<label>to <input type="date" name="to" value="${params.to ?? ""}"></label>
<label>Rows by <select name="by"><option value="">the report's own</option>${["day", "month"].map((step) => html`<option${step === by ? html` selected` : ""}>${step}</option>`)}</select></label>
<label>Time zone <input name="zone" size="16" value="${timezone}"></label>
<button>Choose</button>
</form>`;
}

/** The first rows of a report. */
interface Preview {
  header: string[];
  rows: Cell[][];
}

function* previewOf(report: Report, { history, account }: View, choice: Choice, now: number): Steps<Preview> {
  const first = beginOf(report, history, choice.from) ?? now;
  const span = spanOf(choice, report.by ?? "day", { first, now });
  const rows: Cell[][] = [];
  const reading = report.rows({ history, account, now }, span);
  for (const row of reading) {
    if (row !== pause) rows.push(row);
    if (rows.length === previewRows) break;
    yield pause;
  }
  return { header: headerOf(report, span), rows };
}

function cardHtml(report: Report, view: View, choice: Choice, preview: Preview | null): Html {
  const { name, summary, columns, chart } = report;
  const own = { account: view.account, ...choice.params };
  const file = (ending: string, text: string, more = {}) =>
    html`<a href="${linkTo(`/reports/${name}.${ending}`, own, more)}" download="${name}.${ending}">${text}<span class="unseen"> of ${name}</span></a>`;
  const isLedger = name === "ledger";
  const program = (one: string) =>
    html`${file("csv", `For ${one}`, { for: one })} (${file("csv", "left out", { for: one, part: "left-out" })})`;
  const hasOne = view.account !== null || view.history.accounts().length < 2;
  return html`<section class="report${preview ? " previewed" : ""}" id="${name}" aria-labelledby="${name}-name">
<h2 id="${name}-name">${name}</h2>
<p>${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.</p>
<p class="files">${file("csv", "CSV")} · ${file("csv", "CSV for spreadsheets", { form: "spreadsheet" })}${chart ? html` · ${file("svg", "SVG")} · ${file("png", "PNG")}` : ""}
${isLedger ? html`${formats.filter(({ hasAccounts }) => hasAccounts || hasOne).map((format) => html` · ${program(format.name)}`)}${hasOne ? "" : html` · Choose an account for Koinly and CoinTracker.`}` : ""}</p>
<details><summary>${columns.length} columns<span class="unseen"> of ${name}</span></summary><p class="columns">${columns.join(", ")}</p></details>
${preview ? previewHtml(report, preview) : html`<p><a href="${linkTo("/reports", stickyParams(view), choice.params, { preview: name })}#${name}">Preview<span class="unseen"> of ${name}</span></a></p>`}
</section>`;
}

function previewHtml({ name }: Report, { header, rows }: Preview): Html {
  if (rows.length === 0) return html`<p class="empty">No rows in this span.</p>`;
  return html`<div class="preview" role="region" tabindex="0" aria-label="First rows of ${name}"><table>
<thead><tr>${header.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell === null ? html`<span class="unknown">empty</span>` : escapeControlChars(cellText(cell))}</td>`)}</tr>\n`)}</tbody>
</table></div>
<p class="note">The first ${rows.length} rows; the CSV has all.</p>`;
}
