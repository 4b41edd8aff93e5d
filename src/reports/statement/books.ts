/** Collects the books of a month: what an accountant needs, as files for one ZIP file. */
import type { Paced, Steps } from "../../core/async/cooperate.ts";
import type { ZipEntry } from "../../output/zip.ts";
import type { Period, Step } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import { balances } from "../balances.ts";
import { ledger } from "../books/ledger.ts";
import { coverage } from "../coverage.ts";
import { equity } from "../equity.ts";
import { pnl } from "../ledger/pnl.ts";
import { reconciliation } from "../ledger/reconciliation.ts";
import { csvLines } from "../render.ts";
import type { Report } from "../report.ts";
import { documentOf } from "./document.ts";
import { csvOfLines, linesOf } from "./lines.ts";
import { statementOf } from "./statement.ts";

/** The reports in the books, and the period of their rows. */
const contents: readonly (readonly [Report, Step])[] = [
  [balances, "month"],
  [equity, "day"],
  [pnl, "day"],
  [ledger, "day"],
  [coverage, "month"],
  [reconciliation, "month"],
];

/** Yields the files of the books of a month, of one account or of all (null). Each is read when its lines are. */
export function* booksOf(source: Source, month: Period, timezone: string): Generator<ZipEntry, void> {
  const { from, to } = month;
  for (const [report, by] of contents)
    yield { name: `${report.name}-${month.name}.csv`, lines: csvLines(report, source, { timezone, by, from, to }) };
  for (const account of source.account === null ? source.history.accounts() : [source.account])
    for (const form of forms)
      yield {
        name: `statement-${fileName(account)}-${month.name}.${form}`,
        lines: statementLines(form, source, account, month, timezone),
      };
}

/** A statement as a sheet to print, or its lines with every digit. */
export const forms = ["html", "csv"] as const;
export type Form = (typeof forms)[number];

/** Reads a statement and returns it as a file. */
export function* statementIn(
  form: Form,
  source: Source,
  account: string,
  month: Period,
  timezone: string,
): Steps<string> {
  return form === "html"
    ? documentOf(yield* statementOf(source, account, month, timezone))
    : csvOfLines(yield* linesOf(source, account, month, timezone), { account, month });
}

function* statementLines(...of: Parameters<typeof statementIn>): Paced<string> {
  yield yield* statementIn(...of);
}

/** Returns a name without characters that some systems do not allow in file names. */
export const fileName = (name: string): string => name.replace(/[^\w.-]/g, "_");
