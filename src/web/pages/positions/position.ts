import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { compare, decimalIn } from "../../../core/decimal.ts";
import { type HistoryRow, positionKey } from "../../../store/history.ts";
import { position, selectedEpisode, summaryColumns } from "../../data/positions/position.ts";
import { allRows, type View } from "../../data/table.ts";
import { badRequest, notFound } from "../../site.ts";
import { chartHtml } from "../parts/chart.ts";
import { cellHtml, type Html, none } from "../parts/figure.ts";
import { marginModeLabel } from "../parts/labels.ts";
import { layout } from "../parts/layout.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";

const maxRows = 100;

export function* positionPage(view: View): Steps<Html> {
  const { account, params } = view;
  const missing = positionKey.filter((name) => name !== "account" && !params[name]);
  if (account === null || missing.length > 0) throw badRequest(`"/position" needs ${positionKey.join(", ")}.`);
  const episode = selectedEpisode(view);
  if (!episode) throw notFound(`No position ${params.symbol} ${params.hold_side} of ${account} was recorded by then.`);
  const rows = yield* allRows(position, view, 2 * maxRows);
  const name = `${episode.symbol} ${episode.hold_side}`;
  const from = Number(episode.first_seen_at_ms);
  const to = episode.state === "open" ? null : Number(episode.last_seen_at_ms) + 1;
  return layout({
    title: `${name}, ${marginModeLabel(String(episode.margin_mode))}, ${account}`,
    path: "/position",
    section: "/positions",
    view,
    params: { ...params, account },
    body: [
      summaryHtml(episode, view),
      chartHtml({
        id: "pl-curve",
        title: `Unrealised PnL, ${episode.margin_coin}`,
        of: "position",
        view,
        lines: ["unrealized_pl"],
        from,
        to,
      }),
      chartHtml({
        id: "price-curve",
        title: "Mark price and entry",
        of: "position",
        view,
        lines: ["mark_price", "average_open_price"],
        from,
        to,
      }),
      tableHtml({
        table: position,
        view,
        caption: "History",
        columns: columnsFor(position, view, undefined, {
          liquidation_price: noneWithoutLiquidation,
          liquidation_distance: noneWithoutLiquidation,
        }),
        rows,
        empty: "Its snapshots were pruned.",
        maxRows: maxRows,
      }),
    ],
  });
}

/** Shows "none" for a liquidation price of zero or less, by which the exchange reports that there is none. */
const noneWithoutLiquidation: CellRenderer = (row, plain) =>
  compare(decimalIn(row, "liquidation_price") ?? "1", "0") <= 0 ? none() : plain;

function summaryHtml(episode: HistoryRow, view: View): Html {
  return html`<section id="summary" data-live aria-label="Position summary"><dl>
${summaryColumns
  .filter(({ name }) => name in episode)
  .map((column) => {
    const { name, label } = column;
    const hasNone = name === "closest_liquidation" && episode[name] === null;
    return html`<div><dt>${label}</dt><dd>${hasNone ? none() : cellHtml(column, episode, view)}</dd></div>`;
  })}
</dl></section>`;
}
