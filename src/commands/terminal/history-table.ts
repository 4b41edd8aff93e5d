/** Builds the default table of a dataset: few columns, shortened amounts, and no line wider than the terminal. */
import type { Cell, DatasetName } from "../../core/domain.ts";
import { escapeControlChars } from "../../core/text.ts";
import { displayWidth } from "../shared/width.ts";
import { accountColumn, type TableColumn, tableColumns } from "./table-columns.ts";

/** A table that fits a width. */
export interface FittedTable {
  columns: string[];
  rows: string[][];
  /** The number of columns of the view that it does not show. */
  hidden: number;
}

/** The spaces between two columns. */
const gap = 2;

/**
 * Returns the default columns of a dataset's rows, as many as fit into `width` cells, at least one; null for a dataset without default
 * columns. `viewColumns` are the names of the cells of a row.
 */
export function fittedTable(
  dataset: DatasetName,
  viewColumns: readonly string[],
  rows: readonly Cell[][],
  { width, hasAccounts, timezone = "UTC" }: { width: number; hasAccounts: boolean; timezone?: string },
): FittedTable | null {
  const own = tableColumns[dataset];
  if (own === undefined) return null;
  const named = rows.map((row) => Object.fromEntries(viewColumns.map((name, at) => [name, row[at] ?? null])));
  const wanted = hasAccounts && viewColumns.includes("account") ? [accountColumn, ...own] : own;
  const headers: string[] = [];
  const shown: TableColumn[] = [];
  const texts: string[][] = [];
  let used = -gap;
  for (const column of wanted) {
    const cells = named.map((row) => escapeControlChars(column.text(row, timezone)));
    const header = column.isTime ? `${column.header} (${timezone})` : column.header;
    used += gap + Math.max(...[header, ...cells].map(displayWidth));
    if (used > width && shown.length > 0) break;
    headers.push(header);
    shown.push(column);
    texts.push(cells);
  }
  const visible = new Set(shown.flatMap(({ shows }) => shows));
  return {
    columns: headers,
    rows: rows.map((_, row) => texts.map((cells) => cells[row] ?? "")),
    hidden: viewColumns.filter((name) => !visible.has(name)).length,
  };
}
