/** What all pages have in common: the head, the way to the other pages, the choice of account and instant. */
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
  ["/collection", "Collection"],
] as const;

export interface Page {
  title: string;
  path: string;
  /** The part of the site it belongs to, where that is another page. */
  section?: string;
  view: View;
  /** Parameters of its own, which stay when another account or instant is chosen. */
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
<script type="module" src="assets/pages.js"></script>
</head>
<body data-timezone="${view.timezone}"${view.isNow ? html` data-now` : ""}>
<a class="skip" href="#main">To the content</a>
<header>
<nav aria-label="Pages">
${sections.map(([path, name]) => html`<a href="${linkTo(path, kept)}"${path === section ? html` aria-current="page"` : ""}>${name}</a>`)}
</nav>
${selectionForm(view, here, params)}
</header>
<main id="main">
${view.isNow ? "" : html`<p class="instant">As it stood at ${instantFigure(view.at, view.timezone)} ${view.timezone}. <a href="${linkTo(here, { account: view.account }, params)}">Back to now</a></p>`}
<h1>${escapeControlChars(title)}</h1>
${body}
</main>
<footer>
<p>Times are ${view.timezone}. Figures are the digits of the database; “…” says that more follow, which the tip and the CSV have.
<span id="live" role="status"></span></p>
</footer>
</body>
</html>`;
}

/** Without a script it is a form like any other. */
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
    ? html`<label>Account <select name="account"><option value="">all together</option>
${accounts.map((name) => html`<option${name === view.account ? html` selected` : ""}>${name}</option>`)}</select></label>`
    : view.account && html`<input type="hidden" name="account" value="${view.account}">`
}
<label>As of <input type="datetime-local" name="at" step="1" value="${local}"></label>
<button>Show</button>
</form>`;
}
