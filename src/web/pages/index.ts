/** Serves the HTML pages, and below `/api/` their data as JSON and CSV. */

import type { Context } from "hono";
import { Hono } from "hono";
import type { Steps } from "../../core/async/cooperate.ts";
import { QueryError } from "../../core/errors.ts";
import { Curves, sourceKey } from "../curves/curves.ts";
import { PaidCache } from "../curves/profit/paid.ts";
import { ProfitCurves, type Readers } from "../curves/profit/profit-curve.ts";
import { equitySource } from "../curves/sources.ts";
import { createDaemonStates } from "../daemon-state.ts";
import { dayResults, shownSpan } from "../data/performance/performance.ts";
import { readDrawdown } from "../data/results/drawdown.ts";
import { readResults } from "../data/results/results.ts";
import type { View } from "../data/table.ts";
import type { Site } from "../site.ts";
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

/** Reads the data of a page and renders it as HTML. */
export type PageOf = (view: View, c: Context, readers: Readers) => Steps<Html>;

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
  const readers = { curves, paid, profits: new ProfitCurves(curves, paid) };
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
  void preload(site, readers);
  return app.route("/reports", reportDownloads(site)).route("/api", api(site, readers));
}

/** Loads the curves of the overview, the results of days and the drawdown of a year in advance, which takes some seconds for a long history. */
async function preload(site: Site, { curves, paid }: Readers): Promise<void> {
  // Each attempt continues where the previous one timed out.
  for (let time = 0; time < preloadAttempts; time += 1) {
    try {
      return await site.reader.readInSteps(function* (history) {
        const of = (account: string | null, params: View["params"] = {}) =>
          createView(history, { account, at: null, isExact: false, params }, site);
        for (const account of history.accounts()) yield* paid.recorded(history, account, site.now());
        const accounts = [null, ...history.accounts()];
        for (const account of accounts) {
          const view = of(account);
          yield* readResults(view);
          const source = equitySource(view);
          yield* curves.prepare(history, source, sourceKey("equity", source));
        }
        yield* dayResults(of(null, { span: "1y" }));
        for (const account of accounts.slice(0, yearsPreloaded)) {
          const year = of(account, { span: "1y" });
          yield* readDrawdown(year, shownSpan(year).from);
        }
      });
    } catch (error) {
      // Without a readable database there is nothing to load; pages report the error.
      if (!(error instanceof QueryError)) return;
    }
  }
}

const preloadAttempts = 30;
/** Of all accounts together, and of the first ones. What a year is read from takes some MiB. */
const yearsPreloaded = 6;
