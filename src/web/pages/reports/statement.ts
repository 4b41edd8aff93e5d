import type { Context } from "hono";
import { html } from "hono/html";
import type { Steps } from "../../../core/async/cooperate.ts";
import { fileName } from "../../../reports/statement/books.ts";
import { statementHtml, titleOf } from "../../../reports/statement/document.ts";
import { statementOf } from "../../../reports/statement/statement.ts";
import type { View } from "../../data/table.ts";
import { badRequest, type Site } from "../../site.ts";
import type { Html } from "../parts/figure.ts";
import { layout } from "../parts/layout.ts";
import { linkTo, textParam } from "../parts/query-params.ts";
import { monthIn, parseChoice } from "./choice.ts";

/** Renders the statement of an account and a month. */
export const statementPage = (site: Site) =>
  function* (view: View, c: Context): Steps<Html> {
    const { account, month } = statementParams(view, c, site);
    const { timezone } = parseChoice(c, site);
    const statement = yield* statementOf({ history: view.history, account, now: site.now() }, account, month, timezone);
    const zone = timezone === site.timezone ? "" : timezone;
    const own = { account, month: month.name, zone };
    const file = `statement-${fileName(account)}-${month.name}`;
    return layout({
      title: titleOf(statement),
      path: "/statement",
      section: "/reports",
      view,
      params: own,
      body: html`<p class="key"><a href="${linkTo("/reports/statement.html", own)}" download="${file}.html">Download the sheet</a>
<a href="${linkTo("/reports/statement.csv", own)}" download="${file}.csv">its lines as CSV</a></p>
<section class="statement" aria-label="Statement">${statementHtml(statement)}</section>`,
    });
  };

/** Parses `account` and `month`. @throws HTTPException 400 */
export function statementParams({ account, history }: Pick<View, "account" | "history">, c: Context, site: Site) {
  const { timezone } = parseChoice(c, site);
  const month = monthIn(textParam(c, "month") ?? "", timezone);
  const accounts = history.accounts();
  const chosen = account ?? (accounts.length === 1 ? accounts[0] : undefined);
  if (chosen === undefined || month === null || month.from > site.now())
    throw badRequest("A statement needs an account, and a month that has begun, such as month=2026-10.");
  return { account: chosen, month, timezone };
}
