/** Serves `/api/curve`, and each table as `/api/NAME` (JSON) and `/api/NAME.csv`. */

import { type Context, Hono } from "hono";
import { type Paced, pause, type Steps } from "../../core/async/cooperate.ts";
import { dayMs } from "../../core/time.ts";
import { csvLine } from "../../output/csv.ts";
import { type HistoryRow, positionKey } from "../../store/history.ts";
import { type CurveData, type CurveRequest, lineNames, sourceKey } from "../curves/curves.ts";
import type { LineSource } from "../curves/lines.ts";
import { hasDeposits, profitLineNames, type Readers } from "../curves/profit/profit-curve.ts";
import { coinSource, equitySource, positionSource } from "../curves/sources.ts";
import { jsonCell, servedRow } from "../data/last-known.ts";
import { allRows, type DataTable, type View } from "../data/table.ts";
import { tables } from "../data/tables.ts";
import { badRequest, invalidParam, notFound, type Site } from "../site.ts";
import { createView, integerParam, type PageQuery, parsePageQuery, textParam } from "./parts/query-params.ts";

/** Maximum number of rows in a JSON response; the CSV contains all. */
const maxJsonRows = 1000;

/** Returns the routes of the API. */
export function api(site: Site, readers: Readers): Hono {
  return new Hono()
    .get("/curve", async (c) => {
      const ask = parseCurveParams(c, site);
      return c.json(
        await site.reader.readInSteps((history) => curve(createView(history, ask.question, site), ask, readers)),
      );
    })
    .get("/curve.csv", async (c) => {
      const ask = parseCurveParams(c, site);
      const body = await site.reader.stream((history) =>
        curveCsv(createView(history, ask.question, site), ask, readers),
      );
      return download(c, body, "curve");
    })
    .get("/:file", async (c) => {
      const [, name = "", ending] = /^([a-z]+)(\.csv)?$/.exec(c.req.param("file")) ?? [];
      const table = tables.find((one) => one.name === name);
      if (!table) throw notFound(`No such table; the tables are ${tables.map(({ name }) => name).join(", ")}.`);
      const question = parsePageQuery(c, site);
      requireParams(question, table.name, table.needs);
      if (ending) {
        const body = await site.reader.stream((history) => csvLines(table, createView(history, question, site)));
        return download(c, body, table.name);
      }
      const body = await site.reader.readInSteps(function* (history) {
        const view = createView(history, question, site);
        const rows = yield* allRows(table, view, maxJsonRows);
        return {
          at: new Date(view.at).toISOString(),
          account: view.account,
          rows: rows.map((row) => jsonRow(table, row)),
        };
      });
      return c.json(body);
    });
}

function download(c: Context, body: ReadableStream<Uint8Array>, name: string) {
  c.header("Content-Type", "text/csv; charset=utf-8");
  c.header("Content-Disposition", `attachment; filename="${name}.csv"`);
  return c.body(body);
}

function requireParams({ account, params }: PageQuery, name: string, needs: readonly string[] | undefined): void {
  const missing = needs?.filter((parameter) => params[parameter] === undefined) ?? [];
  if (needs && account === null) missing.unshift("account");
  if (missing.length > 0) throw badRequest(`"${name}" also needs ${missing.join(", ")}.`);
}

/** Yields the CSV header, then a line for each row. */
function* csvLines(table: DataTable, view: View): Paced<string> {
  const names = table.columns.map(({ name }) => name);
  yield csvLine(names);
  for (const row of table.rows(view)) {
    const served = row === pause ? {} : servedRow(table, row);
    yield row === pause ? pause : csvLine(names.map((name) => served[name] ?? null));
  }
}

/** Returns a row for JSON, in which the last known values are an object. */
const jsonRow = (table: DataTable, row: HistoryRow): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(servedRow(table, row)).map(([name, cell]) => [
      name,
      name === "last_known" && typeof cell === "string" ? JSON.parse(cell) : jsonCell(cell),
    ]),
  );

const spans: Record<string, number> = { "1d": 1, "1w": 7, "1m": 30, "3m": 91, "1y": 365 };

const sources: Record<string, { needs: readonly string[]; of: (view: View) => ReturnType<typeof equitySource> }> = {
  equity: { needs: [], of: equitySource },
  profit: { needs: [], of: equitySource },
  coin: { needs: ["wallet", "coin"], of: coinSource },
  position: { needs: positionKey.slice(1), of: positionSource },
};

interface CurveParams {
  question: PageQuery;
  of: string;
  from: number | null;
  to: number;
  now: number;
  width: number;
  lines: string[] | null;
}

/**
 * Parses the parameters of a curve: `of`, a `span` that ends at the shown instant or else `from` and `to` in epoch ms, and `width` in
 * pixels. @throws HTTPException 400
 */
function parseCurveParams(c: Context, site: Site): CurveParams {
  const question = parsePageQuery(c, site);
  const of = textParam(c, "of") ?? "equity";
  const source = Object.hasOwn(sources, of) ? sources[of] : undefined;
  if (!source) throw invalidParam("of", of, `one of ${Object.keys(sources).join(", ")}`);
  if (source.needs.length > 0) requireParams(question, of, source.needs);
  const now = site.now();
  const span = textParam(c, "span");
  if (span !== null && span !== "all" && !Object.hasOwn(spans, span))
    throw invalidParam("span", span, `one of ${Object.keys(spans).join(", ")}, all`);
  const end = question.at ?? now;
  const to = integerParam(c, "to", 1, Number.MAX_SAFE_INTEGER, end);
  const days = span === null ? undefined : spans[span];
  const from =
    textParam(c, "from") === null ? (days ? to - days * dayMs : null) : integerParam(c, "from", 0, to - 1, 0);
  const lines = textParam(c, "lines")?.split(",") ?? null;
  return { question, of, from, to: Math.min(to, end), now, width: integerParam(c, "width", 50, 4000, 1000), lines };
}

function curve(view: View, ask: CurveParams, { curves, profits }: Readers): Steps<CurveData> {
  const [source, request] = requested(view, ask);
  if (ask.of === "profit") return profits.curve(view, request);
  if (ask.of === "equity" && hasDeposits(request)) return profits.equity(view, request);
  return curves.curve(view.history, source, request);
}

/** Yields every point of a curve as CSV, from its first data on. */
function* curveCsv(view: View, ask: CurveParams, { curves, profits }: Readers): Paced<string> {
  const [source, request] = requested(view, ask);
  const isProfit = ask.of === "profit";
  const isPaid = ask.of === "equity" && hasDeposits(request);
  const names = isProfit ? profitLineNames(request) : lineNames(request, source);
  yield csvLine(["at", ...names, ...(isPaid ? ["net_deposits"] : [])]);
  const points = isProfit
    ? profits.points(view, request)
    : isPaid
      ? profits.equityPoints(view, request)
      : curves.points(view.history, source, request);
  for (const point of points)
    yield point === pause ? pause : csvLine([new Date(point.at).toISOString(), ...point.values]);
}

/** @throws HTTPException 404 */
function requested(view: View, { of, ...request }: CurveParams): [LineSource, CurveRequest] {
  const source = sources[of]?.of(view) ?? equitySource(view);
  if (source.items.length === 0) throw notFound("No data was ever recorded for it.");
  return [source, { ...request, key: sourceKey(of, source) }];
}
