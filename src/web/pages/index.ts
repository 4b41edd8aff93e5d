/** The pages a person reads, and under `/api/` what they show, for programs and spreadsheets. */

import type { Context } from "hono";
import { Hono } from "hono";
import type { Steps } from "../../core/async/cooperate.ts";
import { QueryError } from "../../core/errors.ts";
import { Curves, sourceKey } from "../curves/curves.ts";
import { equitySource } from "../curves/sources.ts";
import type { View } from "../data/table.ts";
import type { Site } from "../site.ts";
import { api } from "./api.ts";
import { balancesPage } from "./balances.ts";
import { coinPage } from "./coin.ts";
import { collectionPage } from "./collection.ts";
import { daysPage } from "./days.ts";
import { overviewPage } from "./overview.ts";
import type { Html } from "./parts/figure.ts";
import { createView, parsePageQuery } from "./parts/query-params.ts";
import { positionPage } from "./position.ts";
import { positionsPage } from "./positions.ts";

/** Reads what a page shows and makes HTML of it. */
export type PageOf = (view: View, c: Context) => Steps<Html>;

const pageByPath: Record<string, PageOf> = {
  "/": overviewPage,
  "/days": daysPage,
  "/positions": positionsPage,
  "/position": positionPage,
  "/balances": balancesPage,
  "/coin": coinPage,
  "/collection": collectionPage,
};

export function pages(site: Site): Hono {
  const app = new Hono();
  for (const [path, page] of Object.entries(pageByPath))
    app.get(path, async (c) => {
      const question = parsePageQuery(c, site);
      const body = await site.reader.readInSteps((history) => page(createView(history, question, site), c));
      return c.html(body);
    });
  const curves = new Curves();
  void preloadCurves(site, curves);
  return app.route("/api", api(site, curves));
}

/** Reads what the overview draws before anybody asks for it: of a long history that takes some seconds. */
async function preloadCurves({ reader, now, timezone }: Site, curves: Curves): Promise<void> {
  // Each time goes on where the one before was out of time.
  for (let time = 0; time < preloadAttempts; time += 1) {
    try {
      return await reader.readInSteps(function* (history) {
        const at = now();
        for (const account of new Set([null, ...history.accounts()])) {
          const source = equitySource({ history, account, at, isNow: true, timezone, params: {} });
          yield* curves.prepare(history, source, sourceKey("equity", source));
        }
      });
    } catch (error) {
      // Without a database there is nothing to read; whoever opens a page is told.
      if (!(error instanceof QueryError)) return;
    }
  }
}

const preloadAttempts = 20;
