/** Renders the layout of all pages: head, navigation, selection of account and date, footer. */
import { html } from "hono/html";
import { Temporal } from "temporal-polyfill";
import { escapeControlChars } from "../../../core/text.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure } from "./figure.ts";
import { linkTo, stickyParams } from "./query-params.ts";

const sections = [
  ["/", "Overview"],
  ["/positions", "Positions"],
  ["/balances", "Balances"],
  ["/collection", "Data health"],
] as const;

export interface Page {
  title: string;
  path: string;
  /** The path of the navigation entry it belongs to. Default: its own. */
  section?: string;
  view: View;
  /** Parameters of the page that are kept when the user selects another account or date. */
  params?: Record<string, string>;
  body: Html | Html[];
}

export function layout({ title, path: here, section = here, view, params = {}, body }: Page): Html {
  const kept = stickyParams(view);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeControlChars(title)} · bitget-collector</title>
<link rel="icon" href="assets/icon.svg">
<link rel="stylesheet" href="assets/uPlot.min.css">
<link rel="stylesheet" href="assets/pages.css">
<link rel="stylesheet" href="assets/chart/chart.css">
<script type="module" src="assets/pages.js"></script>
</head>
<body data-timezone="${view.timezone}"${view.isNow ? html` data-now` : ""}>
<a class="skip" href="#main">Skip to content</a>
<header>
<nav aria-label="Pages">
${sections.map(([path, name]) => html`<a href="${linkTo(path, kept)}"${path === section ? html` aria-current="page"` : ""}>${name}</a>`)}
</nav>
${selectionForm(view, here, params)}
</header>
<main id="main">
${view.isNow ? "" : html`<p class="instant">Viewing ${instantFigure(view.at, view.timezone)} ${view.timezone}. <a href="${linkTo(here, { ...kept, at: null }, params)}">Go to latest</a></p>`}
<h1>${escapeControlChars(title)}</h1>
${body}
</main>
<footer>
<p>Times are in ${view.timezone}. ${digitsLink(view, here, params)}
<span id="live" role="status"></span></p>
</footer>
</body>
</html>`;
}

/** Returns the switch between cut and exact figures; the key "e" follows it. */
function digitsLink(view: View, path: string, params: Record<string, string>): Html {
  const other = linkTo(path, stickyParams({ ...view, isExact: !view.isExact }), params);
  return view.isExact
    ? html`Every figure has all of its digits. <a href="${other}" data-digits="cut">Cut to the usual places</a>`
    : html`Amounts are cut to 2 places, never rounded up. <a href="${other}" data-digits="all">Show exact digits</a>`;
}

/** Returns the form that selects account and date; it works without JavaScript. */
function selectionForm(view: View, path: string, own: Record<string, string>): Html {
  const accounts = view.history.accounts();
  const local = view.isNow
    ? ""
    : Temporal.Instant.fromEpochMilliseconds(view.at)
        .toZonedDateTimeISO(view.timezone)
        .toPlainDateTime()
        .toString({ smallestUnit: "second" });
  return html`<form action="${linkTo(path)}" class="choice">
${Object.entries(own)
  .filter(([name]) => name !== "account")
  .map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${
  accounts.length > 1 && own.account === undefined
    ? html`<label>Account <select name="account"><option value="">All accounts</option>
${accounts.map((name) => html`<option${name === view.account ? html` selected` : ""}>${name}</option>`)}</select></label>`
    : view.account && html`<input type="hidden" name="account" value="${view.account}">`
}
${view.isExact ? html`<input type="hidden" name="digits" value="all">` : ""}
<label>Date <input type="datetime-local" name="at" step="1" value="${local}"></label>
<button>Go</button>
</form>`;
}
