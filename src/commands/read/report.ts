import { extname, resolve } from "node:path";
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { UsageError } from "../../core/errors.ts";
import { writeAtomically } from "../../output/atomic-file.ts";
import { type Chart, pngOf, svgOf } from "../../output/chart/chart.ts";
import { csvLine, csvLineForTerminal } from "../../output/csv.ts";
import { localText, periodOf, type Span, type Step, startOfDate, steps } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import { formats } from "../../reports/formats/index.ts";
import { reportNamed, reports } from "../../reports/index.ts";
import { chartOf, csvOf } from "../../reports/render.ts";
import { beginOf, type Report } from "../../reports/report.ts";
import { type Config, loadConfig } from "../../settings/config.ts";
import type { HistoryReader } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { requireForeignFile } from "../../store/responses/own-files.ts";
import { withCurrency } from "../books/currency.ts";
import { formatOf, writeFor } from "../books/for-program.ts";
import { outputPath } from "../books/output-path.ts";
import type { Command, CommandInput } from "../command.ts";
import { dateOf, parseInstant, requireTimezone } from "../shared/instant.ts";
import { choiceOf, ownAccount, recordedAccount, textOption } from "../shared/option.ts";
import { knownNames } from "../terminal/suggest.ts";

const names = reports.map(({ name }) => name);

export const report: Command = {
  examples: [
    "report balances --from 2026-11-01 --by day --out balances.csv",
    "report positions --from -7d --account main",
    "report equity --out equity.svg",
    "report ledger --from 2026-01 --to 2027-01 --account main --for koinly --out koinly.csv",
  ],
  details: [
    ...reports.map(({ name, summary }) => `  ${name.padEnd(14)} ${summary}`),
    "",
    "Covers whole days or months from the first run on, of records from the first record on; the current one is marked as going on.",
    "Times: 2026-11-01, 2026-11, today, yesterday (of the time zone), 2026-11-01T12:30:00Z, now, -1h, -7d, -1w.",
    "`report equity --out equity.svg` (or .png) draws a chart.",
  ],
  options: [
    { flags: "--list", summary: "list the reports, one per line" },
    { flags: "--json", summary: "with --list: print JSON" },
    { flags: "--from <time>", summary: "from the day of this time on" },
    { flags: "--to <time>", summary: "only days that begin before this time" },
    { flags: "--account <name>", summary: "only this account" },
    { flags: "--timezone <name>", summary: "time zone of the days, such as Europe/Berlin (default: TIMEZONE)" },
    { flags: "--by <step>", summary: "day (the default), or month (the default of returns)" },
    {
      flags: "--for <program>",
      summary: `the ledger for a tax program: ${formats.map(({ name }) => name).join(", ")}`,
    },
    {
      flags: "--currency <code>",
      summary: "balances, equity, pnl and returns also in this currency, such as EUR, with rate and source",
    },
    {
      flags: "--rates <path>",
      summary: "reference rates of the ECB (eurofxref-hist.zip); without it, the recorded pair EURUSDT",
    },
    { flags: "--out <path>", summary: "write to this file instead of stdout; its folder must exist" },
  ],
  onPostgres: "mirror",
  readsHistory: ({ list }) => !list,
  isPaged: () => true,
  async run(input) {
    const { args, options, env, print } = input;
    if (options.json && !options.list) throw new UsageError("--json needs --list; a report is CSV");
    if (options.json) {
      const all = reports.map(({ name, summary, chart }) => ({ name, summary, chart: chart !== undefined }));
      print(JSON.stringify({ schema_version: 1, reports: all }, null, 2));
      return 0;
    }
    if (options.list) {
      for (const { name, summary } of reports) print(`${name.padEnd(14)} ${summary}`);
      return 0;
    }
    const named = reportNamed(args[0] ?? "");
    if (args.length !== 1) throw new UsageError(`name one report: ${names.join(", ")}`);
    if (!named) throw new UsageError(`unknown report "${args[0]}"${knownNames("reports", args[0] ?? "", names)}`);
    const config = loadConfig(env, { credentials: false });
    const { report: chosen, missingRates } = withCurrency(named, options);
    const path = outputOf(chosen, options);
    const format = formatOf(chosen.name, options);
    const by = choiceOf(options, "by", steps) ?? chosen.by ?? "day";
    if (path !== null) requireForeignFile(path, config.databasePath);
    const history = openHistory(config.databasePath);
    try {
      const now = Date.now();
      // The slots of public datasets are counted too.
      const accountOf = chosen.name === "coverage" ? recordedAccount : ownAccount;
      const source = { history, account: accountOf(history, options) ?? null, now };
      const span = spanOf(history, config, options, { report: chosen, by, now });
      const target = { path, databasePath: config.databasePath };
      const counted = withCount(chosen);
      if (format) {
        const isEmpty = await writeFor(format, source, span, target, input);
        if (isEmpty) input.printError(noRows(`the file for ${format.name}`, span));
      } else if (path === null) await printReport(counted, source, span, input);
      else await writeReport(counted, source, span, path, input);
      if (counted.isEmpty())
        input.printError(noRows(path !== null && isImage(path) ? `the chart of ${chosen.name}` : chosen.name, span));
      const missing = missingRates();
      if (missing !== null) input.printError(missing);
      return 0;
    } finally {
      history.close();
    }
  },
};

