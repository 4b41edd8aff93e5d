/** The page of one position: its state, its curve, what happened to it, and its history. */
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { type HistoryRow, positionKey } from "../../../store/history.ts";
import { events, readEvents } from "../../data/positions/events.ts";
import { positions } from "../../data/positions/open.ts";
import { position, positionFilter, selectedEpisode } from "../../data/positions/position.ts";
import { allRows, type View } from "../../data/table.ts";
import { badRequest, notFound } from "../../site.ts";
import { chartHtml } from "../parts/chart.ts";
import { type Html, instantFigure, none } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { columnsFor, tableHtml } from "../parts/table.ts";
import { liquidationHtml, summaryHtml } from "./summary.ts";

const maxRows = 100;

export function* positionPage(view: View): Steps<Html> {
  const { account, params } = view;
  const missing = positionKey.filter((name) => name !== "account" && !params[name]);
  if (account === null || missing.length > 0) throw badRequest(`"/position" needs ${positionKey.join(", ")}.`);
  const episode = selectedEpisode(view);
  if (!episode) throw notFound(`No position ${params.symbol} ${params.hold_side} of ${account} was recorded by then.`);
  const isOpen = episode.state === "open";
  const now = isOpen ? (yield* allRows(positions, view)).find((row) => isSame(row, view)) : undefined;
  return layout({
    title: `${episode.symbol} ${episode.hold_side}`,
    path: "/position",
    section: "/positions",
    view,
    params: { ...params, account },
    body: [
      summaryHtml(episode, now, view),
      chartHtml({
        id: "position-curve",
        title: `Price, size and unrealised PnL, ${episode.margin_coin}`,
        of: "position",
        view,
        lines: ["unrealized_pl", "mark_price", "average_open_price", "liquidation_price", "size"],
        from: Number(episode.first_seen_at_ms),
        to: isOpen ? null : Number(episode.last_seen_at_ms) + 1,
      }),
      eventsHtml(yield* readEvents(view, episode), view),
      yield* historyHtml(view),
    ],
  });
}

const isSame = (row: HistoryRow, view: View): boolean =>
  row.symbol !== null && Object.entries(positionFilter(view)).every(([name, value]) => row[name] === value);

function eventsHtml(rows: readonly HistoryRow[], view: View): Html {
  const dash = (name: string) => (row: HistoryRow, plain: Html) => ((row[name] ?? null) === null ? none("–") : plain);
  const dashes = ["average_open_price", "close_average_price", "realized_pl", "ledger_change"];
  const names = events.columns.map(({ name }) => name).filter((name) => name !== "after");
  return tableHtml({
    table: events,
    view,
    caption: "Events",
    columns: columnsFor(events, view, names, {
      ...Object.fromEntries(dashes.map((name) => [name, dash(name)])),
      at: ({ after }, plain) =>
        after ? html`${plain} <small>after ${instantFigure(String(after), view.timezone)}</small>` : plain,
      size_change: (row, plain) => (["first snapshot", "end unknown"].includes(String(row.event)) ? none("–") : plain),
    }),
    rows,
    empty: "Its snapshots were pruned.",
    maxRows,
  });
}

/** Returns the history: of every snapshot, or as long as the address does not ask for that, without those of the mark price alone. */
function* historyHtml(shown: View): Steps<Html> {
  const { show = "changes" } = shown.params;
  const view = { ...shown, params: { ...shown.params, show } };
  const rows = yield* allRows(position, view, 2 * maxRows);
  const { account } = view;
  const link = (to: string | null, label: string) =>
    html`<a href="${linkTo("/position", stickyParams(view), view.params, { account, show: to })}#position">${label}</a>`;
  return tableHtml({
    table: position,
    view,
    caption: "History",
    before: html`<p class="key">${
      show === "all"
        ? html`Every snapshot in which it changed. ${link(null, "Show changes of more than the mark price")}`
        : html`Without snapshots in which only the mark price changed. ${link("all", "Show all")}`
    }</p>`,
    columns: columnsFor(position, view, undefined, {
      liquidation_price: liquidationHtml,
      liquidation_distance: liquidationHtml,
      total_funding: (row, plain) => ((row.total_funding ?? null) === null ? none("–", "not reported") : plain),
    }),
    rows,
    empty: "Its snapshots were pruned.",
    maxRows,
  });
}
