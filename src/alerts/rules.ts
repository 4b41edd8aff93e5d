/**
 * Decides when an alert fires and when it recovers. Pure: the same measurements in the same order give the same alerts, with or
 * without restarts in between.
 */
import { compare, divide, multiply } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";

export const alertKinds = [
  "liquidation-distance",
  "margin-ratio",
  "drawdown",
  "stale",
  "key-refused",
  "ledger-break",
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** A fraction, kept as numerator and denominator so that nothing is rounded before a comparison. `whole` is above zero. */
export interface Share {
  part: DecimalString;
  whole: DecimalString;
}

/** One value of one rule at one time. */
export interface Measurement {
  kind: AlertKind;
  account: string;
  /** Identifies what is measured, among others of the same kind and account. */
  subject: string;
  /** The subject for display; control characters are escaped. */
  what: string;
  scopeId: number | null;
  /** Null if unknown, or if the rule has no number. */
  value: DecimalString | null;
  threshold: DecimalString | null;
  verdict: ThresholdState;
  /** The state in words, as the end of a sentence that begins with `what`. */
  how: string;
}

/** `bad` fires an alert, `good` lets it recover, `between` and `unknown` change nothing. */
export type ThresholdState = "bad" | "good" | "between" | "unknown";

/** Hysteresis of 10 %: an alert recovers only at this multiple of its limit, so that a value near the limit does not alternate. */
const recoveryFactors = { under: "0.9", over: "1.1" };

/** Compares a value with its lower limit. */
export function checkMinimum({ part, whole }: Share, limit: DecimalString): ThresholdState {
  if (compare(part, multiply(limit, whole)) < 0) return "bad";
  return compare(part, multiply(multiply(limit, recoveryFactors.over), whole)) > 0 ? "good" : "between";
}

/** Compares a value with its upper limit. */
export function checkMaximum({ part, whole }: Share, limit: DecimalString): ThresholdState {
  if (compare(part, multiply(limit, whole)) > 0) return "bad";
  return compare(part, multiply(multiply(limit, recoveryFactors.under), whole)) < 0 ? "good" : "between";
}

/** Returns the fraction as one number with at most 16 decimal places, null if it cannot be divided. */
export const shareOf = ({ part, whole }: Share): DecimalString | null => divide(part, whole);
