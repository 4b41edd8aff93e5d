/** Renders a statement as HTML: one sheet to print or to send, which needs no other file. */
import { html, raw } from "hono/html";
import { Temporal } from "temporal-polyfill";
import { asDecimal, sum } from "../../core/decimal.ts";
import type { Cell, DecimalString } from "../../core/domain.ts";
import { escapeControlChars } from "../../core/text.ts";
import { walletLabel, withCodeNamed } from "../../output/labels.ts";
import { grouped, isStable, shownMoney, shownQuantity } from "../../output/shown.ts";
import type { Line, LineName, Lines, StatementRow } from "./lines.ts";
import { type Statement, totalOf } from "./statement.ts";
import { styles } from "./styles.ts";

type Html = ReturnType<typeof html>;

/** Returns the whole document. */
export const documentOf = (statement: Statement): string => {
  const title = titleOf(statement);
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(styles)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${statementHtml(statement)}
</main>
</body>
</html>
`);
};

/** Returns `Statement of October 2026, main`. */
export const titleOf = ({ account, month }: Pick<Statement, "account" | "month">): string =>
  `Statement of ${monthText(month.name)}, ${escapeControlChars(account)}`;

const months = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

/** Returns `October 2026` for `2026-10`. */
export function monthText(name: string): string {
  const { year, month } = Temporal.PlainYearMonth.from(name);
  return `${months[month - 1]} ${year}`;
}

/** Renders the sections of a statement. */
export const statementHtml = (statement: Statement): Html => html`${introduction(statement)}
${equityHtml(statement)}
${flowsHtml(statement)}
${balancesHtml(statement)}
${costsHtml(statement)}
${evidenceHtml(statement)}
<p class="note">Amounts are cut, never rounded up: money to 2 places, quantities to 8. The files of the books have every digit. ${unknownMark()} is not known, which is not zero.</p>`;

function introduction({ account, month, timezone, now }: Statement): Html {
  const isOver = month.to <= now;
  return html`<p>Account <b>${escapeControlChars(account)}</b> at Bitget, from ${iso(month.from)} up to ${iso(month.to)} (${timezone}).
Made on ${iso(now)}. ${isOver ? "" : html`<b>The month has not ended: figures are those of now.</b>`}</p>`;
}

const iso = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const terms: readonly (readonly [LineName, label: string])[] = [
  ["realized", "Realised results, before fees"],
  ["funding", "Funding"],
  ["fees", "Fees"],
  ["interest", "Interest"],
  ["unrealized", "Change of unrealised PnL"],
  ["prices", "Changes of prices"],
  ["unexplained", "Unexplained"],
];

function equityHtml({ lines: found }: Statement): Html {
  if (!found) return html`<h2>Equity and profit</h2><p>Not known: no equity was recorded in this month.</p>`;
  const { lines, days, unknown, unpriced } = found;
  const line = (label: string, name: LineName, style = "") =>
    html`<tr class="${style}"><th scope="row">${label}</th><td>${lineHtml(lines[name], days)}</td></tr>`;
  return html`<h2>Equity and profit, USDT</h2>
${boxHtml(
  "Equity and profit",
  html`<table class="sums"><tbody>
${line("Equity at the opening", "opening", "total")}
${line("Paid in and out", "flows")}
${terms.map(([name, label]) => line(label, name))}
${line("Profit (the seven lines above)", "result", "total")}
${line("Wallets without a ledger", "other")}
${line("Equity at the close", "closing", "total")}
</tbody></table>`,
)}
<p class="note">Opening read at ${readAt(lines.opening)}, close at ${readAt(lines.closing)}.
${unpriced ? html`Coins without a price: ${unpriced}.` : ""} ${unknown ? html`Not known: ${withCodeNamed(unknown)}.` : ""}</p>
${unknownDaysHtml(found)}`;
}

/** Shows a line; where it is not known as a whole, the days of which it is, or the nearest equity. */
function lineHtml({ name, value, known, knownDays, knownAt }: Line, days: number): Html {
  if (value !== null || known === null) return cellHtml(money(value));
  if (knownDays !== null) return html`${cellHtml(money(known))} <small>in ${knownDays} of ${days} days</small>`;
  const which = name === "opening" ? "first" : "last";
  return html`${unknownMark()} <small>${which} known close: ${cellHtml(money(known))} at ${shownTime(knownAt)}</small>`;
}

const readAt = ({ value, knownAt }: Line): Html => (value === null ? unknownMark() : html`${knownAt}`);

const shownTime = (at: string | null): string => iso(Date.parse(at ?? ""));

/** The days that are named; a list of all would be longer than the sheet. */
const maxDays = 10;

function unknownDaysHtml({ unknownDays, lines }: Lines): Html | "" {
  if (!Object.values(lines).some(({ value, knownDays }) => value === null && knownDays)) return "";
  const named = unknownDays.slice(0, maxDays).map(([day, cause]) => `${day} (${withCodeNamed(cause)})`);
  const more = unknownDays.length - named.length;
  const days =
    named.length > 0 ? `Not known as a whole: ${named.join(", ")}${more > 0 ? `, and ${more} more` : ""}.` : "";
  return html`<p class="note">A figure with a number of days is the sum of the days of which it is known: what it is in the whole month is not known.
${days}</p>`;
}

function flowsHtml({ flows, flowsCause, flowsTo, month }: Statement): Html {
  return html`<h2>Paid in and out</h2>
${flowsTo < month.to ? html`<p>Up to ${iso(flowsTo)}.</p>` : ""}
${flowsCause === null ? "" : html`<p>Not complete: ${withCodeNamed(flowsCause)}.</p>`}
${
  flows.length === 0
    ? html`<p>${flowsCause === null ? "Nothing was paid in or out." : "Nothing is recorded."}</p>`
    : tableHtml(
        "Paid in and out",
        [["Kind"], ["Coin"], ["Entries", "number"], ["Amount", "number"], ["USDT at its time", "number"]],
        flows.map(({ kind, coin, count, amount, usdt }) => [
          kind,
          coin,
          BigInt(count),
          quantity(amount, coin),
          money(usdt),
        ]),
      )
}`;
}

const balanceColumns: readonly Column[] = [
  ...([["Wallet"], ["Coin"], ["Total", "number"]] as const),
  ...([["Price, USDT", "number"], ["Value, USDT", "number"], ["Read at"]] as const),
];

const costColumns: readonly Column[] = [["Wallet"], ["Coin"], ["Amount", "number"], ["Entries", "number"], ["Ledger"]];

const coverageColumns: readonly Column[] = [
  ...([["Dataset"], ["Due", "number"], ["Complete", "number"], ["Coverage"], ["Causes of the rest"]] as const),
];

function balancesHtml({ balances }: Statement): Html {
  const total = totalOf(balances, "usdt_value");
  const rows = balances.map((row) =>
    row.coin === null
      ? [walletLabel(String(row.wallet)), null, "", "", "", ""]
      : [
          ...[walletLabel(String(row.wallet)), row.coin, quantity(row.total, String(row.coin)), plain(row.usdt_price)],
          ...[money(row.usdt_value), row.taken_at],
        ],
  );
  return html`<h2>Balances at the close</h2>
${rows.length === 0 ? html`<p>No balances are recorded.</p>` : tableHtml("Balances at the close", balanceColumns, rows)}
${rows.length > 0 && total === null ? incompleteHtml(balances.map((row) => asDecimal(row.usdt_value ?? null))) : ""}`;
}

/** Says why there is no sum, and what the known values sum up to. */
function incompleteHtml(values: readonly (DecimalString | null)[]) {
  const known = values.filter((value) => value !== null);
  const unknown = values.length - known.length;
  return html`<p class="note">There is no sum: ${unknown} of ${values.length} values ${unknown === 1 ? "is" : "are"} not known, because the balance or its price is missing.
${known.length > 0 ? html`The others are ${cellHtml(money(sum(known)))} USDT.` : ""}</p>`;
}

function costsHtml({ fees, funding, completeDays, days }: Statement): Html {
  const rows = (all: readonly StatementRow[], column: string) =>
    all.map((row) => [
      walletLabel(String(row.wallet)),
      row.coin ?? "–",
      amountIn(row, column),
      row.entries,
      row[column] === null
        ? `${row.ledger}; complete on ${completeDays.get(String(row.wallet)) ?? 0} of ${days} days`
        : row.ledger,
    ]);
  const section = (title: string, all: readonly StatementRow[], column: string) =>
    html`<h2>${title}</h2>${all.length === 0 ? html`<p>None are recorded.</p>` : tableHtml(title, costColumns, rows(all, column))}`;
  return html`${section("Fees", fees, "fees")}${section("Funding", funding, "funding")}`;
}

function evidenceHtml({ coverage, verdicts, chain }: Statement): Html {
  const rows = coverage.map((row) => [row.dataset, row.slots, row.ok, row.coverage, row.causes ?? "–"]);
  return html`<h2>Coverage and proof</h2>
${tableHtml("Coverage", coverageColumns, rows)}
<p>Ledger: ${verdicts.length === 0 ? "not reconciled" : verdicts.map(([verdict, count]) => `${count} ${verdict}`).join(", ")} (stretches of a coin in a wallet).</p>
<p>Chain head: <code>${chain?.digest ?? "none"}</code>${chain?.at ? html`, ${iso(chain.at)}` : ""}. While <code>db verify</code> finds it in the chain, nothing before it was changed.</p>`;
}

const money = (cell: Cell | undefined): Cell => {
  const digits = asDecimal(cell ?? null);
  return digits === null ? null : shownMoney(digits);
};

const quantity = (cell: Cell | undefined, coin: string): Cell => {
  const digits = asDecimal(cell ?? null);
  return digits === null ? null : isStable(coin) ? shownMoney(digits) : shownQuantity(digits);
};

/** Returns the sum of entries, or where others may be missing, of those that were collected. */
function amountIn(row: StatementRow, column: string): Cell {
  const coin = String(row.coin);
  const recorded = quantity(row.recorded, coin);
  return row[column] === null && recorded !== null ? `${recorded} recorded` : quantity(row[column], coin);
}

const plain = (cell: Cell | undefined): Cell => {
  const digits = asDecimal(cell ?? null);
  return digits === null ? null : grouped(digits);
};

/** Marks what is not known, which the last line of the sheet explains. */
const unknownMark = (): Html =>
  html`<span class="unknown" role="img" aria-label="not known" title="not known">?</span>`;

const cellHtml = (cell: Cell | undefined): Html =>
  cell === null || cell === undefined ? unknownMark() : html`${escapeControlChars(String(cell))}`;

/** A column of a table; those of numbers are aligned to the right. */
type Column = readonly [label: string, isNumber?: "number"];

function tableHtml(label: string, columns: readonly Column[], rows: readonly (readonly (Cell | undefined)[])[]): Html {
  const style = (at: number) => (columns[at]?.[1] ? html` class="number"` : "");
  return boxHtml(
    label,
    html`<table><thead><tr>${columns.map(([label], at) => html`<th scope="col"${style(at)}>${label}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, at) => html`<td${style(at)}>${cellHtml(cell)}</td>`)}</tr>\n`)}</tbody></table>`,
  );
}

/** Returns a table in a box of its own, in which it scrolls sideways where it is wider than the window. */
const boxHtml = (label: string, table: Html): Html =>
  html`<div class="scroll" role="region" tabindex="0" aria-label="${label}">${table}</div>`;
