/** Sums up days of which some are unknown: every page, statement and file counts them in this way. */
import { decimalIn, subtract, sum } from "../../core/decimal.ts";
import type { Cell, DecimalString } from "../../core/domain.ts";

/** The sum of the days of which a figure is known, and their number; null without any. */
export interface KnownSum {
  value: DecimalString | null;
  days: number;
}

/** Sums up a figure of days; null is a day of which it is unknown. */
export function sumOfKnown(values: readonly (DecimalString | null)[]): KnownSum {
  const known = values.filter((value) => value !== null);
  return { value: known.length > 0 ? sum(known) : null, days: known.length };
}

/**
 * Returns what was made by a row of the report `pnl`: the change of the equity without what was paid in and out and without what has no
 * ledger; null if a part is unknown.
 */
export function resultIn(row: Readonly<Record<string, Cell>>): DecimalString | null {
  const [change, flows, other] = ["change", "flows", "other"].map((name) => decimalIn(row, name));
  return change && flows && other ? subtract(subtract(change, flows), other) : null;
}
