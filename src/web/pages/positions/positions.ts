/** The page of positions: what is at risk, the open positions, and the closed ones. */
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { readMargins } from "../../data/overview/margin.ts";
import { readClosed } from "../../data/positions/closed.ts";
import { positions } from "../../data/positions/open.ts";
import { allRows, type View } from "../../data/table.ts";
import type { Html } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { pageOf } from "../parts/pager.ts";
import { tableHtml } from "../parts/table.ts";
import { closedHtml, closedLabels, defaultClosedColumns } from "./closed.ts";
import { exposureHtml } from "./exposure.ts";
import { chooserHtml, chosenColumns, filtersHtml, selectionText } from "./filters.ts";
import { defaultColumns, emptyText, openColumns, openLabels, openTotals } from "./open.ts";

/** The parameters of the page that links keep. */
const ownParams = ["period", "symbol", "hold_side", "show", "q", "sort", "cols", "open_cols"];

export function* positionsPage(shown: View): Steps<Html> {
  const params: View["params"] = { period: "30d", ...shown.params };
  const view = { ...shown, params };
  const all = yield* allRows(positions, view);
  const margins = yield* readMargins(view, all);
  const closed = yield* readClosed(view);
  // A product type in which nothing was open at last needs no row.
  const open = all.filter((row) => row.symbol || !row.last_known_at);
  const kept = Object.fromEntries(Object.entries(shown.params).filter(([name]) => ownParams.includes(name)));
  const openNames = chosenColumns(params.open_cols, "open_cols", openLabels, defaultColumns);
  const closedNames = chosenColumns(params.cols, "cols", closedLabels, defaultClosedColumns);
  const { rows, pager } = pageOf(open, {
    ...{ view, name: "open_page", of: "open positions", ways: ["Previous", "Next"] },
    ...{ path: "/positions", anchor: "positions", kept: { ...kept, page: params.page } },
  });
  return layout({
    title: "Positions",
    path: "/positions",
    view,
    params: kept,
    body: [
      html`${exposureHtml(view, open, margins)}`,
      tableHtml({
        table: positions,
        view: { ...view, params: {} },
        caption: "Open positions",
        columns: openColumns(view, openNames),
        rows,
        empty: emptyText(view, all),
        csvText: `CSV of these ${open.length}`,
        ...(open.length > 1 ? { totals: openTotals(view, open) } : {}),
        note: pager,
      }),
      html`<details class="filters"><summary>Filter and columns <small>${selectionText(params)}</small></summary>
${filtersHtml(view, closed, kept)}
${chooserHtml({ view, label: "Columns of open positions", name: "open_cols", labels: openLabels, chosen: openNames, kept })}
${chooserHtml({ view, label: "Columns of closed positions", name: "cols", labels: closedLabels, chosen: closedNames, kept })}</details>`,
      closedHtml(view, closed, closedNames, kept),
    ],
  });
}
