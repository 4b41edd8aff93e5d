import { html } from "hono/html";
import type { Steps } from "../../core/async/cooperate.ts";
import { compare, decimalIn } from "../../core/decimal.ts";
import { type HistoryRow, positionKey } from "../../store/history.ts";
import { facts, lifeOf, position } from "../data/positions.ts";
import { allRows, type View } from "../data/table.ts";
import { badRequest, notFound } from "../site.ts";
import { chartHtml } from "./parts/chart.ts";
import { cellHtml, type Html, none } from "./parts/figure.ts";
import { layout } from "./parts/layout.ts";
import { type CellOf, shownAs, tableHtml } from "./parts/table.ts";

const mostRows = 100;

export function* positionPage(view: View): Steps<Html> {
  const { account, given } = view;
  const missing = positionKey.filter((name) => name !== "account" && !given[name]);
  if (account === null || missing.length > 0) throw badRequest(`"/position" needs ${positionKey.join(", ")}.`);
  const life = lifeOf(view);
  if (!life) throw notFound(`${given.symbol} ${given.hold_side} of ${account} was not seen by then.`);
  const rows = yield* allRows(position, view, 2 * mostRows);
  const name = `${life.symbol} ${life.hold_side}`;
  const from = Number(life.first_seen_at_ms);
  const to = life.state === "open" ? null : Number(life.last_seen_at_ms) + 1;
  return layout({
    title: `${name}, ${life.margin_mode}, ${account}`,
    path: "/position",
    part: "/positions",
    view,
    own: { ...given, account },
    body: [
      lifeHtml(life, view),
      chartHtml({
        id: "pl-curve",
        title: `Unrealised PnL, ${life.margin_coin}`,
        of: "position",
        view,
        lines: { first: ["unrealized_pl"] },
        from,
        to,
      }),
      chartHtml({
        id: "price-curve",
        title: "Mark price and entry",
        of: "position",
        view,
        lines: { first: ["mark_price", "average_open_price"] },
        from,
        to,
      }),
      tableHtml({
        table: position,
        view,
        caption: "Changes, the newest first",
        columns: shownAs(position, view, undefined, {
          liquidation_price: noneWhereUnneeded,
          liquidation_distance: noneWhereUnneeded,
        }),
        rows,
        empty: "There is no snapshot of it any more.",
        most: mostRows,
      }),
    ],
  });
}

/** A liquidation price of zero or less says that there is none. */
const noneWhereUnneeded: CellOf = (row, plain) =>
  compare(decimalIn(row, "liquidation_price") ?? "1", "0") <= 0 ? none() : plain;

function lifeHtml(life: HistoryRow, { timezone }: View): Html {
  return html`<section id="life" data-live aria-label="Its life"><dl>
${facts
  .filter(({ name }) => name in life && (name !== "closed_before" || life.state === "closed"))
  .map(({ name, label, kind }) => {
    const hasNone = name === "closest_liquidation" && life[name] === null;
    return html`<div><dt>${label}</dt><dd>${hasNone ? none() : cellHtml(kind, life[name], timezone)}</dd></div>`;
  })}
</dl></section>`;
}
