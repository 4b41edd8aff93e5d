/** Renders tables. On a phone each row becomes a card; explicit roles keep it a table for screen readers. */

import { html } from "hono/html";
import type { HistoryRow } from "../../../store/history.ts";
import type { DataTable, View } from "../../data/table.ts";
import { cellHtml, type Html } from "./figure.ts";
import { linkTo, stickyParams } from "./query-params.ts";

/** Describes a column as a page shows it. */
export interface ShownColumn {
  label: string;
  isNumber: boolean;
  cell(row: HistoryRow): Html;
}

/** Renders the cell of a row; `plain` is the default rendering. */
export type CellRenderer = (row: HistoryRow, plain: Html) => Html;

/** Returns the named columns of a table, rendered by their kind, or by the renderer in `cells`. */
export const columnsFor = (
  table: DataTable,
  view: View,
  names: readonly string[] = table.columns.map(({ name }) => name),
  cells: Readonly<Record<string, CellRenderer>> = {},
): ShownColumn[] =>
  names.flatMap((name) =>
    table.columns
      .filter((column) => column.name === name)
      .map((column) => ({
        label: column.label,
        isNumber: column.kind !== "text" && column.kind !== "instant",
        cell(row) {
          const plain = cellHtml(column, row, view);
          return cells[name]?.(row, plain) ?? plain;
        },
      })),
  );

export interface TableHtml {
  table: DataTable;
  view: View;
  caption: string;
  /** Default: every column of the table. */
  columns?: readonly ShownColumn[];
  rows: readonly HistoryRow[];
  /** The text shown when there are no rows. */
  empty: string;
  /** Maximum number of rows shown; the CSV contains all. */
  maxRows?: number;
}

export function tableHtml({ table, view, caption, rows: all, empty, ...options }: TableHtml): Html {
  const { columns = columnsFor(table, view), maxRows = all.length } = options;
  const rows = all.slice(0, maxRows);
  const csv = linkTo(`/api/${table.name}.csv`, stickyParams(view), view.params);
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
${all.length > maxRows ? html`<p class="note">Newest ${rows.length} rows; the CSV contains all.</p>` : ""}
</section>`;
}
