/** Renders the layout of all pages: head, header, banner, footer. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import { ownVersion } from "../../../monitoring/version.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure } from "./figure.ts";
import { accountMenu, accountName, dateMenu } from "./header/menus.ts";
import { stateParts } from "./header/state.ts";
import { linkTo, stickyParams } from "./query-params.ts";

const sections = [
  ["/", "Overview"],
  ["/positions", "Positions"],
  ["/balances", "Balances"],
  ["/performance", "Performance"],
  ["/reports", "Reports"],
  ["/collection", "Data health"],
] as const;

export interface Page {
  title: string;
  path: string;
  /** The path of the navigation entry it belongs to. Default: its own. */
  section?: string;
  /** The figure of the page, which comes first in the title of its tab. */
  figure?: string;
  view: View;
  /** Parameters of the page that are kept when the user selects another account or date. */
  params?: Record<string, string>;
  body: Html | Html[];
  /** True for the page of an error, which does not update itself. */
  isError?: boolean;
}

export function layout({ title, path: here, section = here, figure, view, params = {}, body, isError }: Page): Html {
  const kept = stickyParams(view);
  const { kind, pill, bell, banner } = stateParts(view);
  const menus = { view, path: here, params, accountPath: params.account === undefined ? here : section };
  const tab = [figure, title, ...(params.account === undefined ? [accountName(view)] : [])].filter((one) => one);
  const isOld = !["fresh", "empty"].includes(kind);
  return documentHtml({
    title: tab.join(" · "),
    icon: isOld ? "header/icon-stale.svg" : "icon.svg",
    body: html`<body data-timezone="${view.timezone}"${view.isNow && !isError ? html` data-now` : ""}>
<a class="skip" href="#main">Skip to content</a>
<header>
${mark(linkTo("/", kept))}
${navigation(section, kept)}
${accountMenu(menus)}
${dateMenu(menus)}
<div id="state" class="states" data-live>${pill}${bell}</div>
</header>
<main id="main">
${view.isNow ? html`<div id="banner" data-live>${banner}</div>` : html`<p class="instant">Viewing ${instantFigure(view.at, view.timezone)} ${view.timezone}. <a href="${linkTo(here, { ...kept, at: null }, params)}">Go to latest</a></p>`}
<h1>${escapeControlChars(title)}</h1>
${body}
</main>
<footer>
<p>Times are in ${view.timezone}. ${digitsLink(view, here, params)}
<span id="live" role="status"></span></p>
<p>bitget-collector ${version}, read-only</p>
</footer>
</body>`,
  });
}

const version = ownVersion();

/** Returns a page without figures and menus, for errors where the database cannot be read. */
export const bareLayout = (title: string, body: Html): Html =>
  documentHtml({
    title: `${title} · bitget-collector`,
    icon: "header/icon-stale.svg",
    body: html`<body>
<a class="skip" href="#main">Skip to content</a>
<header>
${mark("./")}
${navigation("", {})}
</header>
<main id="main">
<h1>${title}</h1>
${body}
</main>
</body>`,
  });

interface Document {
  title: string;
  icon: string;
  /** The element `body`. */
  body: Html;
}

const documentHtml = ({ title, icon, body }: Document): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeControlChars(title)}</title>
<link rel="icon" href="assets/${icon}">
<link rel="stylesheet" href="assets/uPlot.min.css">
<link rel="stylesheet" href="assets/pages.css">
<link rel="stylesheet" href="assets/header/header.css">
<link rel="stylesheet" href="assets/chart/chart.css">
<link rel="stylesheet" href="assets/overview.css">
<link rel="stylesheet" href="assets/reports.css">
<link rel="stylesheet" href="assets/positions.css">
<link rel="stylesheet" href="assets/health/health.css">
<link rel="stylesheet" href="assets/performance.css">
<script type="module" src="assets/pages.js"></script>
<script type="module" src="assets/header/header.js"></script>
</head>
${body}
</html>`;

/** Returns the mark and name of the program. "Overview" leads there too, so that the tab key may pass it over. */
const mark = (href: string): Html =>
  html`<a class="mark" href="${href}" tabindex="-1" aria-label="bitget-collector"><img src="assets/icon.svg" alt="" width="22" height="22"><span>bitget-collector</span></a>`;

const navigation = (
  section: string,
  kept: Record<string, string | null>,
): Html => html`<nav aria-label="Pages" data-keys>
${sections.map(([path, name]) => html`<a href="${linkTo(path, kept)}"${path === section ? html` aria-current="page"` : ""}>${name}</a>`)}
</nav>`;

/** Returns the switch between cut and exact figures; the key "e" follows it. */
function digitsLink(view: View, path: string, params: Record<string, string>): Html {
  const other = linkTo(path, stickyParams({ ...view, isExact: !view.isExact }), params);
  return view.isExact
    ? html`Every figure has all of its digits. <a href="${other}" data-digits="cut">Cut to the usual places</a>`
    : html`Figures are cut, not rounded: amounts towards zero, a drawdown and a use of margin upwards. <a href="${other}" data-digits="all">Show exact digits</a>`;
}
