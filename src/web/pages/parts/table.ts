/** Renders tables. On a phone each row becomes a card or two lines; explicit roles keep it a table for screen readers. */

import { html } from "hono/html";
import type { HistoryRow } from "../../../store/history.ts";
import { isLastKnown } from "../../data/last-known.ts";
import type { DataTable, View } from "../../data/table.ts";
import { ageHtml, ageText, cellHtml, type Html } from "./figure.ts";
import { linkTo, stickyParams } from "./query-params.ts";
import { Unknowns } from "./unknowns.ts";

/** Describes a column as a page shows it. */
export interface ShownColumn {
  /** The column of the table it shows; missing where it is composed of several. */
  name?: string;
  label: string;
  /** The label as its header shows it, such as with a link that sorts by it. */
  heading?: Html;
  isNumber: boolean;
  /**
   * Its place in the two lines of a row on a phone: line 1 left and right, line 2 left and right. A table in which no column has a place
   * shows cards there; in another one, columns without a place are hidden on a phone. `wide`: hidden already in a window that is too
   * narrow for all columns.
   */
  place?: "lead" | "figure" | "more" | "detail" | "wide";
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

/** Returns columns with their places on a phone, by name. */
export const placed = (
  columns: readonly ShownColumn[],
  places: Readonly<Record<string, NonNullable<ShownColumn["place"]>>>,
): ShownColumn[] =>
  columns.map((column) => {
    const place = places[column.name ?? ""];
    return place ? { ...column, place } : column;
  });

/** Returns the place of a column; one that was chosen is not left out in a window that is too narrow for all. */
export const placeOf = (place: ShownColumn["place"], chosen: string | undefined): Pick<ShownColumn, "place"> =>
  place === undefined || (place === "wide" && chosen !== undefined) ? {} : { place };

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
  /** What the link to the CSV says. Default: CSV. */
  csvText?: string;
  /** What stands between the caption and the rows. */
  before?: Html;
  /** A row of totals, by the name of the column. */
  totals?: Readonly<Record<string, Html>>;
  /** What stands below the rows. Default: how many are left out. */
  note?: Html;
  /** Says why something of a row is unknown; null where the row does not say it. */
  reasonOf?: (row: HistoryRow) => string | null;
}

export function tableHtml({ table, view, caption, rows: all, empty, ...options }: TableHtml): Html {
  const { maxRows = all.length, csvText = "CSV", before = "", totals, reasonOf = () => null } = options;
  const unknowns = new Unknowns(reasonOf);
  const columns = unknowns.counted(options.columns ?? columnsFor(table, view));
  const rows = all.slice(0, maxRows);
  const age = commonAge(rows, view);
  const csv = linkTo(`/api/${table.name}.csv`, stickyParams(view), view.params);
  const left = html`<p class="note">Newest ${rows.length} rows; the CSV contains all.</p>`;
  const note = options.note ?? (all.length > maxRows ? left : "");
  return html`<section id="${table.name}" class="table${columns.some(({ place }) => place) ? " lines" : ""}" data-live aria-labelledby="${table.name}-caption">
<h2 id="${table.name}-caption"><span>${caption}${age ? html` ${ageHtml(age, view)}` : ""}</span><a class="csv" href="${csv}" download="${table.name}.csv">${csvText}<span class="unseen"> of ${caption}</span></a></h2>
${before}${
  rows.length === 0
    ? html`<p class="empty">${empty}</p>`
    : html`<div class="rows"><table role="table" aria-labelledby="${table.name}-caption">
<thead role="rowgroup"><tr role="row">${columns.map(headHtml)}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => rowHtml(row, columns, table, view, age === null))}
</tbody>
${totals ? html`<tfoot role="rowgroup"><tr role="row">${columns.map((column) => html`<td role="cell" data-label="${column.label}"${classOf(column)}>${totals[column.name ?? ""] ?? ""}</td>`)}</tr></tfoot>` : ""}
</table></div>`
}
${note}
${unknowns.note()}
</section>`;
}

const headHtml = (column: ShownColumn): Html =>
  html`<th role="columnheader" scope="col"${classOf(column)}>${column.heading ?? column.label}</th>`;

/** Returns the attribute with the classes of the cells of a column; nothing where it has none. */
function classOf({ isNumber, place }: ShownColumn, ...more: string[]): Html | "" {
  const names = [isNumber ? "number" : "", place ?? "", ...more].filter((name) => name);
  return names.length > 0 ? html` class="${names.join(" ")}"` : "";
}

/** Returns the time since which all rows are last known, where their ages are shown the same; null where they are not. */
function commonAge(rows: readonly HistoryRow[], view: View): string | null {
  if (rows.length < 2 || rows.some((row) => !row.last_known_at || row.last_known)) return null;
  const [oldest = "", ...others] = rows.map((row) => String(row.last_known_at)).sort();
  return ageText(oldest, view) === ageText(others.at(-1) ?? oldest, view) ? oldest : null;
}

/** Returns a row; cells with last known values are faded, and the first of them has their age unless all have the same. */
function rowHtml(
  row: HistoryRow,
  columns: readonly ShownColumn[],
  table: DataTable,
  view: View,
  hasAge: boolean,
): Html {
  // In a row all of whose values are last known, the cell that identifies it has the age.
  const isOld = columns.map(({ name = "" }) => !row.last_known || isLastKnown(table, row, name));
  const first = hasAge && row.last_known_at ? isOld.indexOf(true) : -1;
  const cells = columns.map((column, at) => {
    const { label, cell } = column;
    const age = at === first ? html` ${ageHtml(String(row.last_known_at), view)}` : "";
    return html`<td role="cell" data-label="${label}"${classOf(column, row.last_known_at && isOld[at] ? "last-known" : "")}>${cell(row)}${age}</td>`;
  });
  return html`<tr role="row">${cells}</tr>\n`;
}
