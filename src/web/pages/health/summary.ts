/** Renders the line on top of the page of data health, and links to its parts. */
import { html } from "hono/html";
import { shareText } from "../../../core/text.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { daysShown } from "../../data/comparison-periods.ts";
import { shownAlerts } from "../../data/health/alerts.ts";
import { collectingState } from "../../data/health/state.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure } from "../parts/figure.ts";
import { knownVerification } from "./integrity.ts";

const stateWords = {
  fresh: "● Collecting",
  stale: "▲ Stale",
  waiting: "▲ Waiting",
  stopped: "■ Stopped",
  empty: "○ No data yet",
};

export interface SummaryFacts {
  /** Rows of the table `collection`. */
  feeds: readonly HistoryRow[];
  /** The share of due slots of the last days with a complete run; null if none was due. */
  coverage: number | null;
  /** The number of gaps by event, and whether there are more. */
  gaps: number;
  hasMore: boolean;
}

/** Returns one line: state, feeds, coverage, gaps, alerts, last verification. Of a chosen instant it has what was known then. */
export function summaryHtml(view: View, { feeds, coverage, gaps, hasMore }: SummaryFacts): Html {
  const { kind } = collectingState(view);
  const open = shownAlerts(view).alerts.length;
  const last = knownVerification(view);
  const parts = [
    ...(view.isNow
      ? [html`<span class="state ${kind === "fresh" ? "fresh" : "stale"}">${stateWords[kind]}</span>`]
      : []),
    html`<a href="#collection">${feeds.filter(({ state }) => state !== "stale").length} of ${feeds.length} feeds up to date</a>`,
    html`<a href="#calendar">${coverage === null ? "nothing due" : `${shareText(coverage)} of ${daysShown} days`}</a>`,
    html`<a href="#outages">${gaps === 0 ? "no" : `${gaps}${hasMore ? " or more" : ""}`} gap${gaps === 1 ? "" : "s"}</a>`,
    html`<a href="#runs">runs</a>`,
    html`<a href="#alerts">${open === 0 ? "no" : open} open alert${open === 1 ? "" : "s"}</a>`,
    html`<a href="#integrity">${last === null ? (view.isNow ? "not verified" : "integrity") : html`${last.problems.length === 0 ? "verified" : "ALTERED, verified"} ${instantFigure(last.at, view.timezone)}`}</a>`,
    html`<a href="#system">system</a>`,
  ];
  return html`<p id="summary" class="summary" data-live>${parts.map((part, n) => html`${n > 0 ? " · " : ""}${part}`)}</p>`;
}
