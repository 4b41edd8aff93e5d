/** Renders the newest runs, by state. */
import { html } from "hono/html";
import type { Cell } from "../../../core/domain.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { runFilters } from "../../../store/history.ts";
import { runFilterOf, runs } from "../../data/health/runs.ts";
import type { View } from "../../data/table.ts";
import { type Html, none } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";

export const maxRunsShown = 25;

const labels = {
  all: "All",
  ok: "OK",
  partial: "Partial",
  failed: "Failed",
  missed: "Missed",
  skipped: "Skipped",
  late: "Late",
  retried: "With retries",
} as const;

export function runsHtml(view: View, rows: readonly HistoryRow[]): Html {
  const selected = runFilterOf(view);
  const links = runFilters.map(
    (filter) =>
      html`<a href="${linkTo("/collection", stickyParams(view), { state: filter === "all" ? null : filter })}#runs"${filter === selected ? html` aria-current="true"` : ""}>${labels[filter]}</a> `,
  );
  return tableHtml({
    table: runs,
    view,
    caption: "Runs",
    before: html`<p class="filters">${links}</p>`,
    columns: columnsFor(runs, view, undefined, cells),
    rows,
    empty: selected === "all" ? "Nothing ran yet." : `No runs: ${labels[selected].toLowerCase()}.`,
    maxRows: maxRunsShown,
  });
}

const marks: Record<string, string> = { ok: "●", partial: "◐", failed: "✕", missed: "○", skipped: "–" };

const orNone: (name: string) => CellRenderer = (name) => (row, plain) => (row[name] === null ? none("–") : plain);
const orNothing: (name: string) => CellRenderer = (name) => (row, plain) =>
  row[name] === null ? none("–") : row[name] === 0n ? html`0` : plain;

const cells: Record<string, CellRenderer> = {
  state: ({ state }) => html`<span class="slot ${String(state)}">${marks[String(state)] ?? ""} ${String(state)}</span>`,
  late_ms: ({ late_ms: late }) => (late === null ? none("–") : html`${milliseconds(late)}`),
  took_ms: ({ took_ms: took }) => (took === null ? none("–") : html`${milliseconds(took)}`),
  requests: orNone("requests"),
  retries: orNothing("retries"),
  rows: orNone("rows"),
  error: (row, plain) => (row.error === null ? none("–") : plain),
};

/** Returns a short time: `340 ms`, `2.4 s`, `61 s`. */
function milliseconds(value: Cell | undefined): string {
  const ms = Number(value);
  return ms < 1000 ? `${ms} ms` : ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
