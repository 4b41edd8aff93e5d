/** Renders what the open positions are worth and risk, all together. */
import { html } from "hono/html";
import { compare } from "../../../core/decimal.ts";
import { escapeControlChars } from "../../../core/text.ts";
import type { HistoryRow } from "../../../store/history.ts";
import type { MarginUse } from "../../data/overview/margin.ts";
import { exposureOf, isMoneyRow } from "../../data/positions/open.ts";
import type { View } from "../../data/table.ts";
import { ageHtml, amountFigure, type Html, none, profitFigure, shareFigure, unknownMark } from "../parts/figure.ts";

/** Returns the sums over the open positions of real money, in USDT; nothing where there are none. */
export function exposureHtml(view: View, rows: readonly HistoryRow[], margins: readonly MarginUse[]): Html | "" {
  const { count, long, short, net, profit, margin, oldest: old } = exposureOf(rows);
  if (count === 0) return "";
  const nearest = rows.find((row) => isMoneyRow(row) && row.liquidation_distance);
  const highest = highestUse(margins);
  const money = (value: string | null) => (value === null ? unknownMark() : amountFigure(value, view));
  const items: [string, Html | ""][] = [
    ["Long", money(long)],
    ["Short", money(short)],
    ["Net", money(net)],
    ["Unrealised PnL", profit === null ? unknownMark() : profitFigure(profit, view)],
    [
      "Margin",
      html`${money(margin)}${highest?.use ? html` <small>max use ${shareFigure(highest.use, view, "up")}</small>` : ""}`,
    ],
    [
      "Nearest liquidation",
      nearest
        ? html`${shareFigure(String(nearest.liquidation_distance), view)} <small>${escapeControlChars(String(nearest.symbol))} ${nearest.hold_side}</small>`
        : none(),
    ],
  ];
  return html`<section id="exposure" data-live aria-label="Exposure, USDT">
<dl class="strip${old ? " last-known" : ""}">${items.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
${old ? html`<p class="note">As of ${ageHtml(old, view)}</p>` : ""}
</section>`;
}

function highestUse(margins: readonly MarginUse[]): MarginUse | undefined {
  return [...margins]
    .filter(({ use }) => use !== null)
    .sort((one, other) => compare(other.use ?? "0", one.use ?? "0"))[0];
}
