/** Serves the files of the reports below `/reports/`. */
import { Readable } from "node:stream";
import { type Context, Hono } from "hono";
import type { Paced, Steps } from "../../../core/async/cooperate.ts";
import { pngOf, svgOf } from "../../../output/chart/chart.ts";
import { csvLine, spreadsheetLine, spreadsheetMark } from "../../../output/csv.ts";
import { zipOf } from "../../../output/zip.ts";
import { type Span, spanOf as wholeSpanOf } from "../../../queries/periods.ts";
import type { Source } from "../../../queries/source.ts";
import type { Format } from "../../../reports/formats/format.ts";
import { formats, linesFor, Omissions } from "../../../reports/formats/index.ts";
import { reportNamed } from "../../../reports/index.ts";
import { csvLines } from "../../../reports/render.ts";
import { beginOf, type Report } from "../../../reports/report.ts";
import { booksOf, type Form, forms, statementIn } from "../../../reports/statement/books.ts";
import type { HistoryReader } from "../../../store/history.ts";
import { badRequest, notFound, type Site } from "../../site.ts";
import { createView, parsePageQuery, textParam } from "../parts/query-params.ts";
import { monthIn, parseChoice, spanOf } from "./choice.ts";
import { openReportFile } from "./files.ts";
import { statementParams } from "./statement.ts";

/** Returns the routes of the files. */
export const reportDownloads = (site: Site): Hono =>
  new Hono()
    .get("/files/:name", (c) => {
      const content = openReportFile(site.reportsDirectory, c.req.param("name"));
      if (!content) throw notFound("No daily report has that name.");
      return send(c, c.req.param("name"), Readable.toWeb(content) as ReadableStream<Uint8Array>);
    })
    .get("/:file", async (c) => {
      const file = c.req.param("file");
      const [, month] = /^books-(\d{4}-\d\d)\.zip$/.exec(file) ?? [];
      if (month !== undefined) return send(c, file, await books(site, c, month));
      const form = forms.find((one) => file === `statement.${one}`);
      if (form) return send(c, file, await statement(site, c, form));
      const [, name = "", ending = ""] = /^([a-z]+)\.(csv|svg|png)$/.exec(file) ?? [];
      const report = reportNamed(name);
      if (!report) throw notFound("No such report.");
      return send(c, file, ending === "csv" ? await csv(site, c, report) : await image(site, c, report, ending));
    });

const types: Readonly<Record<string, string>> = {
  ...{ csv: "text/csv; charset=utf-8", html: "text/html; charset=utf-8", zip: "application/zip" },
  ...{ svg: "image/svg+xml", png: "image/png" },
};

function send(c: Context, name: string, body: ReadableStream<Uint8Array> | string | Uint8Array<ArrayBuffer>) {
  c.header("Content-Type", types[name.split(".").at(-1) ?? ""] ?? "application/octet-stream");
  c.header("Content-Disposition", `attachment; filename="${name}"`);
  return c.body(body);
}

function csv(site: Site, c: Context, report: Report): Promise<ReadableStream<Uint8Array>> {
  const chosen = sourceOf(site, c, report);
  const program = textParam(c, "for");
  const format = formats.find(({ name }) => name === program);
  if (program !== null && (!format || report.name !== "ledger"))
    throw badRequest(`"for" is for the ledger: ${formats.map(({ name }) => name).join(", ")}.`);
  const [part, form] = [textParam(c, "part"), textParam(c, "form")];
  return site.reader.stream((history) => {
    const { source, span } = chosen(history);
    if (format) return programLines(format, source, span, part === "left-out");
    return form === "spreadsheet" ? forSpreadsheet(report, source, span) : csvLines(report, source, span, csvLine);
  });
}

function* forSpreadsheet(report: Report, source: Source, span: Span): Paced<string> {
  yield spreadsheetMark;
  yield* csvLines(report, source, span, spreadsheetLine);
}

/** Yields the file for a tax program, or the entries that are not in it. */
function* programLines(format: Format, source: Source, span: Span, isLeftOut: boolean): Paced<string> {
  if (!format.hasAccounts && source.account === null && source.history.accounts().length > 1)
    throw badRequest(`A file for ${format.name} is of one account.`);
  const omissions = new Omissions();
  const lines = linesFor(format, source, wholeSpanOf(span) ?? span, omissions);
  if (!isLeftOut) return yield* lines;
  for (const line of lines) if (typeof line === "symbol") yield line;
  yield omissions.csv() ?? csvLine(["reason"]);
}

function image(site: Site, c: Context, report: Report, ending: string): Promise<string | Uint8Array<ArrayBuffer>> {
  const chosen = sourceOf(site, c, report);
  return site.reader.readInSteps(function* (history): Steps<string | Uint8Array<ArrayBuffer>> {
    if (!report.chart) throw notFound(`${report.name} has no chart.`);
    const { source, span } = chosen(history);
    const svg = svgOf(yield* report.chart(source, span));
    return ending === "svg" ? svg : new Uint8Array(pngOf(svg));
  });
}

/** Returns a function that gives what a report is read from, and the span, by the parameters of a request. */
function sourceOf(site: Site, c: Context, report: Report) {
  const question = { ...parsePageQuery(c, site), at: null };
  const choice = parseChoice(c, site);
  return (history: HistoryReader) => {
    const { account } = createView(history, question, site);
    const now = site.now();
    const span = spanOf(choice, report.by ?? "day", { first: beginOf(report, history, choice.from) ?? now, now });
    return { source: { history, account, now }, span };
  };
}

function books(site: Site, c: Context, month: string): Promise<ReadableStream<Uint8Array>> {
  const question = { ...parsePageQuery(c, site), at: null };
  const { timezone } = parseChoice(c, site);
  const period = monthIn(month, timezone);
  const now = site.now();
  if (!period || period.from > now) throw badRequest(`${month} is no month that has begun.`);
  return site.reader.streamBytes((history) => {
    const { account } = createView(history, question, site);
    return zipOf(booksOf({ history, account, now }, period, timezone), now);
  });
}

function statement(site: Site, c: Context, form: Form): Promise<string> {
  const question = { ...parsePageQuery(c, site), at: null };
  return site.reader.readInSteps(function* (history) {
    const view = createView(history, question, site);
    const { account, month, timezone } = statementParams(view, c, site);
    return yield* statementIn(form, { history, account, now: site.now() }, account, month, timezone);
  });
}
