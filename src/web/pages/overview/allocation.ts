/** Renders how the money is spread over coins or wallets, and how much margin is in use. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import { walletLabel } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { allocationOf, type Slice } from "../../data/overview/allocation.ts";
import type { MarginUse } from "../../data/overview/margin.ts";
import type { View } from "../../data/table.ts";
import { amountFigure, type Html, shareFigure, unknown } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { coinsNote } from "../parts/unknowns.ts";

export function allocationHtml(
  view: View,
  balances: readonly HistoryRow[],
  margins: readonly MarginUse[],
  by: "coin" | "wallet",
): Html {
  const { slices, unpriced, unknown: notKnown } = allocationOf(balances, by);
  const other = by === "coin" ? "wallet" : "coin";
  const link = linkTo("/", stickyParams(view), { allocation: other === "coin" ? null : other });
  return html`<section id="allocation" data-live aria-labelledby="allocation-caption">
<h2 id="allocation-caption">Allocation by ${by} <a class="csv" href="${link}">by ${other}</a></h2>
${slices.length === 0 ? html`<p class="empty">No balances with a price.</p>` : html`<ul class="bars">${slices.map((slice) => sliceHtml(slice, by, view))}</ul>`}
${coinsNote("Without a price", unpriced)}${coinsNote("Price not known", notKnown)}
${margins.length === 0 ? "" : html`<h2>Margin in use</h2><ul class="bars">${margins.map((use) => marginHtml(use, view))}</ul>`}
</section>`;
}

function sliceHtml({ name, value, share }: Slice, by: "coin" | "wallet", view: View): Html {
  const label = name === null ? "Other" : by === "wallet" ? walletLabel(name) : escapeControlChars(name);
  return html`<li><span>${label}</span> <span class="number">${amountFigure(value, view)} <small>${shareFigure(share, view)}</small></span>${barHtml(share)}</li>\n`;
}

function marginHtml({ account, wallet, coin, use, ratio }: MarginUse, view: View): Html {
  const label = [
    view.account === null && view.history.accounts().length > 1 ? account : "",
    walletLabel(wallet),
    coin,
  ].filter((part) => part);
  return html`<li><span>${escapeControlChars(label.join(" · "))}</span> <span class="number">${use === null ? unknown() : shareFigure(use, view, "up")}${ratio === null ? "" : html` <small title="positions are liquidated at 100 %">ratio ${shareFigure(ratio, view, "up")}</small>`}</span>${use === null ? "" : barHtml(use)}</li>\n`;
}

/** Returns a bar; its figure stands beside it. */
const barHtml = (share: string): Html => html`<progress max="1" value="${share}" aria-hidden="true"></progress>`;
