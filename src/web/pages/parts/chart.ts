/** Renders the frame of a chart. A script draws the curve and describes it in words; its values are also available as a table. */
import { html } from "hono/html";
import type { View } from "../../data/table.ts";
import type { ChartView } from "./chart-views.ts";
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
  /** Names of the lines that are drawn. Default: all. */
  lines?: readonly string[];
  /** Selectable views, of which the first is selected. */
  views?: readonly ChartView[];
  /** Start and end, epoch ms; null is the first data, and now. */
  from?: number | null;
  to?: number | null;
  /** A link to the values as a table. */
  table?: Html;
  /** The list of events, which the curve has as flags. */
  events?: Html;
}

const spanOrder = ["1d", "1w", "1m", "1y", "all"];

export function chartHtml(options: ChartOptions): Html {
  const { id, title, of, view, lines = [], from = null, to = null, table } = options;
  const source = linkTo("/api/curve", { of }, stickyParams(view), view.params);
  return html`<figure class="chart" id="${id}" data-source="${source}" data-lines="${lines.join(",")}" data-from="${from ?? ""}" data-to="${to ?? ""}"${view.isExact ? html` data-exact` : ""}>
<figcaption><h2>${title}</h2><span class="controls downloads"><a class="csv" data-download href="${source}" download="${id}.csv">CSV<span class="unseen"> of this range of ${title}</span></a> <button type="button" class="plain" data-image>PNG<span class="unseen"> of ${title}</span></button></span></figcaption>
<div class="controls" role="group" aria-label="${title}: view, span and zoom">
${controls(options)}
<span class="zooms">
<button type="button" data-zoom="in" aria-label="Zoom in">+</button>
<button type="button" data-zoom="out" aria-label="Zoom out">−</button>
<button type="button" data-zoom="earlier" aria-label="Earlier">←</button>
<button type="button" data-zoom="later" aria-label="Later">→</button>
<button type="button" data-zoom="reset" hidden>Reset</button>
</span>
</div>
<div class="legend" role="group" aria-label="Lines of ${title}"></div>
<div class="plot" tabindex="0" role="group" aria-roledescription="curve" aria-label="${title}; arrow keys read out values, + and - zoom, Enter leads to that moment" aria-describedby="${id}-words"></div>
<output class="reading unseen" aria-live="polite"></output>
<p class="words" id="${id}-words"><noscript>The chart needs JavaScript. </noscript></p>
${table ?? ""}
${options.events ?? ""}
</figure>`;
}

/** Returns the buttons of views and spans. */
function controls({ spans = [], views = [] }: ChartOptions): Html {
  const [first] = spans;
  const ordered = [...spans].sort(([a], [b]) => spanOrder.indexOf(a) - spanOrder.indexOf(b));
  /** The first one offered is selected until another one is. */
  const state = (isFirst: boolean) => (isFirst ? html`data-first aria-pressed="true"` : html`aria-pressed="false"`);
  return html`${ordered.map(([span, name]) => html`<button type="button" data-span="${span}" ${state(span === first?.[0])}>${name}</button>`)}
${
  views.length > 0
    ? html`<span class="views">${views.map(({ name, label, of, lines, stack }, at) => html`<button type="button" data-view="${name}" data-of="${of ?? ""}" data-lines="${lines?.join(",") ?? ""}" data-stack="${stack?.join(",") ?? ""}" ${state(at === 0)}>${label}</button>`)}</span>`
    : ""
}`;
}
