/** Renders tables. On a phone each row becomes a card; explicit roles keep it a table for screen readers. */

import { html } from "hono/html";
import type { HistoryRow } from "../../../store/history.ts";
import { isLastKnown } from "../../data/last-known.ts";
import type { DataTable, View } from "../../data/table.ts";
import { ageHtml, cellHtml, type Html } from "./figure.ts";
import { linkTo, stickyParams } from "./query-params.ts";

/** Describes a column as a page shows it. */
export interface ShownColumn {
  /** The column of the table it shows; missing where it is composed of several. */
  name?: string;
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
        name,
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
${rows.map((row) => rowHtml(row, columns, table, view))}
</tbody>
</table>`
}
${all.length > maxRows ? html`<p class="note">Newest ${rows.length} rows; the CSV contains all.</p>` : ""}
</section>`;
}

/** Returns a row; cells with last known values are faded, and the first of them has their age. */
function rowHtml(row: HistoryRow, columns: readonly ShownColumn[], table: DataTable, view: View): Html {
  // In a row all of whose values are last known, the cell that identifies it has the age.
  const isOld = columns.map(({ name = "" }) => !row.last_known || isLastKnown(table, row, name));
  const first = row.last_known_at ? isOld.indexOf(true) : -1;
  const cells = columns.map(({ label, isNumber, cell }, at) => {
    const names = [isNumber ? "number" : "", row.last_known_at && isOld[at] ? "last-known" : ""].filter((one) => one);
    const age = at === first ? html` ${ageHtml(String(row.last_known_at), view)}` : "";
    return html`<td role="cell" data-label="${label}"${names.length > 0 ? html` class="${names.join(" ")}"` : ""}>${cell(row)}${age}</td>`;
  });
  return html`<tr role="row">${cells}</tr>\n`;
}
