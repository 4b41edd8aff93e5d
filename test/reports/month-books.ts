/** Checks the books of a month against the reports that they consist of. */
import { strFromU8, unzipSync } from "fflate";
import { expect } from "vitest";
import { pause, runToEnd } from "../../src/core/async/cooperate.ts";
import { csvLine } from "../../src/output/csv.ts";
import { shownMoney } from "../../src/output/shown.ts";
import { zipOf } from "../../src/output/zip.ts";
import { type Period, periodOf, type Span } from "../../src/queries/periods.ts";
import { reportNamed } from "../../src/reports/index.ts";
import { headerOf } from "../../src/reports/report.ts";
import { booksOf } from "../../src/reports/statement/books.ts";
import { documentOf } from "../../src/reports/statement/document.ts";
import { statementOf } from "../../src/reports/statement/statement.ts";
import type { HistoryReader } from "../../src/store/history.ts";
import { withHistory } from "../../src/store/read/open-history.ts";

const by = {
  balances: "month",
  equity: "day",
  pnl: "day",
  ledger: "day",
  coverage: "month",
  reconciliation: "month",
} as const;

/** Expects the ZIP file of a month to have each report to the last byte, and a statement of each account with its figures. */
export function expectBooks(path: string, month: string, accounts: readonly string[]): void {
  const period = periodOf("UTC", "month", Date.parse(`${month}-01`));
  withHistory(path, (history) => {
    const source = { history, account: null, now: period.to };
    const chunks = [...zipOf(booksOf(source, period, "UTC"), period.to)].filter((chunk) => chunk !== pause);
    const files = Object.entries(unzipSync(Buffer.concat(chunks))).map(
      ([name, bytes]) => [name, strFromU8(bytes)] as const,
    );
    const texts = new Map(files);
    expect([...texts.keys()]).toEqual([
      ...Object.keys(by).map((name) => `${name}-${month}.csv`),
      ...accounts.flatMap((account) => ["html", "csv"].map((form) => `statement-${account}-${month}.${form}`)),
    ]);
    for (const [name, step] of Object.entries(by)) {
      const span: Span = { timezone: "UTC", by: step, from: period.from, to: period.to };
      expect(texts.get(`${name}-${month}.csv`)).toBe(csvOf(name, history, span, period.to));
    }
    for (const account of accounts)
      expectStatement(history, account, period, texts.get(`statement-${account}-${month}.html`));
  });
}

function csvOf(name: string, history: HistoryReader, span: Span, now: number): string {
  const report = reportNamed(name);
  if (!report) throw new Error(`there is no report ${name}`);
  const rows = [...report.rows({ history, account: null, now }, span)].filter((row) => row !== pause);
  return [headerOf(report, span), ...rows].map((row) => csvLine(row)).join("");
}

function expectStatement(history: HistoryReader, account: string, period: Period, text = ""): void {
  const found = runToEnd(statementOf({ history, account: null, now: period.to }, account, period, "UTC"));
  expect(documentOf(found)).toBe(text);
  expect(text).toContain(`<h1>Statement of January 2026, ${account}</h1>`);
  for (const { known } of Object.values(found.lines?.lines ?? {}))
    expect(text).toContain(known === null ? "unknown" : shownMoney(known));
  expect(text).toContain(history.chainEnd()?.digest);
  expect(text).not.toMatch(/undefined|null|NaN|\[object/);
  // Nothing is loaded from elsewhere.
  expect(text).not.toMatch(/\b(src|href)=|https?:/);
}
