/**
 * When an alert begins and when it is over. Pure: the same readings in the same order give the same alerts, whoever was
 * restarted in between.
 */
import { compare, divide, multiply } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";

export const alertKinds = ["liquidation-distance", "margin-ratio", "drawdown", "stale", "key-refused"] as const;
export type AlertKind = (typeof alertKinds)[number];

/** A part of a whole, kept apart so that nothing is rounded before it is compared. The whole is above zero. */
export interface Share {
  part: DecimalString;
  whole: DecimalString;
}

/** What one look says of one thing. */
export interface Measurement {
  kind: AlertKind;
  account: string;
  /** Tells the thing from others of its kind and account. */
  subject: string;
  /** The same for people; made safe to show. */
  what: string;
  scopeId: number | null;
  /** Null: unknown, or it has no figure. */
  value: DecimalString | null;
  threshold: DecimalString | null;
  verdict: ThresholdState;
  /** How things are, as the end of a sentence that begins with `what`. */
  how: string;
}

/** `bad` fires, `good` ends what was fired, `between` and `unknown` change nothing. */
export type ThresholdState = "bad" | "good" | "between" | "unknown";

/** An alert is over only when the figure is a tenth of the limit beyond it, so that one that wavers does not ring on and on. */
const recoveryFactors = { under: "0.9", over: "1.1" };

/** Of a figure that must not be under its limit. */
export function checkMinimum({ part, whole }: Share, limit: DecimalString): ThresholdState {
  if (compare(part, multiply(limit, whole)) < 0) return "bad";
  return compare(part, multiply(multiply(limit, recoveryFactors.over), whole)) > 0 ? "good" : "between";
}

/** Of a figure that must not be over its limit. */
export function checkMaximum({ part, whole }: Share, limit: DecimalString): ThresholdState {
  if (compare(part, multiply(limit, whole)) > 0) return "bad";
  return compare(part, multiply(multiply(limit, recoveryFactors.under), whole)) < 0 ? "good" : "between";
}

/** The share as one number, for people and programs to read; at most 16 places. */
export const shareOf = ({ part, whole }: Share): DecimalString | null => divide(part, whole);
