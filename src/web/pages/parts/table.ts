/** A table of figures: on a phone each row becomes a card, and what it is stays said to those who hear it. */
import { html } from "hono/html";
import type { HeldRow } from "../../../queries/close.ts";
import type { Column, DataTable, View } from "../../data/table.ts";
import { cellHtml, type Html } from "./figure.ts";
import { addressOf, lasting } from "./query-params.ts";

export interface Shown {
  label: string;
  isNumber: boolean;
  cell(row: HeldRow): Html;
}

/** Columns of a table by their names, as they are; nulls can have a word of their own. */
export const shownAs = (table: DataTable, view: View, names: readonly string[]): Shown[] =>
  names.flatMap((name) => {
    const column = table.columns.find((one) => one.name === name);
    return column ? [shown(column, view)] : [];
  });

const shown = ({ name, label, kind }: Column, { timezone }: View): Shown => ({
  label,
  isNumber: kind !== "text" && kind !== "instant",
  cell: (row) => cellHtml(kind, row[name], timezone),
});

export interface TableHtml {
  table: DataTable;
  view: View;
  caption: string;
  columns: readonly Shown[];
  rows: readonly HeldRow[];
  /** What is said where there is no row. */
  empty: string;
  /** More rows than are shown are in the CSV. */
  isCut?: boolean;
}

export function tableHtml({ table, view, caption, columns, rows, empty, isCut = false }: TableHtml): Html {
  const csv = addressOf(
    `/api/${table.name}.csv`,
    lasting({ account: view.account, at: view.isNow ? null : view.at }),
    view.given,
  );
  return html`<section id="${table.name}" class="table" data-live aria-labelledby="${table.name}-caption">
<h2 id="${table.name}-caption">${caption}<a class="csv" href="${csv}" download="${table.name}.csv">CSV<span class="unseen"> of ${caption}</span></a></h2>
${
  rows.length === 0
    ? html`<p class="empty">${empty}</p>`
    : html`<table role="table" aria-labelledby="${table.name}-caption">
<thead role="rowgroup"><tr role="row">${columns.map(({ label, isNumber }) => html`<th role="columnheader" scope="col"${isNumber ? html` class="number"` : ""}>${label}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => html`<tr role="row">${columns.map(({ label, isNumber, cell }) => html`<td role="cell" data-label="${label}"${isNumber ? html` class="number"` : ""}>${cell(row)}</td>`)}</tr>\n`)}
</tbody>
</table>`
}
${isCut ? html`<p class="note">The newest ${rows.length}; the CSV has all.</p>` : ""}
</section>`;
}
