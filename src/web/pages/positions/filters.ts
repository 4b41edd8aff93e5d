/** Renders the forms that select closed positions and columns. They work without scripts, and their state is the address. */
import { html } from "hono/html";
import type { HistoryRow } from "../../../store/history.ts";
import { periods, sortColumns } from "../../data/positions/closed.ts";
import type { View } from "../../data/table.ts";
import { invalidParam } from "../../site.ts";
import type { Html } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";

const periodLabels: Readonly<Record<string, string>> = {
  "7d": "7 days",
  "30d": "30 days",
  "90d": "90 days",
  all: "All",
};

/** What the table can be ordered by, as it is shown; of each the greatest or newest first, except symbols. */
const sortLabels: Readonly<Record<string, string>> = {
  "-closed": "Last closed",
  "-net": "Highest net PnL",
  net: "Lowest net PnL",
  "-held": "Longest held",
  distance: "Nearest to liquidation",
  symbol: "Symbol",
};

/** Returns the form that selects closed positions. `rows` are all of the period; `kept` are the parameters in the address. */
export function filtersHtml(view: View, rows: readonly HistoryRow[], kept: Readonly<Record<string, string>>): Html {
  const { period = "30d", symbol, hold_side: side, show, q = "", sort = "-closed" } = view.params;
  const symbols = new Set(rows.map((row) => String(row.symbol)));
  if (symbol) symbols.add(symbol);
  const sorts = { ...(Object.hasOwn(sortLabels, sort) ? {} : { [sort]: sortText(sort) }), ...sortLabels };
  const any = [["", "Any"]] as const;
  return html`<form action="${linkTo("/positions")}" class="filter" role="search" aria-label="Closed positions">
${hiddenInputs(view, kept, ["period", "symbol", "hold_side", "show", "q", "sort"])}
${select(
  "Closed in",
  "period",
  period,
  Object.keys(periods).map((name) => [name, periodLabels[name] ?? name]),
)}
${select("Symbol", "symbol", symbol, [...any, ...[...symbols].sort().map((name) => [name, name] as const)])}
${select("Side", "hold_side", side, [...any, ["long", "Long"], ["short", "Short"]])}
${select("Result", "show", show, [...any, ["won", "Won"], ["lost", "Lost"]])}
${select("Order", "sort", sort, Object.entries(sorts))}
<label>Search <input type="search" name="q" value="${q}" maxlength="64" size="12"></label>
<button>Apply</button>
</form>`;
}

/** Returns what the parameters select, in a few words. */
export function selectionText({ period = "30d", symbol, hold_side: side, show, q, sort }: View["params"]): string {
  const order = sort === undefined ? "" : `by ${sortText(sort).toLowerCase()}`;
  return [periodLabels[period], symbol, side, show, q, order].filter((part) => part).join(", ");
}

const sortText = (sort: string): string =>
  (Object.hasOwn(sortLabels, sort) ? sortLabels[sort] : undefined) ??
  `${sort.replace(/^-/, "").replace("_", " ")}, ${sort.startsWith("-") ? "highest" : "lowest"} first`;

function select(
  label: string,
  name: string,
  chosen: string | undefined,
  options: readonly (readonly [string, string])[],
): Html {
  return html`<label>${label} <select name="${name}">${options.map(([value, text]) => html`<option value="${value}"${value === (chosen ?? "") ? html` selected` : ""}>${text}</option>`)}</select></label>`;
}

/** Returns the parameters of the address that a form does not set. */
function hiddenInputs(view: View, kept: Readonly<Record<string, string>>, own: readonly string[]): Html {
  const all = Object.entries({ ...stickyParams(view), ...kept }).filter(
    ([name, value]) => value && !own.includes(name),
  );
  return html`${all.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`;
}

export interface Chooser {
  view: View;
  label: string;
  /** The parameter with the chosen columns. */
  name: string;
  labels: Readonly<Record<string, string>>;
  chosen: readonly string[];
  kept: Readonly<Record<string, string>>;
}

/** Returns the form that selects the columns of a table. */
export function chooserHtml({ view, label, name, labels, chosen, kept }: Chooser): Html {
  return html`<details class="chooser"><summary>${label}</summary>
<form action="${linkTo("/positions")}">
${hiddenInputs(view, kept, [name])}
${Object.entries(labels).map(([column, text]) => html`<label><input type="checkbox" name="${name}" value="${column}"${chosen.includes(column) ? html` checked` : ""}> ${text}</label>\n`)}
<button>Show</button>
</form></details>`;
}

/** Returns the columns in a parameter, after the position itself; `fallback` where it is missing. @throws HTTPException 400 */
export function chosenColumns(
  text: string | undefined,
  name: string,
  labels: Readonly<Record<string, string>>,
  fallback: readonly string[],
): readonly string[] {
  if (text === undefined) return fallback;
  const names = text.split(",");
  const unknown = names.find((one) => !Object.hasOwn(labels, one));
  if (unknown !== undefined) throw invalidParam(name, unknown, `of ${Object.keys(labels).join(", ")}`);
  return ["position", ...Object.keys(labels).filter((one) => names.includes(one))];
}

/** Returns the orders of a column, the first of which its header asks for. */
export const ordersOf = (column: string): [string, string] | null =>
  Object.hasOwn(sortColumns, column) ? (column === "symbol" ? ["symbol", "-symbol"] : [`-${column}`, column]) : null;
