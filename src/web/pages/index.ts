/** Serves the HTML pages, and below `/api/` their data as JSON and CSV. */

import type { Context } from "hono";
import { Hono } from "hono";
import type { Steps } from "../../core/async/cooperate.ts";
import { Curves } from "../curves/curves.ts";
import { PaidCache } from "../curves/profit/paid.ts";
import { ProfitCurves, type Readers } from "../curves/profit/profit-curve.ts";
import { createDaemonStates } from "../daemon-state.ts";
import type { View } from "../data/table.ts";
import type { Site } from "../site.ts";
import { type Advance, createAdvance } from "./advance.ts";
import { api } from "./api.ts";
import { balancesPage } from "./balances/balances.ts";
import { coinPage } from "./coin.ts";
import { collectionPage } from "./health/collection.ts";
import { ledgerPage } from "./ledger/entries.ts";
import { reconciliationPage } from "./ledger/reconciliation.ts";
import { overviewPage } from "./overview/overview.ts";
import type { Html } from "./parts/figure.ts";
import { createView, linkTo, parsePageQuery } from "./parts/query-params.ts";
import { performancePage } from "./performance/performance.ts";
import { positionPage } from "./positions/position.ts";
import { positionsPage } from "./positions/positions.ts";
import { reportDownloads } from "./reports/downloads.ts";
import { reportsPage } from "./reports/page.ts";
import { statementPage } from "./reports/statement.ts";

/** What pages share. */
export interface PageReaders extends Readers {
  advance: Advance;
}

/** Reads the data of a page and renders it as HTML. */
export type PageOf = (view: View, c: Context, readers: PageReaders) => Steps<Html>;

const pageByPath: Record<string, PageOf> = {
  "/": overviewPage,
  "/positions": positionsPage,
  "/position": positionPage,
  "/balances": balancesPage,
  "/coin": coinPage,
  "/performance": performancePage,
  "/ledger": ledgerPage,
  "/reconciliation": reconciliationPage,
};

/** Returns the pages that need more than the database. */
const ownPages = (site: Site): Record<string, PageOf> => ({
  "/collection": (view) => collectionPage(view, site),
  "/reports": reportsPage(site),
  "/statement": statementPage(site),
});

/** Returns the routes of the pages and of the API. */
export function pages(site: Site): Hono {
  const app = new Hono();
  const daemonNow = createDaemonStates(site);
  const curves = new Curves();
  const paid = new PaidCache();
  const own = { curves, paid, profits: new ProfitCurves(curves, paid) };
  const readers = { ...own, advance: createAdvance(site, own) };
  readers.advance.begin();
  for (const [path, page] of Object.entries({ ...pageByPath, ...ownPages(site) }))
    app.get(path, async (c) => {
      const question = parsePageQuery(c, site);
      const daemon = await daemonNow();
      const body = await site.reader.readInSteps((history) =>
        page(createView(history, question, site, daemon), c, readers),
      );
      return c.html(body);
    });
  // The page had another name.
  app.get("/days", (c) => c.redirect(linkTo("/performance", { ...c.req.query(), by: "day" })));
  return app.route("/reports", reportDownloads(site)).route("/api", api(site, readers));
}
