/** Reads the lines of a statement: the equity at both ends of a month, what changed it, and where that is unknown, what is known of it. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { decimalIn } from "../../core/decimal.ts";
import type { Cell, DecimalString } from "../../core/domain.ts";
import { csvLine } from "../../output/csv.ts";
import { type Period, periodsOf, type Span } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import { resultIn, sumOfKnown } from "../ledger/known-days.ts";
import { pnl } from "../ledger/pnl.ts";
import { headerOf, type Report } from "../report.ts";

/** The row of a report, by column. */
export type StatementRow = Readonly<Record<string, Cell>>;

/** What the result consists of. */
const terms = ["realized", "funding", "fees", "interest", "unrealized", "prices", "unexplained"] as const;
const changes = ["flows", ...terms, "result", "other"] as const;
type Change = (typeof changes)[number];

/** The lines in the order of the sheet. */
const lineNames = ["opening", ...changes, "closing"] as const;
export type LineName = (typeof lineNames)[number];

/** One line. Unit: USDT. */
export interface Line {
  name: LineName;
  /** Of the whole month; null if it is unknown. */
  value: DecimalString | null;
  /** What is known of it: the sum of the known days, or of an equity, the known close of a day that is nearest to it. */
  known: DecimalString | null;
  /** The number of these days; null of an equity. */
  knownDays: number | null;
  /** When that equity was read (ISO 8601); null of a sum. */
  knownAt: string | null;
}

export interface Lines {
  lines: Readonly<Record<LineName, Line>>;
  /** The number of days of the month, up to the present one. */
  days: number;
  /** The days of which a line is unknown, and why. */
  unknownDays: readonly (readonly [day: string, cause: string])[];
  /** Why lines of the whole month are unknown, and the coins without a price; null if there are none. */
  unknown: string | null;
  unpriced: string | null;
}

/** Reads the lines of an account and a month; null if the account had no equity by then. */
export function* linesOf(source: Source, account: string, month: Period, timezone: string): Steps<Lines | null> {
  const { from, to } = month;
  const own = { ...source, account };
  const [whole] = yield* rowsOf(pnl, own, { timezone, by: "month", from, to });
  if (!whole) return null;
  const daily: Span = { timezone, by: "day", from, to: Math.min(to, source.now + 1) };
  const days = [...periodsOf(daily)].length;
  const isWhole = lineNames.every((name) => valueIn(whole, name) !== null);
  const rows = isWhole ? [] : yield* rowsOf(pnl, own, daily);
  const lines = lineNames.map((name): [LineName, Line] => [name, lineOf(name, whole, { rows, days })]);
  return {
    lines: Object.fromEntries(lines) as Record<LineName, Line>,
    days,
    unknownDays: rows
      .filter((row) => changes.some((name) => valueIn(row, name) === null))
      .map((row) => [String(row.day), String(row.unknown ?? "")]),
    unknown: textIn(whole, "unknown"),
    unpriced: textIn(whole, "unpriced"),
  };
}

/** Returns a line of a month, of which the rows of its days say what is known. */
function lineOf(
  name: LineName,
  whole: StatementRow,
  { rows, days }: { rows: readonly StatementRow[]; days: number },
): Line {
  const value = valueIn(whole, name);
  if (name === "opening" || name === "closing") {
    const ends = [whole, ...rows].flatMap((row) => [equityIn(row, "opening"), equityIn(row, "closing")]);
    const all = ends.flatMap((one) => one ?? []).sort((one, other) => (one.at < other.at ? -1 : 1));
    const nearest = equityIn(whole, name) ?? (name === "opening" ? all[0] : all.at(-1));
    return { name, value, known: nearest?.value ?? null, knownDays: null, knownAt: nearest?.at ?? null };
  }
  const known = value === null ? sumOfKnown(rows.map((row) => valueIn(row, name))) : { value, days };
  return { name, value, known: known.value, knownDays: known.days, knownAt: null };
}

/** Returns an equity of a row, and when it was read. */
function equityIn(row: StatementRow, name: "opening" | "closing"): { value: DecimalString; at: string } | null {
  const [value, at] = [decimalIn(row, name), textIn(row, `${name}_at`)];
  return value !== null && at !== null ? { value, at } : null;
}

/** Returns a figure of a row of the report `pnl`. What nothing explains is unknown where a term is, because it contains that. */
function valueIn(row: StatementRow, name: LineName): DecimalString | null {
  if (name === "result") return resultIn(row);
  const isExplained =
    name !== "unexplained" || (["flows", ...terms, "other"] as Change[]).every((one) => decimalIn(row, one) !== null);
  return isExplained ? decimalIn(row, name) : null;
}

const csvColumns = ["month", "account", "line", "usdt", "known", "known_at", "known_days", "days", "unknown"];

/** Returns the lines as CSV, with every digit. */
export function csvOfLines(found: Lines | null, { account, month }: { account: string; month: Period }): string {
  const rows = Object.values(found?.lines ?? {}).map(({ name, value, known, knownAt, knownDays }) => {
    const counts = knownDays === null ? [null, null] : [knownDays, found?.days ?? 0].map(BigInt);
    const cause = knownDays === null ? "no complete equity near the close" : (found?.unknown ?? null);
    return [month.name, account, name, value, known, knownAt, ...counts, value === null ? cause : null];
  });
  return [csvColumns, ...rows].map((row) => csvLine(row)).join("");
}

const textIn = (row: StatementRow, name: string): string | null => (typeof row[name] === "string" ? row[name] : null);

/** Reads the rows of a report. */
export function* rowsOf(report: Report, source: Source, span: Span): Steps<StatementRow[]> {
  const header = headerOf(report, span);
  const rows: StatementRow[] = [];
  for (const row of report.rows(source, span)) {
    if (row === pause) yield pause;
    else rows.push(Object.fromEntries(header.map((name, at) => [name, row[at] ?? null])));
  }
  return rows;
}