/** Returns a report that knows, once its rows or its chart were read, whether they have anything. */
function withCount(report: Report): Report & { isEmpty(): boolean } {
  let isEmpty = false;
  return {
    ...report,
    *rows(source, span) {
      isEmpty = true;
      for (const row of report.rows(source, span)) {
        if (row !== pause) isEmpty = false;
        yield row;
      }
    },
    ...(report.chart && {
      *chart(source: Source, span: Span) {
        const drawn = yield* report.chart?.(source, span) as Steps<Chart>;
        isEmpty = drawn.lines.every(({ points }) => points.every(({ value }) => value === null));
        return drawn;
      },
    }),
    isEmpty: () => isEmpty,
  };
}

function noRows(what: string, { from, to, timezone }: Span): string {
  const when =
    from >= to
      ? ": nothing is recorded of this time"
      : ` from ${localText(from, timezone)} to ${localText(to, timezone)} (${timezone})`;
  return `${what} has no ${what.startsWith("the chart") ? "values" : "rows"}${when}; \`report coverage\` says what was collected.`;
}

async function printReport(
  report: Report,
  source: Source,
  span: Span,
  { write, isTerminal }: CommandInput,
): Promise<void> {
  const line = isTerminal ? csvLineForTerminal : csvLine;
  for await (const text of csvOf(report, source, span, { line })) if (!(await write(text))) return;
}

async function writeReport(
  report: Report,
  source: Source,
  span: Span,
  path: string,
  { printError }: CommandInput,
): Promise<void> {
  await writeAtomically(path, isImage(path) ? imageOf(report, source, span, path) : csvOf(report, source, span));
  printError(`${path} was written`);
}

const isImage = (path: string): boolean => [".svg", ".png"].includes(extname(path).toLowerCase());

async function* imageOf(report: Report, source: Source, span: Span, path: string): AsyncGenerator<string | Buffer> {
  const chart = await chartOf(report, source, span);
  if (!chart) throw new UsageError(`${report.name} has no chart`);
  const svg = svgOf(chart);
  yield extname(path).toLowerCase() === ".png" ? pngOf(svg) : svg;
}

/** Returns the path of --out; null for stdout. */
function outputOf({ name, chart }: Report, options: CommandInput["options"]): string | null {
  const given = textOption(options, "out");
  if (given === undefined) return null;
  const path = resolve(given);
  if (isImage(path) && !chart) {
    const charts = reports.filter((one) => one.chart).map((one) => one.name);
    throw new UsageError(`${name} has no chart, unlike ${charts.join(" and ")}; name a .csv file`);
  }
  return outputPath(path);
}

/** Returns the span of the report: from `--from` or its first rows to `--to` or now. */
function spanOf(
  history: HistoryReader,
  config: Config,
  options: CommandInput["options"],
  { report, by, now }: { report: Report; by: Step; now: number },
): Span {
  const timezone = requireTimezone(textOption(options, "timezone") ?? config.timezone);
  const instant = (option: "from" | "to", unlimited: number): number => {
    const text = textOption(options, option);
    return text === undefined
      ? unlimited
      : (startOfDate(dateOf(text, periodOf(timezone, "day", now).name), timezone) ??
          parseInstant(`--${option}`, text, now, timezone));
  };
  const [from, to] = [instant("from", Number.NEGATIVE_INFINITY), instant("to", Number.POSITIVE_INFINITY)];
  if (!(from < to)) throw new UsageError("--to is not after --from; the day of --to is excluded");
  const first = beginOf(report, history, from) ?? now;
  return { timezone, by, from: Math.max(from, first), to: Math.min(to, now) };
}
