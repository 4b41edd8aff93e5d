/** Collects the books of a month: what an accountant needs, as files for one ZIP file. */
import type { Paced } from "../../core/async/cooperate.ts";
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
    yield {
      name: `statement-${fileName(account)}-${month.name}.html`,
      lines: statementLines(source, account, month, timezone),
    };
}

function* statementLines(source: Source, account: string, month: Period, timezone: string): Paced<string> {
  yield documentOf(yield* statementOf(source, account, month, timezone));
}

/** Returns a name without characters that some systems do not allow in file names. */
export const fileName = (name: string): string => name.replace(/[^\w.-]/g, "_");
