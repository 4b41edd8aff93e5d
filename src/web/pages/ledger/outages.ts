/** Joins the stretches that one outage left without a ledger, so that it is one row. */
import type { HistoryRow } from "../../../store/history.ts";
import { millis } from "../../data/ledger/reconciliation.ts";

/** Stretches that are shown in one row: those of an outage, or a single one. */
export interface Finding {
  /** The first stretch; that of several has the span of all, and no amounts. */
  row: HistoryRow;
  stretches: readonly HistoryRow[];
}

/** Returns the findings in the order of their first stretches: gaps of an account that have the same cause and overlap are one. */
export function findingsIn(rows: readonly HistoryRow[]): Finding[] {
  const found: HistoryRow[][] = [];
  for (const row of rows) {
    const same = row.verdict === "gap" ? found.find((own) => own.some((one) => isOfOutage(row, one))) : undefined;
    if (same) same.push(row);
    else found.push([row]);
  }
  return found.flatMap((stretches) => {
    const [first] = stretches;
    return first ? { row: stretches.length > 1 ? joined(first, stretches) : first, stretches } : [];
  });
}

const isOfOutage = (row: HistoryRow, one: HistoryRow): boolean =>
  ["account", "verdict", "cause"].every((name) => row[name] === one[name]) &&
  millis(row.from_at) < millis(one.to_at) &&
  millis(one.from_at) < millis(row.to_at);

function joined(first: HistoryRow, stretches: readonly HistoryRow[]): HistoryRow {
  const timesOf = (name: string) => stretches.map((one) => String(one[name])).sort();
  const none = { residual: null, opening: null, change: null, entries: null, closing: null };
  return { ...first, ...none, from_at: timesOf("from_at")[0] ?? null, to_at: timesOf("to_at").at(-1) ?? null };
}
