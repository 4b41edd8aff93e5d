/** Renders the state of each feed, and of the processes that record them. */
import { html } from "hono/html";
import type { HistoryRow } from "../../../store/history.ts";
import { notRunning } from "../../daemon-state.ts";
import { collection, workers } from "../../data/health/collection.ts";
import type { View } from "../../data/table.ts";
import { type Html, none, unknown, unknownMark } from "../parts/figure.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";

export const feedsHtml = (view: View, rows: readonly HistoryRow[]): Html =>
  tableHtml({
    table: collection,
    view,
    caption: "Feeds",
    columns: columnsFor(collection, view, undefined, {
      ...statusCells,
      trouble: currentReason(view),
      next_at: nextCell(view),
    }),
    rows,
    empty: "No feeds scheduled.",
  });

export const workersHtml = (view: View, rows: readonly HistoryRow[]): Html =>
  tableHtml({
    table: workers,
    view,
    caption: "Workers",
    columns: columnsFor(workers, view, undefined, workerCells),
    rows,
    empty: "",
  });

const stateLabels: Record<string, string> = {
  fresh: "● Up to date",
  stale: "▲ Stale",
  "not offered": "– Not available",
};

/** Shows no next run while no process collects. */
const nextCell =
  ({ isNow, daemon: { daemon } }: View): CellRenderer =>
  (_row, plain) =>
    isNow && daemon === notRunning ? none("–", "the collector is not running") : plain;

const noneWithoutError: CellRenderer = (row, plain) => (row.trouble_at === null ? none() : plain);

/** Returns the reason of the last error in full only while the feed was not up to date again at the shown instant; else in a tooltip. */
const currentReason =
  ({ isNow }: View): CellRenderer =>
  (row, plain) =>
    row.trouble !== null && row.state === "fresh" && row.trouble_at !== row.last_ok_at
      ? none(isNow ? "up to date since then" : "up to date again at this time", String(row.trouble))
      : noneWithoutError(row, plain);

const statusCells: Record<string, CellRenderer> = {
  state: ({ state }) =>
    html`<span class="state ${String(state).replace(" ", "-")}">${stateLabels[String(state)] ?? state}</span>`,
  last_ok_at: (row, plain) => (row.last_ok_at === null ? unknown("never") : plain),
  trouble_at: noneWithoutError,
};

const workerCells: Record<string, CellRenderer> = {
  state({ state }) {
    if (state === "unknown") return unknownMark();
    return state === "live"
      ? html`<span class="state fresh">● Live</span>`
      : html`<span class="state stale">▲ Gone</span>`;
  },
  paused_until: (row, plain) => (row.paused_until === null ? none() : plain),
};
