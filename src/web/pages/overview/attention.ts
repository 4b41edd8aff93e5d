/** Renders what needs attention. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import { walletLabel } from "../../../output/labels.ts";
import { type Attention, keyOf } from "../../data/overview/attention.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure, shareFigure } from "../parts/figure.ts";
import { alertHtml, lostAlertsHtml } from "../parts/open-alert.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";

/** `isComplete` is false if more alerts may have been open, because the notifications of then are not kept. */
export function attentionHtml(view: View, all: readonly Attention[], isComplete: boolean): Html {
  const alerts = all.filter(({ kind }) => kind === "alert").length;
  return html`<section id="attention" data-live aria-labelledby="attention-caption">
<h2 id="attention-caption">Needs attention ${alerts > 0 ? html`<small>${alerts === 1 ? "1 open alert" : `${alerts} open alerts`}</small>` : isComplete ? html`<small>no open alerts</small>` : ""}</h2>
${
  all.length === 0
    ? html`<p class="empty">Nothing needs attention.</p>`
    : html`<ul class="attention">${all.map((one) => html`<li class="${isDanger(one) ? "danger" : "warning"}"><span aria-hidden="true">${isDanger(one) ? "■" : "▲"}</span>${itemHtml(one, view)}</li>\n`)}</ul>`
}
${isComplete ? "" : lostAlertsHtml}
</section>`;
}

const isDanger = ({ kind }: Attention): boolean => kind === "alert" || kind === "liquidation" || kind === "margin";

function itemHtml(one: Attention, view: View): Html {
  const sticky = stickyParams(view);
  if (one.kind === "stale") {
    const { datasets, accounts } = one;
    const named = [...new Set(datasets)].slice(0, 3).join(", ");
    const of = accounts.length === 1 && accounts[0] !== "public" ? ` of ${accounts[0]}` : "";
    return html`<a href="${linkTo("/collection", sticky)}">${datasets.length === 1 ? "1 stale feed" : `${datasets.length} stale feeds`}</a>${of}: ${named}${datasets.length > 3 ? " and others" : ""}`;
  }
  const account =
    view.account === null && view.history.accounts().length > 1 ? `${escapeControlChars(one.account)}: ` : "";
  if (one.kind === "alert") {
    return html`<a href="${linkTo("/collection", sticky)}#alerts">Alert</a>: ${alertHtml(one.alert, view, one.present)}`;
  }
  if (one.kind === "liquidation") {
    const { symbol, hold_side: side, last_known_at: old } = one.position;
    const link = linkTo("/position", { ...sticky, account: null }, keyOf(one.position));
    return html`${account}<a href="${link}">${escapeControlChars(String(symbol))} ${side}</a> is ${shareFigure(one.distance, view)} from liquidation${old ? html` <small>as of ${instantFigure(String(old), view.timezone)}</small>` : ""}`;
  }
  if (one.kind === "margin")
    return html`${account}<a href="${linkTo("/positions", sticky)}">${walletLabel(one.use.wallet)} ${one.use.coin}</a> has a margin ratio of ${shareFigure(one.ratio, view, "up")}; liquidation is at 100 %`;
  return html`${account}<a href="${linkTo("/balances", sticky)}">${one.isKnown ? "No price" : "Price not known"}</a> for ${one.coins.map(escapeControlChars).join(", ")}`;
}
