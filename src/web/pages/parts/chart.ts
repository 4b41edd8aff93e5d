/** Renders the frame of a chart. A script draws the curve and describes it in words; its values are also available as a table. */
import { html } from "hono/html";
import type { View } from "../../data/table.ts";
import type { Html } from "./figure.ts";
import { linkTo, stickyParams } from "./query-params.ts";

export interface ChartOptions {
  id: string;
  title: string;
  /** The parameter `of` of `/api/curve`. */
  of: string;
  view: View;
  /** Selectable spans, of which the first is selected; without any, the whole span is shown. */
  spans?: readonly (readonly [span: string, name: string])[];
  /** Names of the lines drawn first, and the label of the switch that adds the others. */
  lines?: { first: readonly string[]; switch?: string };
  /** Start and end, epoch ms; null is the first data, and now. */
  from?: number | null;
  to?: number | null;
  /** A link to the values as a table. */
  table?: Html;
}

export const standardSpans = [
  ["1m", "1 month"],
  ["1d", "1 day"],
  ["1w", "1 week"],
  ["1y", "1 year"],
  ["all", "All"],
] as const;

const spanOrder = ["1d", "1w", "1m", "1y", "all"];

export function chartHtml({
  id,
  title,
  of,
  view,
  spans = [],
  lines,
  from = null,
  to = null,
  table,
}: ChartOptions): Html {
  const source = linkTo("/api/curve", { of }, stickyParams(view), view.params);
  const [first] = spans;
  const ordered = [...spans].sort(([a], [b]) => spanOrder.indexOf(a) - spanOrder.indexOf(b));
  return html`<figure class="chart" id="${id}" data-source="${source}" data-lines="${lines?.first.join(",") ?? ""}" data-from="${from ?? ""}" data-to="${to ?? ""}">
<figcaption><h2>${title}</h2></figcaption>
<div class="controls" role="group" aria-label="${title}: span and zoom">
${ordered.map(([span, name]) => html`<button type="button" data-span="${span}" aria-pressed="${String(span === first?.[0])}">${name}</button>`)}
${lines?.switch ? html`<label><input type="checkbox" data-switch> ${lines.switch}</label>` : ""}
<span class="zooms">
<button type="button" data-zoom="in" aria-label="Zoom in">+</button>
<button type="button" data-zoom="out" aria-label="Zoom out">−</button>
<button type="button" data-zoom="earlier" aria-label="Earlier">←</button>
<button type="button" data-zoom="later" aria-label="Later">→</button>
<button type="button" data-zoom="reset" hidden>Reset</button>
</span>
</div>
<div class="plot" tabindex="0" role="group" aria-roledescription="curve" aria-label="${title}; arrow keys read out values, + and - zoom" aria-describedby="${id}-words"></div>
<output class="reading" aria-live="polite"></output>
<p class="words" id="${id}-words"><noscript>The chart needs JavaScript. </noscript></p>
${table ?? ""}
</figure>`;
}
