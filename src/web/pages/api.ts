/** `/api/curve`, and each table as `/api/NAME` (JSON) and `/api/NAME.csv`. */

import { type Context, Hono } from "hono";
import { type Paced, pause } from "../../core/async/cooperate.ts";
import type { Cell } from "../../core/domain.ts";
import { dayMs } from "../../core/time.ts";
import { csvLine } from "../../output/csv.ts";
import { positionKey } from "../../store/history.ts";
import { type Curves, nameOf } from "../curves/curves.ts";
import { coinSource, equitySource, positionSource } from "../curves/sources.ts";
import { allRows, type DataTable, type View } from "../data/table.ts";
import { tables } from "../data/tables.ts";
import { badRequest, notFound, type Site } from "../site.ts";
import { numberOf, type Question, questionOf, textOf, viewOf } from "./parts/query-params.ts";

/** Rows of JSON; who wants all of them takes the CSV. */
const mostRows = 1000;

export function api(site: Site, curves: Curves): Hono {
  return new Hono()
    .get("/curve", async (c) => {
      const ask = curveQuestion(c, site);
      return c.json(
        await site.reader.readInSteps((history) => curve(viewOf(history, ask.question, site), ask, curves)),
      );
    })
    .get("/:file", async (c) => {
      const [, name = "", ending] = /^([a-z]+)(\.csv)?$/.exec(c.req.param("file")) ?? [];
      const table = tables.find((one) => one.name === name);
      if (!table) throw notFound(`There is no such table; there are ${tables.map(({ name }) => name).join(", ")}.`);
      const question = questionOf(c, site);
      requireParameters(question, table.name, table.needs);
      if (ending) {
        const body = await site.reader.stream((history) => csvOf(table, viewOf(history, question, site)));
        c.header("Content-Type", "text/csv; charset=utf-8");
        c.header("Content-Disposition", `attachment; filename="${table.name}.csv"`);
        return c.body(body);
      }
      const answer = await site.reader.readInSteps(function* (history) {
        const view = viewOf(history, question, site);
        const rows = yield* allRows(table, view, mostRows);
        return {
          at: new Date(view.at).toISOString(),
          account: view.account,
          rows: rows.map((row) => asJson(table, row)),
        };
      });
      return c.json(answer);
    });
}

function requireParameters({ account, given }: Question, name: string, needs: readonly string[] | undefined): void {
  const missing = needs?.filter((parameter) => given[parameter] === undefined) ?? [];
  if (needs && account === null) missing.unshift("account");
  if (missing.length > 0) throw badRequest(`"${name}" also needs ${missing.join(", ")}.`);
}

/** The names of the columns, then a line for each row. */
function* csvOf(table: DataTable, view: View): Paced<string> {
  const names = table.columns.map(({ name }) => name);
  yield csvLine(names);
  for (const row of table.rows(view)) yield row === pause ? pause : csvLine(names.map((name) => row[name] ?? null));
}

/** Amounts stay texts, for JSON has no exact numbers; counts and flags are numbers. */
const asJson = (table: DataTable, row: Readonly<Record<string, Cell>>): Record<string, Cell> =>
  Object.fromEntries(
    table.columns.map(({ name }) => {
      const cell = row[name] ?? null;
      return [name, typeof cell === "bigint" ? Number(cell) : cell];
    }),
  );

const spans: Record<string, number> = { "1d": 1, "1w": 7, "1m": 30, "1y": 365 };

const sources: Record<string, { needs: readonly string[]; of: (view: View) => ReturnType<typeof equitySource> }> = {
  equity: { needs: [], of: equitySource },
  coin: { needs: ["wallet", "coin"], of: coinSource },
  position: { needs: positionKey.slice(1), of: positionSource },
};

interface CurveAsked {
  question: Question;
  of: string;
  from: number | null;
  to: number;
  now: number;
  width: number;
  lines: string[] | null;
}

/** Of `of`: a `span` that ends at the instant shown, or `from` and `to` in epoch ms; `width` in pixels. */
function curveQuestion(c: Context, site: Site): CurveAsked {
  const question = questionOf(c, site);
  const of = textOf(c, "of") ?? "equity";
  const source = Object.hasOwn(sources, of) ? sources[of] : undefined;
  if (!source) throw badRequest(`"of" is one of ${Object.keys(sources).join(", ")}.`);
  if (source.needs.length > 0) requireParameters(question, of, source.needs);
  const now = site.now();
  const span = textOf(c, "span");
  if (span !== null && span !== "all" && !Object.hasOwn(spans, span))
    throw badRequest(`"span" is one of ${Object.keys(spans).join(", ")}, all.`);
  const end = question.at ?? now;
  const to = numberOf(c, "to", 1, Number.MAX_SAFE_INTEGER, end);
  const days = span === null ? undefined : spans[span];
  const from = textOf(c, "from") === null ? (days ? to - days * dayMs : null) : numberOf(c, "from", 0, to - 1, 0);
  const lines = textOf(c, "lines")?.split(",") ?? null;
  return { question, of, from, to: Math.min(to, end), now, width: numberOf(c, "width", 50, 4000, 1000), lines };
}

function curve(view: View, { of, from, to, now, width, lines }: CurveAsked, curves: Curves) {
  const source = sources[of]?.of(view) ?? equitySource(view);
  if (source.items.length === 0) throw notFound("Nothing of it was ever seen.");
  return curves.answer(view.history, source, { name: nameOf(of, source), from, to, now, width, lines });
}
