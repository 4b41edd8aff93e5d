/** Renders the gaps by event: one outage of all feeds is one row. */
import { html } from "hono/html";
import { walletLabel, withCodeNamed } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { daysShown } from "../../data/comparison-periods.ts";
import { causeDescriptions } from "../../data/health/collection.ts";
import { outages } from "../../data/health/gap-events.ts";
import type { View } from "../../data/table.ts";
import { type Html, none } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { type CellRenderer, columnsFor, tableHtml } from "../parts/table.ts";

export const maxOutages = 50;

export const outagesHtml = (view: View, rows: readonly HistoryRow[]): Html =>
  tableHtml({
    table: outages,
    view,
    caption: `Gaps in the last ${daysShown} days`,
    columns: columnsFor(outages, view, undefined, cellsOf(view)),
    rows,
    empty: `No gaps in the last ${daysShown} days.`,
    maxRows: maxOutages,
  });

/** The first slot of an event leads to the state just before it. */
const cellsOf = (view: View): Record<string, CellRenderer> => ({
  from_at: (row, plain) =>
    html`<a href="${linkTo("/", { ...stickyParams(view), at: justBefore(String(row.from_at)) })}" title="View the state just before">${plain}</a>`,
  to_at: (row, plain) => (row.to_at === null ? html`${view.isNow ? "now" : "not ended then"}` : plain),
  lasted_ms: (row, plain) => (row.lasted_ms === 0n ? html`one slot` : plain),
  cause: ({ cause }) => html`${causeText(String(cause))}`,
  feeds: ({ feeds }) =>
    html`${String(feeds).replace(/ of (\w+)/g, (_, wallet: string) => ` (${walletLabel(wallet)})`)}`,
  held_usdt: (row, plain) => (row.held_usdt === null ? none("–", "not known") : plain),
  held_positions: (row, plain) => (row.held_positions === null ? none("–", "not known") : plain),
});

const justBefore = (at: string): string => new Date(Date.parse(at) - 1).toISOString();

/** Sentences for the failures of requests. */
const failures: Readonly<Record<string, string>> = {
  network: "The exchange could not be reached.",
  timeout: "The exchange did not answer in time.",
  deadline: "The exchange did not answer within the time of the run.",
  upstream: "The exchange had an internal error.",
  rate_limited: "The exchange limited the rate of requests.",
  bad_body: "The answer of the exchange could not be read.",
  crashed: "The collector ended during the run.",
};

/** Returns a cause as a sentence; status and codes of the exchange are called so. */
function causeText(cause: string): string {
  for (const texts of [causeDescriptions, failures]) if (Object.hasOwn(texts, cause)) return texts[cause] ?? cause;
  const named = withCodeNamed(cause);
  return named === cause ? cause : `${named.replace(/^t/, "T")}.`;
}
